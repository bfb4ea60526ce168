"""Comparable trials of one search: each with its score, shape and settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.trials import TrialRecord
from tsladder.report.facts import CellFacts

SETTINGS = ("learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs", "effective_batch")
Shape = tuple[int, int]
"""(d_model, n_layers)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteTrial:
    """One complete trial. `score`: higher is better. `coordinates`: its coordinates in the search space, by name."""

    number: int
    score: float
    shape: Shape
    coordinates: Mapping[str, float]

    @property
    def depth_to_width(self) -> float:
        d_model, n_layers = self.shape
        return n_layers / d_model


@dataclass(frozen=True, kw_only=True, slots=True)
class Cohort:
    """The complete trials of a cell in their order, and the number of trials left out: pruned ones, whose loss is that
    of a shorter training, and failed ones, which have none."""

    trials: tuple[CompleteTrial, ...]
    left_out: int

    @property
    def best_first(self) -> tuple[CompleteTrial, ...]:
        """Trials from best to worst, the earlier of equal ones first, as the search chooses."""
        return tuple(sorted(self.trials, key=lambda trial: (-trial.score, trial.number)))


def cohort_of(cell: CellFacts, objective: str) -> Cohort:
    """Return the comparable trials of `cell`; `objective` is what the search optimised, val_loss or val_auc."""
    last = {trial.number: trial for trial in cell.search.trials}
    complete = [tried for _, trial in sorted(last.items()) if (tried := _complete_trial(trial, objective)) is not None]
    return Cohort(trials=tuple(complete), left_out=len(last) - len(complete))


def _complete_trial(trial: TrialRecord, objective: str) -> CompleteTrial | None:
    figure = trial.val_auc if objective == "val_auc" else trial.val_loss
    if trial.val_loss is None or figure is None or trial.shape is None:
        return None
    score = figure if objective == "val_auc" else -figure
    return CompleteTrial(number=trial.number, score=score, shape=trial.shape, coordinates=_coordinates(trial))


def _coordinates(trial: TrialRecord) -> dict[str, float]:
    given = trial.params
    d_model, n_layers = given["d_model"], given["n_layers"]
    found = {"depth_to_width": n_layers / d_model}
    if given.get("n_heads"):
        found["n_heads"] = float(given["n_heads"])
    if given.get("d_ff"):
        found["d_ff_ratio"] = given["d_ff"] / d_model
    return found | {name: float(given[name]) for name in SETTINGS if given.get(name) is not None}
