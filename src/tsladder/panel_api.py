"""Read a panel study into data frames."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.capsule.manifest import not_fresh
from tsladder.capsule.unpacked import unpacked_capsule
from tsladder.errors import BadInput
from tsladder.evaluation.predictions import SEED_PREFIX
from tsladder.params import PanelParams, load_panel_params
from tsladder.places import Places
from tsladder.report.panel.baselines_table import to_baselines_csv
from tsladder.report.panel.files import read_panel_facts
from tsladder.status.study_state import study_state
from tsladder.study_frames import Law, cell_row, laws_of, ranking_rows, trial_rows

if TYPE_CHECKING:
    import pandas as pd

_FRESH = "fresh"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PanelStudy:
    """Results of a panel study, as its stages left them.

    - `baselines`: one row per horizon, region and baseline, with every figure and the ends of its interval: the columns
      of artifacts/report/baselines.csv.
    - `cells`: one row per planned cell: `cell`, `budget`, `horizon`, `state`, the winner's architecture, settings and
      `n_params`, `val_loss`, `test_loss` (rank errors, 1 - RankIC), `test_loss_se`, `test_skill`.
    - `trials`: one row per attempt at a trial, as `load_study` gives them.
    - `scores`: one row per cell and region, with every figure of its rankings and of the portfolio that holds them
      (mean over the seeds), and the ends of their intervals: `rank_ic`, `rank_ic_low`, `rank_ic_high` and so on.
    - `laws`: horizon -> law, empty before the law has been fitted.
    - `daily`: one row per day, horizon, region and ranking: RankIC and the other daily metrics, and what the portfolio
      earned (`gross_return`) and traded. `model` names a baseline, or a seed of the cell in `cell`.
    - `by_stock`: one row per day, horizon, stock and ranking: score and return, named as in `daily`. Empty where the
      study is a capsule.
    - `features`: columns and members, and how the stocks of the panel were chosen; None before the stage has run.
    - `audit`: the leak probes, None before they have run.
    - `not_fresh`: stages of the whole study, and cells, whose files are older than params.yaml, data or code, or do not
      exist yet, with their state as named by `tsladder status`.
    """

    name: str
    params: PanelParams
    baselines: pd.DataFrame
    cells: pd.DataFrame
    trials: pd.DataFrame
    scores: pd.DataFrame
    laws: Mapping[int, Law]
    daily: pd.DataFrame
    by_stock: pd.DataFrame
    features: PanelFeatures | None
    audit: AuditRecord | None
    not_fresh: Mapping[str, str]


def load_panel_study(path: str | Path = "panel") -> PanelStudy:
    """Read the panel study in the folder `path`, or in one above it, or in a capsule written by `tsladder export`.

    Nothing is written or computed. Raises BadInput where there is no panel study or params.yaml is faulty, and
    WorkFailed for a damaged file, and for one of another question than that of params.yaml.
    """
    found = Path(path).expanduser()
    if found.is_file():
        with unpacked_capsule(found) as (places, states):
            return _read(places, states)
    places = Places.of(found.resolve())
    if not found.exists() or not places.params.exists():
        raise BadInput(f"{found} is not the folder of a panel study: give the one with its params.yaml, such as panel")
    # Here, so that the study of a series is refused as such.
    load_panel_params(places.params)
    state = study_state(places)
    stages = {} if state.panel is None else state.panel.stages
    cells = not_fresh({name: cell.state for name, cell in state.cells.items()})
    return _read(places, {name: found for name, found in stages.items() if found != _FRESH} | cells)


def _read(places: Places, states: Mapping[str, str]) -> PanelStudy:
    """Read the study at `places` into data frames; `states` holds the states of what is not fresh."""
    import pandas as pd

    params = load_panel_params(places.params)
    facts = read_panel_facts(places, params)
    planned = [cell for cell in facts.cells if cell.planned]
    horizons = params.horizons
    return PanelStudy(
        name=params.study.name,
        params=params,
        baselines=pd.read_csv(io.StringIO(to_baselines_csv(facts))),
        cells=pd.DataFrame([cell_row(cell) for cell in planned]),
        trials=pd.DataFrame([row for cell in planned for row in trial_rows(cell)]),
        scores=pd.DataFrame([row for cell in planned for row in ranking_rows(cell)]),
        laws=laws_of(facts.law),
        daily=_rankings(
            [(None, horizon, places.baseline_predictions(horizon)) for horizon in horizons]
            + [(str(one.cell), one.cell.horizon, places.predictions(one.cell)) for one in planned if one.regions]
        ),
        by_stock=_rankings(
            [(None, horizon, places.scores_by_stock(horizon)) for horizon in horizons]
            + [
                (str(one.cell), one.cell.horizon, places.cell_scores_by_stock(one.cell))
                for one in planned
                if one.regions
            ]
        ),
        features=facts.features,
        audit=facts.audit,
        not_fresh=states,
    )


def _rankings(tables: list[tuple[str | None, int, Path]]) -> pd.DataFrame:
    """Read tables of rankings, (cell, horizon, path) each, one below the other; empty before there is one. The table of
    a cell repeats the baselines, which are left out."""
    import pandas as pd

    found = []
    for cell, horizon, path in tables:
        if path.exists():
            table = pd.read_parquet(path)
            own = table if cell is None else table[table["model"].str.startswith(SEED_PREFIX)]
            found.append(own.assign(horizon=horizon, cell=cell))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
