"""A miniature panel study in a folder of its own: made-up prices of a few stocks, seconds to rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.panel.made_up import ORIGIN, made_up
from tests.studies import verb
from tests.yaml_text import yaml_text
from tsladder.artifacts.plans import SearchPlan, read_plan
from tsladder.cells.work import CellWork, open_cell
from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew
from tsladder.panel.file import write_panel
from tsladder.panel.panel import Panel
from tsladder.params import PanelParams, load_panel_params
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, Tracker
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell

DEFAULT_PANEL_PARAMS = Path(__file__).parent / "default_panel_params.yaml"
"""The default question. panel/params.yaml of the checkout may ask another."""

SMALL: dict[str, Any] = {
    "study__name": "miniature-panel",
    "budget": None,
    "data__panel": "made_up",
    "universe__min_history": 60,
    "universe__min_stocks": 5,
    "windows__context_length": 20,
    "splits__validation_start": None,
    "splits__test_start": None,
    "splits__min_days": 20,
    "evaluation__bootstrap_draws": 100,
}

MODELS: dict[str, Any] = {
    "budget": "12k",
    "ladder": ["12k", "25k"],
    "model__patch_len": 5,
    "search__presets__panel_quick__space__epochs": {"choices": [2]},
    "train__seeds": 2,
    "hardware__workers": 2,
    "hardware__device": "cpu",
}
"""Beside SMALL: models on the lowest rung of two, trained for seconds."""


def long_frame(panel: Panel) -> pd.DataFrame:
    """The prices of `panel` as the long table of its file."""
    day_R, stock_R = np.nonzero(panel.traded_TS)
    return pd.DataFrame(
        {
            "Date": panel.dates_T[day_R],
            "Symbol": np.asarray(panel.symbols_S, dtype=object)[stock_R],
            "Close": panel.close_TS[day_R, stock_R],
        }
    )


def panel_record(**leaves: Any) -> dict[str, Any]:
    """The default question with other values; `leaves` are dotted paths with __ for the dot."""
    record: dict[str, Any] = read_yaml(DEFAULT_PANEL_PARAMS)
    for dotted, value in leaves.items():
        *path, last = dotted.split("__")
        section = record
        for key in path:
            section = section[key]
        section[last] = value
    return record


def make_panel_study(folder: Path, panel: Panel | None = None, **leaves: Any) -> Places:
    """panel/params.yaml and data/made_up.parquet in `folder`, which is a project with the stages of this one."""
    study = folder / "panel"
    study.mkdir(parents=True)
    (folder / "stages").mkdir()
    (folder / "stages" / "hpo.py").touch()
    record = panel_record(**(SMALL | leaves))
    (study / "params.yaml").write_text(yaml_text(record))
    chosen = made_up(days=700) if panel is None else panel
    write_panel(folder / "data" / "made_up.parquet", long_frame(chosen), ORIGIN)
    return Places(study, folder)


def panel_params_of(places: Places) -> PanelParams:
    return load_panel_params(places.params)


def prepare_panel(places: Places, *, baselines: bool = False) -> None:
    """Features, splits and plans, and the baselines where they are wanted, made in this process."""
    for name in ("features", "splits", *(("baselines",) if baselines else ()), "plan"):
        verb(f"panel/{name}")(places, panel_params_of(places))


def opened_cell(places: Places, cell: Cell, *, crews: Crews | None = None) -> CellWork:
    """The work on the search of `cell`. `crews`: instead of workers of this machine."""
    plan = read_plan(SearchPlan, places.search_plan(cell))
    return open_cell(places, panel_params_of(places), cell, plan, crews=crews or LocalCrew)


def search_panel_cell(
    places: Places, cell: Cell, tracker: Tracker | None = None, *, crews: Crews | None = None
) -> Tracker:
    """Search `cell` in this process; the tracker that it was logged to."""
    from tsladder.cells.search_cell import search_cell

    tracker = tracker or MemoryTracker()
    search_cell(opened_cell(places, cell, crews=crews), tracker)
    return tracker
