"""Outcome of a training run and its cost: the record that a worker returns and that trials and seeds keep."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from tsladder.artifacts.heat import NO_HEAT, Heat, ThermalLevel
from tsladder.artifacts.record import OmitNone, json_of
from tsladder.artifacts.validation_figures import ValidationFigures, figures_from_json
from tsladder.vocabulary import StopReason


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPlan:
    """Plan of how one optimizer step is executed. None of its fields changes a number that a study compares.

    `stocks_at_once`: in a panel, the stocks of a day whose sequences are computed at once; None: all.
    """

    micro_batch: int
    accumulation_steps: int
    effective_batch: int
    precision: str
    optimizer: str
    activation_checkpointing: bool
    stocks_at_once: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name, `stocks_at_once` only where it is not None."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name != "stocks_at_once" or value is not None}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> BatchPlan:
        """Build the plan whose fields are among the keys of `record`."""
        names = (field.name for field in dataclasses.fields(cls))
        return cls(**{name: record[name] for name in names if name != "stocks_at_once" or name in record})


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltOptimizer:
    """Optimizer that stepped a model, as read back from the built object: the name of its class and its settings, for
    example betas, eps, weight_decay, decoupled and rectify."""

    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochOfPhase:
    """Place of an epoch in the phase `name` of its training: the `epoch`-th, counted from 1, of at most `epochs`."""

    name: str
    epoch: int
    epochs: int

    def __str__(self) -> str:
        return f"phase {self.name}, epoch {self.epoch} of {self.epochs}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseOutcome:
    """Outcome of one phase of a training. `active`: parts of the model that were computed, of those that its family can
    switch off. `best`: lowest validation loss of its epochs; None where it had none."""

    name: str
    active: tuple[str, ...]
    epochs_run: int
    best: float | None

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PhaseOutcome:
        return cls(**{**record, "active": tuple(record["active"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRecord:
    """Record of one finished epoch, `steps` optimizer steps into the run. `train_loss` is the mean over the epoch, with
    dropout, of the loss that `val_loss` reports, whatever is trained on. `val_auc` is set where it is monitored, else
    None.

    `train_seconds`: time of the optimizer steps; `seconds`: time of the whole epoch. `phase` is None in a training
    without phases.
    """

    epoch: int
    steps: int
    train_loss: float
    val_loss: float
    train_seconds: float
    seconds: float
    val_auc: float | None = None
    phase: Annotated[EpochOfPhase | None, OmitNone()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldOutcome:
    """Outcome of the model of one walk-forward fold; its fields are as in `TrainingOutcome`.

    `seconds`: total of the epochs that were completed.
    """

    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    epochs_run: int
    seconds: float
    phases: Annotated[tuple[PhaseOutcome, ...] | None, OmitNone()] = None
    best_phase: Annotated[str | None, OmitNone()] = None

    @property
    def scored(self) -> bool:
        return _scored(self.stop_reason, self.best_val_loss)

    def to_json(self) -> dict[str, Any]:
        return json_of(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> FoldOutcome:
        return cls(**{**record, "stop_reason": StopReason(record["stop_reason"]), "phases": _phases(record)})


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingOutcome:
    """Outcome of a training run.

    `best_val_loss`, its standard error over windows `val_loss_se` and `val_auc` belong to the restored weights of
    `best_epoch`. The loss is the log loss for classes; for returns it is Huber's loss in standard deviations of the
    training labels, and there is no AUC. A run without a usable validation loss has None there, never a number.

    `curve` holds (optimizer steps so far, validation loss) after each epoch, `train_losses` the training losses and
    `val_aucs` the AUCs after each epoch; `val_aucs` is empty if AUC was not monitored. `seconds` is wall-clock time,
    `train_seconds` the part of it that the optimizer steps of completed epochs took; both include the pauses in `heat`.

    In walk-forward training the losses are means over the `folds`, `curve` holds the epochs of all folds one after the
    other, and `best_epoch` is None, since each fold has its own. `folds` is empty if a single model was trained.

    `resumed_at`: optimizer steps that came from a checkpoint of an earlier process, 0 if training began afresh. `curve`
    and `seconds` include them.

    `optimizer` and `optimizer_settings`: class and settings of the optimizer as read back from the built object
    (`BuiltOptimizer`); None where none was built, and in records of older versions.

    `phases`: the phases of the training, in their order, and `best_phase` that of `best_epoch`; None in a training
    without phases, and in walk-forward training, where each fold has its own.

    `validation`: figures of a ranking by the weights of `best_epoch` on validation; None in a series study, where no
    model was scored, and where several folds were trained.
    """

    stop_reason: StopReason
    best_val_loss: float | None
    val_loss_se: float | None
    best_epoch: int | None
    val_auc: float | None
    n_params: int | None
    curve: tuple[tuple[int, float], ...]
    train_losses: tuple[float, ...]
    val_aucs: tuple[float, ...] = ()
    plan: BatchPlan
    retries: int
    peak_memory_gib: float | None
    seconds: float
    train_seconds: float
    message: str = ""
    heat: Heat = NO_HEAT
    folds: tuple[FoldOutcome, ...] = ()
    resumed_at: int = 0
    optimizer: str | None = None
    optimizer_settings: Mapping[str, Any] | None = None
    phases: tuple[PhaseOutcome, ...] | None = None
    best_phase: str | None = None
    validation: ValidationFigures | None = None

    @property
    def epochs_run(self) -> int:
        return len(self.curve)

    @property
    def train_loss(self) -> float | None:
        """Training loss of the last epoch; None before the first one."""
        return self.train_losses[-1] if self.train_losses else None

    @property
    def scored(self) -> bool:
        return _scored(self.stop_reason, self.best_val_loss)

    def first_epochs(self, count: int) -> TrainingOutcome:
        """Return this outcome with only the first `count` epochs of its curves."""
        return dataclasses.replace(
            self,
            curve=self.curve[:count],
            train_losses=self.train_losses[:count],
            val_aucs=self.val_aucs[:count],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the outcome's keys in a line of trials.jsonl, where the batch plan is among the trial's params."""
        values = {name: getattr(self, name) for name in _SAME_IN_JSON}
        values = {name: value for name, value in values.items() if value is not None or name not in _LEFT_OUT_IF_NONE}
        if self.validation is not None:
            values["validation"] = dataclasses.asdict(self.validation)
        folds = [fold.to_json() for fold in self.folds]
        phases = {} if self.phases is None else {"phases": [json_of(phase) for phase in self.phases]}
        return {**values, **heat_json(self.heat), "epochs_run": self.epochs_run, "folds": folds, **phases}

    @classmethod
    def from_json(cls, record: Mapping[str, Any], plan: BatchPlan) -> TrainingOutcome:
        """Build the outcome from a line of trials.jsonl. Raises KeyError, ValueError or TypeError if the line lacks
        one."""
        values = {name: record[name] for name in _SAME_IN_JSON if name in record or name not in _MAY_BE_MISSING}
        values["stop_reason"] = StopReason(values["stop_reason"])
        values["curve"] = tuple((int(step), float(loss)) for step, loss in values["curve"])
        values["train_losses"] = tuple(float(loss) for loss in values["train_losses"])
        values["val_aucs"] = tuple(float(auc) for auc in values.get("val_aucs", ()))
        folds = tuple(FoldOutcome.from_json(fold) for fold in record.get("folds", ()))
        validation = figures_from_json(record.get("validation"))
        return cls(
            **values,
            plan=plan,
            heat=heat_from_json(record),
            folds=folds,
            validation=validation,
            phases=_phases(record),
        )


def _phases(record: Mapping[str, Any]) -> tuple[PhaseOutcome, ...] | None:
    """Return the phases in the JSON of a training or of a fold; None where it has none."""
    listed = record.get("phases")
    return None if listed is None else tuple(PhaseOutcome.from_json(phase) for phase in listed)


_SAME_IN_JSON = tuple(
    field.name
    for field in dataclasses.fields(TrainingOutcome)
    if field.name not in ("plan", "heat", "folds", "phases", "validation")
)
_LEFT_OUT_IF_NONE = ("optimizer", "optimizer_settings", "best_phase")
_MAY_BE_MISSING = ("val_aucs", "resumed_at", *_LEFT_OUT_IF_NONE)
"""Keys that records of older versions lack."""


def heat_json(heat: Heat) -> dict[str, Any]:
    """Return the keys of `heat` in the record of a training run."""
    return {
        "celsius": heat.max_celsius,
        "thermal": heat.level,
        "pauses": heat.pauses,
        "paused_seconds": heat.paused_seconds,
    }


def heat_from_json(record: Mapping[str, Any]) -> Heat:
    """Build a `Heat` from a record; the inverse of `heat_json`."""
    return Heat(
        max_celsius=record["celsius"],
        level=ThermalLevel(record["thermal"]),
        pauses=record["pauses"],
        paused_seconds=record["paused_seconds"],
    )


def _scored(stop_reason: StopReason, best_val_loss: float | None) -> bool:
    return stop_reason.scored and best_val_loss is not None and math.isfinite(best_val_loss)
