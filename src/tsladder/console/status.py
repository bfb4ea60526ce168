"""`tsladder status`: where every cell stands, from local files, in well under a second. No DVC, no MLflow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.console.freshness import Lock, read_lock, text_md5
from tsladder.locks import is_owned
from tsladder.market.inputs import input_symbols, read_inputs
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans, plan_cells
from tsladder.planning.plans import cell_key, study_key
from tsladder.records import json_text, read_json, read_lines
from tsladder.typed_yaml import read_yaml
from tsladder.vocabulary import Cell, CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class CellState:
    """One cell, `state` not_planned, pending, running, fresh, stale or failed; None where a figure is not known."""

    state: str
    trials_done: int
    trials_total: int
    best_val_loss: float | None
    test_loss: float | None
    skill: float | None
    seconds_spent: float | None
    seconds_to_go: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class StudyState:
    """All cells by name, and the key of the question that params.yaml and the code now ask."""

    study_key: str
    cells: Mapping[str, CellState]

    def to_json(self) -> dict[str, Any]:
        return {
            "study_key": self.study_key,
            "cells": {name: dataclasses.asdict(state) for name, state in self.cells.items()},
        }


def study_state(places: Places) -> StudyState:
    """Raises BadInput when params.yaml is faulty."""
    params = load_params(places.params)
    plans = plan_cells(params)
    lock = read_lock(places.root, read_yaml(places.params), _md5s_now(places, params, plans))
    inputs_fresh = lock.is_fresh("features") and lock.is_fresh("splits")
    cells = {str(p.cell): _cell_state(places, params, p, lock, inputs_fresh) for p in plans}
    return StudyState(study_key({str(p.cell): p.search for p in plans}), cells)


def _md5s_now(places: Places, params: Params, plans: tuple[CellPlans, ...]) -> dict[str, str]:
    """What the plan files and the list of inputs would hold if their stages ran now, as dvc.lock names and hashes
    them."""
    md5s = {}
    if all(places.bars(symbol).is_file() for symbol in input_symbols(params.data)):
        text = json_text(read_inputs(places, params.data))
        md5s[places.inputs.relative_to(places.root).as_posix()] = text_md5(text)
    for cell_plans in plans:
        for path, plan in (
            (places.search_plan(cell_plans.cell), cell_plans.search),
            (places.train_plan(cell_plans.cell), cell_plans.train),
            (places.evaluate_plan(cell_plans.cell), cell_plans.evaluate),
        ):
            md5s[path.relative_to(places.root).as_posix()] = text_md5(json_text(plan))
    return md5s


def _cell_state(places: Places, params: Params, plans: CellPlans, lock: Lock, inputs_fresh: bool) -> CellState:
    cell = plans.cell
    if not plans.planned:
        return CellState(
            state="not_planned",
            trials_done=0,
            trials_total=0,
            best_val_loss=None,
            test_loss=None,
            skill=None,
            seconds_spent=None,
            seconds_to_go=None,
            reason=None,
        )
    stages = [f"{stage}@{cell.budget}-{cell.horizon}" for stage in ("hpo", "train", "evaluate")]
    fresh = inputs_fresh and all(lock.is_fresh(stage) for stage in stages)
    running = any(is_owned(folder) for folder in places.studies.glob(f"{cell}-*"))
    failure = _failure(places, cell)
    if running:
        state = "running"
    elif fresh:
        state = "fresh" if failure is None else "failed"
    else:
        state = "stale" if _has_results(places, cell) else "pending"
    trials = _trials(places, plans, fresh, inputs_fresh)
    total = int(plans.search["search"]["trials"])
    losses = [trial["best_val_loss"] for trial in trials if trial["state"] == "complete"]
    spent = sum(trial["seconds"] for trial in trials) + _train_seconds(places, cell, fresh)
    to_go = 0.0 if state in ("fresh", "failed") else None
    if to_go is None and trials:
        each = sum(trial["seconds"] for trial in trials) / len(trials)
        to_go = each * (total - len(trials) + params.train.seeds) / trials[-1]["workers"]
    scores = _scores(places, cell) if fresh else {}
    return CellState(
        state=state,
        trials_done=len(trials),
        trials_total=total,
        best_val_loss=min(losses, default=None),
        test_loss=scores.get("loss"),
        skill=scores.get("skill"),
        seconds_spent=spent or None,
        seconds_to_go=to_go,
        reason=failure if state == "failed" else None,
    )


def _trials(places: Places, plans: CellPlans, fresh: bool, inputs_fresh: bool) -> list[dict[str, Any]]:
    """Ended trials of THIS question: the stage's copy when it is fresh, else the live record under its key."""
    if fresh:
        path = places.hpo(plans.cell) / "trials.jsonl"
    elif inputs_fresh:
        fingerprint = read_json(places.features / "manifest.json")["fingerprint"]
        key = cell_key(plans.search, fingerprint, read_json(places.horizon_splits(plans.cell.horizon)))
        path = places.study(plans.cell, key) / "trials.jsonl"
    else:
        return []
    last = {line["number"]: line for line in read_lines(path)}
    return [line for line in last.values() if line["state"] != "interrupted"]


def _train_seconds(places: Places, cell: Cell, fresh: bool) -> float:
    path = places.timings(cell)
    if not fresh or not path.exists():
        return 0.0
    return float(sum(seed["seconds"] for seed in read_json(path)["seeds"].values()))


def _failure(places: Places, cell: Cell) -> str | None:
    """Why the cell failed, as the furthest stage that wrote something says."""
    for path in (places.scores(cell) / "scores.json", places.models(cell) / "status.json", places.choice(cell)):
        if path.exists():
            record = read_json(path)
            if record["status"] == CellStatus.FAILED:
                return str(record["reason"])
    return None


def _has_results(places: Places, cell: Cell) -> bool:
    return places.choice(cell).exists() and read_json(places.choice(cell))["status"] != CellStatus.NOT_PLANNED


def _scores(places: Places, cell: Cell) -> dict[str, float | None]:
    record = read_json(places.scores(cell) / "scores.json")
    if record["status"] != CellStatus.DONE:
        return {}
    test = record["regions"]["test"]
    return {"loss": test["mean"]["log_loss"], "skill": test["skill"]}
