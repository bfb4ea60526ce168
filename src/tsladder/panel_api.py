"""Read a panel study into data frames."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.errors import BadInput
from tsladder.params import PanelParams, load_panel_params
from tsladder.places import Places
from tsladder.report.panel.baselines_table import to_baselines_csv
from tsladder.report.panel.files import read_panel_facts
from tsladder.status.panel_state import panel_state

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PanelStudy:
    """Results of a panel study, as its stages left them.

    - `baselines`: one row per horizon, region and baseline, with every figure and the ends of its interval: the columns
      of artifacts/report/baselines.csv.
    - `daily`: one row per day, horizon, region and baseline: RankIC and the other daily metrics, and what the portfolio
      earned (`gross_return`) and traded.
    - `by_stock`: one row per day, horizon, stock and baseline: score and return.
    - `features`: columns and members, and how the stocks of the panel were chosen; None before the stage has run.
    - `audit`: the leak probes, None before they have run.
    - `not_fresh`: stages whose files are older than params.yaml, data or code, or do not exist yet, with their state as
      named by `tsladder status`.
    """

    name: str
    params: PanelParams
    baselines: pd.DataFrame
    daily: pd.DataFrame
    by_stock: pd.DataFrame
    features: PanelFeatures | None
    audit: AuditRecord | None
    not_fresh: Mapping[str, str]


def load_panel_study(path: str | Path = "panel") -> PanelStudy:
    """Read the panel study in the folder `path`, or in one above it.

    Nothing is written or computed. Raises BadInput where there is no panel study or params.yaml is faulty, and
    WorkFailed for a damaged file, and for one of another question than that of params.yaml.
    """
    import pandas as pd

    found = Path(path).expanduser()
    places = Places.of(found.resolve())
    if not found.exists() or not places.params.exists():
        raise BadInput(f"{found} is not the folder of a panel study: give the one with its params.yaml, such as panel")
    params = load_panel_params(places.params)
    facts = read_panel_facts(places, params)
    states = panel_state(places).stages
    return PanelStudy(
        name=params.study.name,
        params=params,
        baselines=pd.read_csv(io.StringIO(to_baselines_csv(facts))),
        daily=_tables({horizon: places.baseline_predictions(horizon) for horizon in params.horizons}),
        by_stock=_tables({horizon: places.scores_by_stock(horizon) for horizon in params.horizons}),
        features=facts.features,
        audit=facts.audit,
        not_fresh={name: state for name, state in states.items() if state != "fresh"},
    )


def _tables(paths: Mapping[int, Path]) -> pd.DataFrame:
    """Read the tables of all horizons, one below the other; empty before there is one."""
    import pandas as pd

    found = [pd.read_parquet(path).assign(horizon=horizon) for horizon, path in paths.items() if path.exists()]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
