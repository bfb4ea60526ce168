"""A miniature panel study in a folder of its own: made-up prices of a few stocks, seconds to rank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from tests.panel.made_up import ORIGIN, made_up
from tsladder.panel.file import write_panel
from tsladder.panel.panel import Panel
from tsladder.places import Places
from tsladder.typed_yaml import read_yaml

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
    (study / "params.yaml").write_text(yaml.safe_dump(record, sort_keys=False))
    chosen = made_up(days=700) if panel is None else panel
    write_panel(folder / "data" / "made_up.parquet", long_frame(chosen), ORIGIN)
    return Places(study, folder)
