"""Read the results of one cell that belong to the current question. Others are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.outcome import Outcome
from tsladder.artifacts.store import read_json
from tsladder.artifacts.trials import TrialRecord, latest
from tsladder.places import Places
from tsladder.planning.cells import CellPlans
from tsladder.results.gathering import Belonging, gather
from tsladder.results.unchanged import Unchanged
from tsladder.search.objective import Objective
from tsladder.vocabulary import LOG_LOSS, Cell, CellStatus, StopReason

_ARCHITECTURE = ("d_model", "n_layers", "n_heads", "d_ff")
_SETTINGS = ("learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs", "effective_batch")


@dataclass(frozen=True, kw_only=True, slots=True)
class BestConfiguration:
    """Best configuration of a search by its `objective`: trial `number`, as trials.jsonl counts, its score (higher is
    better) and its loss."""

    number: int
    objective: str
    score: float | None
    loss: float | None
    n_params: int | None
    architecture: Mapping[str, Any]
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class CellResults:
    """Trials that have ended, and seeds of the winner that have (number -> seconds): each once, by its last attempt.

    `last_model_seconds`: of a trial's last model, where it trained one a fold, else of the trial. `workers`: how many
    trained side by side; None before any has ended. `failure`: why the cell has failed. `seconds_taken_over`: of those
    of `trial_seconds` that another search has spent. `trials_to_take_over`: that need not be trained though they have
    not ended here. `best_...` are those of the trial that leads, as `Objective.figures` names them.
    """

    trial_numbers: frozenset[int] = frozenset()
    trial_seconds: tuple[float, ...] = ()
    last_model_seconds: tuple[float, ...] = ()
    stop_reasons: Mapping[str, int]
    best_val_loss: float | None = None
    best_score: float | None = None
    best_val_auc: float | None = None
    best_configuration: BestConfiguration | None = None
    workers: int | None = None
    seed_seconds: Mapping[int, float]
    test_loss: float | None = None
    skill: float | None = None
    failure: str | None = None
    seconds_taken_over: float = 0.0
    trials_to_take_over: int = 0

    @property
    def seconds_spent(self) -> float | None:
        """Sum over training processes; None where none has ended."""
        return sum(self.trial_seconds) - self.seconds_taken_over + sum(self.seed_seconds.values()) or None


NO_RESULTS = CellResults(stop_reasons={}, seed_seconds={})


def read_results(places: Places, plans: CellPlans, belonging: Belonging, files: Unchanged) -> CellResults:
    """Raises WorkFailed for a damaged file."""
    records = gather(places, plans, belonging, files)
    trials = [trial for trial in latest(records.trials).values() if trial.final]
    objective = Objective(plans.search["search"]["objective"])
    leader = objective.best(trials)
    best, test = objective.figures(leader), _test_region(records.scores)
    return CellResults(
        trial_numbers=frozenset(trial.number for trial in trials),
        trial_seconds=tuple(trial.outcome.seconds for trial in trials),
        last_model_seconds=tuple(_last_model_seconds(trial.outcome) for trial in trials),
        stop_reasons=dict(sorted(Counter(str(trial.outcome.stop_reason) for trial in trials).items())),
        best_score=best["best_score"],
        best_val_loss=best["best_val_loss"],
        best_val_auc=best["best_val_auc"],
        best_configuration=None if leader is None else _configuration(objective, leader, plans),
        workers=trials[-1].workers if trials else None,
        seed_seconds={number: seed.seconds for number, seed in records.seeds.items()},
        test_loss=_loss(records.scores, test) if test else None,
        skill=test["skill"] if test else None,
        failure=_failure(places, plans.cell, belonging, files),
        seconds_taken_over=sum(trial.outcome.seconds for trial in trials if trial.taken_from is not None),
    )


def _configuration(objective: Objective, leader: TrialRecord, plans: CellPlans) -> BestConfiguration:
    model, params = plans.search["model"], leader.params
    return BestConfiguration(
        number=leader.number,
        objective=objective.name,
        score=objective.score(leader),
        loss=leader.val_loss,
        n_params=leader.outcome.n_params,
        architecture={name: params[name] for name in _ARCHITECTURE if name in params}
        | {name: model[name] for name in ("patch_len", "stride")},
        settings={name: params[name] for name in _SETTINGS if name in params},
    )


def _last_model_seconds(outcome: Outcome) -> float:
    return outcome.folds[-1].seconds if outcome.folds else outcome.seconds


def _failure(places: Places, cell: Cell, belonging: Belonging, files: Unchanged) -> str | None:
    """Reason of the failure, from the last stage that wrote an output of this question."""
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


def _loss(scores: Mapping[str, Any], region: Mapping[str, Any]) -> float:
    """Mean loss on a region of `scores`. Evaluations before there were returns named no loss."""
    loss: float = region["mean"][scores.get("metric", LOG_LOSS)]
    return loss


def _test_region(scores: Mapping[str, Any]) -> Mapping[str, Any]:
    test: Mapping[str, Any] = scores["regions"]["test"] if scores.get("status") == CellStatus.DONE else {}
    return test


def has_another_answer(places: Places, cell: Cell, belonging: Belonging) -> bool:
    """True where an output of the cell belongs to another question; one that cannot be read counts as such."""
    outputs = (
        (belonging.search, places.choice(cell)),
        (belonging.train, places.models(cell) / "status.json"),
        (belonging.scores, places.scores(cell) / "scores.json"),
    )
    return any(not belongs and _was_planned(path) for belongs, path in outputs)


def _was_planned(path: Path) -> bool:
    return path.exists() and CellStatus.NOT_PLANNED not in path.read_text(encoding="utf-8", errors="replace")
