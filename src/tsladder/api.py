"""Read a study into data frames, and fit a law to a table: tsladder in a notebook.

import tsladder

study = tsladder.load_study(".")
study.cells[["cell", "n_params", "test_loss"]]
study.laws[1].verdict

law = tsladder.fit_law(pandas.DataFrame({"n_params": sizes, "loss": losses}))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.law import group_json, read_law
from tsladder.artifacts.store import if_there
from tsladder.capsule.manifest import not_fresh
from tsladder.capsule.unpacked import unpacked_capsule
from tsladder.errors import BadInput
from tsladder.law.reading.options import Reading
from tsladder.law.table import CONFIDENCE, DRAWS, SEED, law_of_table
from tsladder.panel_api import PanelStudy, load_panel_study
from tsladder.params import Params, load_params, names_panel
from tsladder.places import Places
from tsladder.report.study_files import read_facts
from tsladder.status.study_state import study_state
from tsladder.study_frames import Law, cell_row, laws_of, score_rows, trial_rows
from tsladder.tasks import load_any
from tsladder.typed_yaml import read_yaml

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Law", "PanelStudy", "Study", "fit_law", "load_panel_study", "load_study"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Study:
    """Results of a study, as its stages left them.

    - `cells`: one row per planned cell: `cell`, `budget`, `horizon`, `state`, the winner's architecture, settings and
      `n_params`, `val_loss`, `test_loss`, `test_loss_se`, `test_skill`.
    - `trials`: one row per attempt at a trial: `cell`, `number`, `state`, `stop_reason`, `val_loss`, `seconds` and the
      trained configuration, each parameter in a column of its own.
    - `scores`: one row per cell and region, with every metric (mean over the seeds), `loss_low` and `loss_high`.
    - `laws`: horizon -> law, empty before the law has been fitted. `audit`: the leak probes, None before they have run.
    - `not_fresh`: cells whose files are older than params.yaml, data or code, or do not exist yet, with their state as
      named by `tsladder status`. What the frames and laws report about these cells answers an earlier question.
    """

    name: str
    params: Params
    cells: pd.DataFrame
    trials: pd.DataFrame
    scores: pd.DataFrame
    laws: Mapping[int, Law]
    audit: AuditRecord | None
    not_fresh: Mapping[str, str]


def load_study(path: str | Path = ".") -> Study:
    """Read the study of the checkout at `path`, of a folder below it, or of a capsule written by `tsladder export`.

    Nothing is written, trained or refitted. Raises BadInput where there is no study, where it is a panel study and
    where params.yaml is faulty, and WorkFailed for a damaged file.
    """
    found = Path(path).expanduser()
    if not found.exists():
        raise BadInput(f"{found} does not exist: give the folder of a study, or a capsule that `tsladder export` wrote")
    if found.is_file():
        with unpacked_capsule(found) as (places, states):
            _refuse_panel(places, found)
            return _read(places, states=states)
    places = Places.of(found.resolve())
    if not places.params.exists():
        raise BadInput(f"{found} holds no params.yaml, and no folder above it is a study: give the folder of one")
    _refuse_panel(places, found)
    return _read(places, states=not_fresh({name: cell.state for name, cell in study_state(places).cells.items()}))


def _refuse_panel(places: Places, path: Path) -> None:
    if names_panel(read_yaml(places.params)):
        raise BadInput(f"{path} is the study of a panel of stocks: read it with tsladder.load_panel_study")


def fit_law(
    table: pd.DataFrame | str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    alpha_of_interest: float | None = None,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Mapping[str, Law]:
    """Fit the law of a table of trained models, as `tsladder fit` does, from a data frame, a CSV file or a JSON file.

    Required columns are `n_params` and `loss`; `seed`, `se`, `n_data` and `group` are used where present. Other column
    names are recognised as by `tsladder fit`, or mapped by `columns`, as in {"loss": "rmse"}. Rows of equal size are
    replicates. Returns one law per value of `group`, or a single law under `all`. With a column `rank_ic` in place of
    `loss` it is the law of rankings, of the loss 1 - RankIC. An exponent smaller than `alpha_of_interest` (None: 0.015,
    of rankings 0.0025) is called flat. Raises BadInput for a table that cannot be read.
    """
    reading = Reading.parse(columns=[f"{role}={name}" for role, name in (columns or {}).items()])
    found = law_of_table(
        table,
        reading=reading,
        alpha_of_interest=alpha_of_interest,
        confidence=confidence,
        draws=draws,
        seed=seed,
    )
    return {name: Law.of(law, group_json(law)) for name, law in found.groups.items()}


def _read(places: Places, *, states: Mapping[str, str]) -> Study:
    """Read the study at `places` into data frames; `states` holds the states of the cells that are not fresh."""
    import pandas as pd

    params = load_params(places.params)
    facts = read_facts(places, params)
    planned = [cell for cell in facts.cells if cell.planned]
    metrics = [metric.name for metric in load_any(params.target.task).words.metrics]
    return Study(
        name=params.study.name,
        params=params,
        cells=pd.DataFrame([cell_row(cell) for cell in planned]),
        trials=pd.DataFrame([row for cell in planned for row in trial_rows(cell)]),
        scores=pd.DataFrame([row for cell in planned for row in score_rows(cell, metrics)]),
        laws=laws_of(if_there(read_law)(places.scaling)),
        audit=facts.audit,
        not_fresh=states,
    )
