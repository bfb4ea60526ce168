"""Read the results of one cell that belong to the current question; others are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.ending import read_ending
from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.artifacts.scores import CellScores
from tsladder.artifacts.store import if_there
from tsladder.artifacts.trials import TrialRecord, latest
from tsladder.families.parts.geometry import Geometry, PanelGeometry
from tsladder.places import Places
from tsladder.planning.plans import CellPlans
from tsladder.results.file_cache import FileCache
from tsladder.results.gathering import CurrentOutputs, gather
from tsladder.search.objective import Objective
from tsladder.vocabulary import Cell, CellStatus

_ARCHITECTURE = ("d_model", "n_layers", "n_heads", "d_ff", "n_graph")
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
    """Ended trials, and ended seeds of the winner (number -> seconds), each counted once, by its last attempt.

    `last_model_seconds`: seconds of a trial's last model where it trained one per fold, otherwise of the whole trial.
    `workers`: how many trained in parallel; None before any has ended. `failure`: why the cell has failed.
    `seconds_taken_over`: the part of `trial_seconds` that another search has spent. `trials_to_take_over`: trials that
    need not be trained though they have not ended here. `best_...` describe the leading trial, as named by
    `Objective.figures`.
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
        """Seconds summed over training processes; None where none has ended."""
        return sum(self.trial_seconds) - self.seconds_taken_over + sum(self.seed_seconds.values()) or None


NO_RESULTS = CellResults(stop_reasons={}, seed_seconds={})


def read_results(places: Places, plans: CellPlans, current: CurrentOutputs, files: FileCache) -> CellResults:
    """Read the results of a cell. Raises WorkFailed for a damaged file."""
    records = gather(places, plans, current, files)
    trials = [trial for trial in latest(records.trials).values() if trial.final]
    objective = Objective(plans.search.search.objective)
    leader = objective.best(trials)
    best = objective.figures(leader)
    test = records.scores.regions["test"] if isinstance(records.scores, CellScores) else None
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
        test_loss=test.loss if test else None,
        skill=test.skill if test else None,
        failure=_failure(places, plans.cell, current, files),
        seconds_taken_over=sum(trial.outcome.seconds for trial in trials if trial.taken_from is not None),
    )


def _configuration(objective: Objective, leader: TrialRecord, plans: CellPlans) -> BestConfiguration:
    model, params = plans.search.question.model, leader.params
    return BestConfiguration(
        number=leader.number,
        objective=objective.name,
        score=objective.score(leader),
        loss=leader.val_loss,
        n_params=leader.outcome.n_params,
        architecture={name: params[name] for name in _ARCHITECTURE if name in params} | _shared_sizes(model),
        settings={name: params[name] for name in _SETTINGS if name in params},
    )


def _shared_sizes(model: Geometry) -> dict[str, int]:
    """Return the sizes that all models of a cell share: patches, and in a panel the sessions that a family reads."""
    if not isinstance(model, PanelGeometry):
        return {"patch_len": model.patch_len, "stride": model.stride}
    return {"days": model.days} if model.days else {"patch_len": model.patch_len}


def _last_model_seconds(outcome: TrainingOutcome) -> float:
    return outcome.folds[-1].seconds if outcome.folds else outcome.seconds


def _failure(places: Places, cell: Cell, current: CurrentOutputs, files: FileCache) -> str | None:
    """Return the reason of the failure, from the last stage that wrote an output of this question."""
    candidates: Sequence[tuple[bool, Path]] = (
        (current.scores, places.scores_record(cell)),
        (current.train, places.models_status(cell)),
        (current.search, places.choice(cell)),
    )
    for is_current, path in candidates:
        if is_current and path.exists():
            ending = files.read(path, read_ending)
            if ending.failed:
                return ending.words
    return None


def failed_stage(places: Places, cell: Cell) -> tuple[str, bool]:
    """Return the stage (hpo or train) that the failure of `cell` comes from, and whether a stop by temperature caused
    it."""
    search = read_ending(places.choice(cell))
    if search.failed:
        return "hpo", search.by_heat
    training = if_there(read_ending)(places.models_status(cell))
    return "train", training is not None and training.by_heat


def has_outdated_outputs(places: Places, cell: Cell, current: CurrentOutputs) -> bool:
    """Check whether an output of the cell belongs to another question; one that cannot be read counts as such."""
    outputs = (
        (current.search, places.choice(cell)),
        (current.train, places.models_status(cell)),
        (current.scores, places.scores_record(cell)),
    )
    return any(not is_current and _was_planned(path) for is_current, path in outputs)


def _was_planned(path: Path) -> bool:
    return path.exists() and CellStatus.NOT_PLANNED not in path.read_text(encoding="utf-8", errors="replace")
