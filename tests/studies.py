"""A miniature study in a folder of its own: synthetic bars, tiny rungs, seconds to search."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.yaml_text import yaml_text
from tsladder.artifacts.plans import SearchPlan, read_plan
from tsladder.cells.work import open_cell
from tsladder.execution.crew import Crews
from tsladder.execution.local_crew import LocalCrew
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.tracking import MemoryTracker, Tracker
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell

ROOT = Path(__file__).parents[1]
DEFAULT_PARAMS = ROOT / "tests" / "default_params.yaml"
"""The default question. The params.yaml of the checkout may ask another."""


def synthetic_bars(days: int = 900, seed: int = 0) -> pd.DataFrame:
    """A random walk whose volatility comes in waves, so that a threshold label can be learned a little."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(0.8 * np.sin(np.arange(days) / 15.0))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, volatility)))
    open_ = close * np.exp(rng.normal(0.0, 0.2 * volatility))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, volatility)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, volatility)))
    dates = pd.bdate_range("2010-01-01", periods=days)
    volume = rng.integers(1_000_000, 5_000_000, days).astype(float)
    return pd.DataFrame({"Date": dates, "Open": open_, "High": high, "Low": low, "Close": close, "Volume": volume})


def make_study(folder: Path, *, days: int = 900, **leaves: Any) -> Places:
    """params.yaml and data/tiny.parquet of so many days in `folder`; `leaves` are dotted paths with __ for the dot."""
    record = read_yaml(DEFAULT_PARAMS)
    defaults: dict[str, Any] = {
        "study__name": "miniature",
        "budget": "12k",
        "ladder": ["12k", "30k"],
        "horizons": [1],
        "data__symbol": "tiny",
        "windows__context_length": 32,
        "splits__validation_start": None,
        "splits__test_start": None,
        "splits__min_positives": 5,
        "model__patch_len": 8,
        "model__stride": 8,
        "search__trials": 7,
        "search__presets__quick__space__epochs": {"choices": [2]},
        "train__seeds": 2,
        "evaluation__bootstrap_draws": 100,
        "hardware__workers": 2,
        "hardware__device": "cpu",
    }
    for dotted, value in (defaults | leaves).items():
        *path, last = dotted.split("__")
        section = record
        for key in path:
            section = section[key]
        section[last] = value
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml_text(record))
    synthetic_bars(days).to_parquet(folder / "data" / "tiny.parquet", index=False)
    return Places(folder, folder)


def params_of(places: Places) -> Params:
    return load_params(places.params)


def stage(places: Places, name: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one stage script as DVC would."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "stages" / f"{name}.py"), *arguments],
        cwd=places.root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return checked(name, done) if check else done


def checked(name: str, done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """Return a stage that has ended. Raises AssertionError with what it said where it failed."""
    if done.returncode != 0:
        raise AssertionError(f"stage {name} ended with {done.returncode}:\n{done.stderr}")
    return done


def start_stage(
    places: Places,
    name: str,
    *arguments: str,
    python: str = sys.executable,
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """The same, left running, in a process group of its own."""
    return subprocess.Popen(
        [python, str(ROOT / "stages" / f"{name}.py"), *arguments],
        cwd=places.root,
        env=environment() if variables is None else variables,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    keep = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    # Its own code first; what else the caller's path names, such as packages, stays.
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), keep.get("PYTHONPATH")]))
    return keep | {"PYTHONPATH": path}


def prepare(places: Places) -> None:
    """Features, splits and plans, made in this process."""
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))


def search_here(places: Places, cell: Cell, tracker: Tracker | None = None, *, crews: Crews | None = None) -> Tracker:
    """Search `cell` in this process; the tracker that it was logged to. `crews`: instead of workers of this machine."""
    # Here, so that tests which search nothing run where Optuna is not installed.
    from tsladder.cells.search_cell import search_cell

    tracker = tracker or MemoryTracker()
    plan = read_plan(SearchPlan, places.search_plan(cell))
    search_cell(open_cell(places, params_of(places), cell, plan, crews=crews or LocalCrew), tracker)
    return tracker


def verb(name: str) -> Callable[..., None]:
    """What stage script `name` does, without the process around it."""
    found = importlib.util.spec_from_file_location(f"stages.{name}", ROOT / "stages" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    build: Callable[..., None] = module.build
    return build
