"""Finished experiments in a small repository of git and DVC, without any training: scores are made up, and their files
lie in git and in DVC's cache exactly where a run of DVC puts them.

Labels are a coin a day of the horizon; a cell's forecasts lean towards them by `sharpness`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tests import cell_files
from tests.small_records import horizon_law, power_law, region_count, study_law
from tests.studies import DEFAULT_PARAMS, ROOT, make_study
from tests.yaml_text import yaml_text

from tsladder.artifacts.law import write_law
from tsladder.artifacts.splits import HorizonCounts, SplitsSummary, write_summary
from tsladder.artifacts.store import digest, write_json, write_text
from tsladder.evaluation.predictions import predictions_frame
from tsladder.places import Places
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell, Region

DAYS = 120
FIRST_DAY = "2015-01-05"
BUDGETS = ("12k", "30k")
HORIZONS = (1, 3)
OUTPUTS = ("artifacts/splits", "artifacts/law/scaling.json")
ASKED = ("study.seed", "budget", "ladder", "horizons", "data", "target", "windows", "splits", "model", "search", "law")


def write_results(
    folder: Path,
    *,
    sharpness: float = 0.1,
    first_days: Mapping[int, str] | None = None,
    labels_seed: int = 0,
    trained_from: str = "1999-10-18",
    metric: str = "log_loss",
    seeds: tuple[int, ...] = (1, 2),
    budgets: tuple[str, ...] = BUDGETS,
    horizons: tuple[int, ...] = HORIZONS,
    **leaves: Any,
) -> Places:
    """params.yaml, dvc.lock and all that is compared. `first_days`: horizon -> its first day, where not FIRST_DAY."""
    shutil.rmtree(folder / "artifacts", ignore_errors=True)
    defaults = {"budget": "30k", "ladder": [*BUDGETS, "80k"], "horizons": list(horizons)}
    places = make_study(folder, **(defaults | leaves))
    for horizon in horizons:
        start = (first_days or {}).get(horizon, FIRST_DAY)
        for number, budget in enumerate(budgets):
            _write_cell(places, Cell(budget, horizon), sharpness + 0.02 * number, start, labels_seed, seeds)
        write_json(places.scores(Cell("80k", horizon)) / "scores.json", {"status": "not_planned"})
    counts = {Region.TRAIN: region_count(2740, first_day=trained_from)}
    summary = {horizon: HorizonCounts(counts=counts, notes=()) for horizon in horizons}
    write_summary(places.splits_summary, SplitsSummary(kind="dates", horizons=summary))
    power = dataclasses.replace(
        power_law(0.01), alpha_ci=(0.005, 0.015), alpha_ci_rungs=(0.006, 0.014), alpha_ci_days=(0.007, 0.013)
    )
    flat = horizon_law("flat")
    law = dataclasses.replace(flat, fits=dataclasses.replace(flat.fits, power=power))
    write_law(places.scaling, study_law(dict.fromkeys(horizons, law), metric=metric))
    _write_lock(places)
    return places


def _write_cell(
    places: Places, cell: Cell, sharpness: float, start: str, labels_seed: int, seeds: tuple[int, ...]
) -> None:
    import pandas as pd

    frames = []
    for number, region in enumerate((Region.VALIDATION, Region.TEST)):
        y_N = np.random.default_rng([labels_seed, cell.horizon, number]).integers(0, 2, DAYS).astype(float)
        noise = np.random.default_rng([len(cell.budget), cell.horizon, number])
        probabilities = {
            k: np.clip(0.5 + sharpness * (2 * y_N - 1) + 0.05 * noise.normal(size=DAYS), 0.02, 0.98) for k in seeds
        }
        dates_N = np.datetime64(start) + np.arange(DAYS) + number * 400
        frames.append(predictions_frame(region, y_N, dates_N, probabilities, []))
    places.scores(cell).mkdir(parents=True)
    pd.concat(frames).to_parquet(places.scores(cell) / "predictions.parquet", index=False)
    regions = {region: cell_files.region(skill=sharpness) for region in ("validation", "test")}
    write_json(places.scores(cell) / "scores.json", cell_files.scores(cell, **regions))


def _write_lock(places: Places) -> None:
    """The stages whose outputs are compared, as `dvc repro` records them."""
    raw = read_yaml(places.params)
    given = {section: raw["study"]["seed"] if section == "study.seed" else raw[section] for section in ASKED}
    plans = {"path": "artifacts/plans", "hash": "md5", "md5": f"{digest(given)[:32]}.dir"}
    stages: dict[str, Any] = {
        "plan": {"cmd": "python stages/plan.py", "outs": [plans], "params": {"params.yaml": given}}
    }
    for cell in (path.name for path in (places.artifacts / "scores").iterdir()):
        budget, horizon = cell.split("-h")
        stages[f"evaluate@{budget}-{horizon}"] = _done(places, f"evaluate.py --cell {cell}", f"artifacts/scores/{cell}")
    stages["splits"] = _done(places, "splits.py", OUTPUTS[0])
    stages["fit"] = {
        **_done(places, "fit.py", OUTPUTS[1]),
        "deps": [dict(plans)],
        "params": {"params.yaml": {"law": raw["law"]}},
    }
    write_text(places.root / "dvc.lock", yaml_text({"schema": "2.0", "stages": stages}))


def _done(places: Places, cmd: str, output: str) -> dict[str, Any]:
    return {"cmd": f"python stages/{cmd}", "outs": [{"path": output, "hash": "md5", **_cached(places, output)}]}


def _cached(places: Places, output: str) -> dict[str, Any]:
    """Copy an output into DVC's cache: its entry of dvc.lock."""
    full = places.root / output
    if full.is_file():
        return {"md5": _store(places, full.read_bytes()), "size": full.stat().st_size}
    files = sorted(file for file in full.iterdir())
    listed = [{"md5": _store(places, file.read_bytes()), "relpath": file.name} for file in files]
    md5 = _store(places, json.dumps(listed, sort_keys=True).encode(), ".dir")
    return {"md5": md5, "size": sum(file.stat().st_size for file in files), "nfiles": len(files)}


def _store(places: Places, content: bytes, suffix: str = "") -> str:
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest() + suffix
    path = places.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return md5


class Experiments:
    """A repository in which every experiment is a commit of its own upon an empty first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._git("init", "-q", "-b", "main")
        write_text(folder / ".dvc" / "config", "[core]\n    analytics = false\n    check_update = false\n")
        write_text(folder / ".dvc" / ".gitignore", "/config.local\n/tmp\n/cache\n")
        write_text(folder / ".gitignore", "/artifacts\n/data\n")
        shutil.copy(ROOT / "dvc.yaml", folder / "dvc.yaml")
        shutil.copy(DEFAULT_PARAMS, folder / "params.yaml")
        self._commit("an empty study")
        self._first = self._git("rev-parse", "HEAD")

    def add(self, name: str, **results: Any) -> None:
        """What `dvc exp run --name` leaves: a commit under a reference of DVC. The workspace has its files, too."""
        write_results(self.folder, **results)
        self._commit(name)
        commit = self._git("rev-parse", "HEAD")
        self._git("update-ref", f"refs/exps/{self._first[:2]}/{self._first[2:]}/{name}", commit)
        self._git("update-ref", "HEAD", self._first)

    def break_pipeline(self, name: str) -> None:
        """The experiment `name` with a dvc.yaml that is none."""
        write_results(self.folder)
        write_text(self.folder / "dvc.yaml", "stages: [")
        self._commit("broken")
        commit = self._git("rev-parse", "HEAD")
        self._git("update-ref", f"refs/exps/{self._first[:2]}/{self._first[2:]}/{name}", commit)
        self._git("reset", "-q", "--hard", self._first)

    def clear_cache(self) -> None:
        shutil.rmtree(self.folder / ".dvc" / "cache")

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "--no-verify", "-m", message)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()
