"""What the stages of one cell left that belongs to the question now asked. What does not is not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.console.unchanged import Unchanged
from tsladder.places import Places
from tsladder.planning.cells import CellPlans
from tsladder.planning.plans import cell_key, train_key
from tsladder.records import read_json
from tsladder.vocabulary import HUBER, LOG_LOSS, Cell, CellStatus, StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class CellResults:
    """Trials that have ended, and seeds of the winner that have (number -> seconds): each once, by its last attempt.

    `last_model_seconds`: of a trial's last model, where it trained one a fold, else of the trial. `workers`: how many
    trained side by side; None before any has ended. `failure`: why the cell has failed. `seconds_taken_over`: of those
    of `trial_seconds` that another search has spent. `trials_to_take_over`: that need not be trained though they have
    not ended here.
    """

    trial_numbers: frozenset[int] = frozenset()
    trial_seconds: tuple[float, ...] = ()
    last_model_seconds: tuple[float, ...] = ()
    stop_reasons: Mapping[str, int]
    best_val_loss: float | None = None
    workers: int | None = None
    seed_seconds: Mapping[int, float]
    test_loss: float | None = None
    skill: float | None = None
    failure: str | None = None
    seconds_taken_over: float = 0.0
    trials_to_take_over: int = 0

    @property
    def seconds_spent(self) -> float | None:
        """Of training processes, added; None where none has ended."""
        return sum(self.trial_seconds) - self.seconds_taken_over + sum(self.seed_seconds.values()) or None


NO_RESULTS = CellResults(stop_reasons={}, seed_seconds={})


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """Which outputs belong to the question: those of the inputs, of the search, of the retraining, of the scoring."""

    inputs: bool
    search: bool
    train: bool
    scores: bool


def read_results(places: Places, plans: CellPlans, belonging: Belonging, files: Unchanged) -> CellResults:
    """Raises WorkFailed for a damaged file."""
    if not belonging.inputs:
        return NO_RESULTS
    trials = _trials(places, plans, belonging, files)
    complete = [line["best_val_loss"] for line in trials if line["state"] == "complete"]
    test = _test_region(places, plans.cell, files) if belonging.scores else {}
    return CellResults(
        trial_numbers=frozenset(int(line["number"]) for line in trials),
        trial_seconds=tuple(float(line["seconds"]) for line in trials),
        last_model_seconds=tuple(_last_model_seconds(line) for line in trials),
        stop_reasons=dict(sorted(Counter(str(line["stop_reason"]) for line in trials).items())),
        best_val_loss=min(complete, default=None),
        workers=int(trials[-1]["workers"]) if trials else None,
        seed_seconds=_seed_seconds(places, plans, belonging, files),
        test_loss=_loss(test["mean"]) if test else None,
        skill=test["skill"] if test else None,
        failure=_failure(places, plans.cell, belonging, files),
        seconds_taken_over=sum(float(line["seconds"]) for line in trials if line.get("taken_from")),
    )


def _trials(places: Places, plans: CellPlans, belonging: Belonging, files: Unchanged) -> list[dict[str, Any]]:
    """The copy that the stage left, else the live record under the key of the question."""
    if belonging.search:
        path = places.hpo(plans.cell) / "trials.jsonl"
    else:
        path = places.study(plans.cell, cell_key(plans.search, *_inputs(places, plans.cell, files))) / "trials.jsonl"
    last = {line["number"]: line for line in files.lines(path)}
    return [line for line in last.values() if line["state"] != "interrupted"]


def _last_model_seconds(line: Mapping[str, Any]) -> float:
    folds = line.get("folds", [])
    return float(folds[-1]["seconds"] if folds else line["seconds"])


def _seed_seconds(places: Places, plans: CellPlans, belonging: Belonging, files: Unchanged) -> dict[int, float]:
    if not belonging.search:
        return {}
    if belonging.train:
        path = places.timings(plans.cell)
        seeds = files.json(path)["seeds"] if path.exists() else {}
        return {int(name.removeprefix("seed-")): float(seed["seconds"]) for name, seed in seeds.items()}
    choice = files.json(places.choice(plans.cell))
    if choice["status"] != CellStatus.DONE:
        return {}
    folder = places.training(plans.cell, train_key(plans.train, choice, *_inputs(places, plans.cell, files)))
    outcomes = [(number, folder / f"seed-{number}" / "outcome.json") for number in range(1, plans.train["seeds"] + 1)]
    return {number: float(files.json(path)["seconds"]) for number, path in outcomes if path.exists()}


def _inputs(places: Places, cell: Cell, files: Unchanged) -> tuple[str, dict[str, Any]]:
    """The values of the features and of the splits."""
    fingerprint = str(files.json(places.features / "manifest.json")["fingerprint"])
    return fingerprint, files.json(places.horizon_splits(cell.horizon))


def _failure(places: Places, cell: Cell, belonging: Belonging, files: Unchanged) -> str | None:
    """As the furthest stage says that wrote something of this question."""
    candidates: Sequence[tuple[bool, Path]] = (
        (belonging.scores, places.scores(cell) / "scores.json"),
        (belonging.train, places.models(cell) / "status.json"),
        (belonging.search, places.choice(cell)),
    )
    for belongs, path in candidates:
        if belongs and path.exists():
            record = files.json(path)
            if record["status"] == CellStatus.FAILED:
                return str(record["reason"])
    return None


def failed_stage(places: Places, cell: Cell) -> tuple[str, bool]:
    """The stage (hpo or train) that the failure of `cell` comes from, and whether heat stopped it."""
    choice, status = places.choice(cell), places.models(cell) / "status.json"
    record = read_json(choice)
    if record["status"] == CellStatus.FAILED:
        return "hpo", record.get("stop_reason") == StopReason.THERMAL
    return "train", status.exists() and read_json(status).get("stop_reason") == StopReason.THERMAL


def _loss(mean: Mapping[str, Any]) -> float:
    """Of a region's mean scores, which hold one of the two losses."""
    loss: float = mean[LOG_LOSS] if LOG_LOSS in mean else mean[HUBER]
    return loss


def _test_region(places: Places, cell: Cell, files: Unchanged) -> Mapping[str, Any]:
    record = files.json(places.scores(cell) / "scores.json")
    return record["regions"]["test"] if record["status"] == CellStatus.DONE else {}


def has_another_answer(places: Places, cell: Cell, belonging: Belonging) -> bool:
    """Does an output of the cell lie there that answers another question? What cannot be read is taken for one."""
    outputs = (
        (belonging.search, places.choice(cell)),
        (belonging.train, places.models(cell) / "status.json"),
        (belonging.scores, places.scores(cell) / "scores.json"),
    )
    return any(not belongs and _was_planned(path) for belongs, path in outputs)


def _was_planned(path: Path) -> bool:
    return path.exists() and CellStatus.NOT_PLANNED not in path.read_text(encoding="utf-8", errors="replace")
