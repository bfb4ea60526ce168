"""How long training takes, term by term. Pure, no torch.

Seconds of one optimizer step on t threads. The family says what one window takes (`Family.costs`; of encoder blocks:
families/parts/work.py):

- products: what the forward pass multiplies and adds; the backward pass takes twice that, checkpointing one forward
  pass more. Divided by the rate of the precision and by t;
- memory: the numbers that elementwise work moves, in the bytes of the body, over the bandwidth of t threads;
- calls: what each block costs a micro-batch whatever its size, once more with checkpointing;
- optimizer: N values under either, divided by t; the lean one also has calls of its own in each block;
- a constant.

The default costs in `Rates` were fitted by non-negative least squares to recorded trials and benchmarks of one machine
without AMX (benchmarks/README.md, Time). `tsladder plan --calibrate` measures the factor that another processor takes
of them, and on a GPU every cost by itself. Several trainings on one GPU have it in turns: t is 1 over their number.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.outcome import BatchPlan
from tsladder.models.spec import ModelSpec
from tsladder.params import Params
from tsladder.planning.memory import scoring_batch
from tsladder.vocabulary import Region

BEST_EPOCH_SHARE = 0.2
"""Where a run has its best epoch, as a share of the epochs allowed: the mean of the recorded default study (4.2 of 20).
An expectation and no limit; a run with patience ends so many epochs later."""

SCORING_SHARE = 0.41
"""Of a step's time on as many windows, without its optimizer: a third of the work, at a little less speed."""

CELL_SECONDS = 10.0
"""What a cell's three stages take before and between trainings, most of it imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Seconds: a product (a multiplication and an addition are two) in fp32 and in bf16, a byte moved, a call of a
    block, a value stepped by AdamW or by the lean optimizer, a block's calls of the latter, a step. On a CPU what AdamW
    takes, and the lean optimizer's calls, could not be told from the rest. `start`: from the start of a worker to its
    first step, of a small model. `factor`: of all of them on this machine."""

    fp32_product: float = 7.4e-12
    bf16_product: float = 1.5e-11
    byte: float = 3.0e-10
    call: float = 1.7e-3
    adamw_value: float = 0.0
    lean_value: float = 6.3e-8
    lean_call: float = 0.0
    step: float = 1.9e-3
    start: float = 0.1
    factor: float = 1.0

    def seconds(self, terms: Mapping[str, float]) -> float:
        """Of `terms`, as `step_terms` gives them."""
        return self.factor * sum(float(getattr(self, name)) * amount for name, amount in terms.items())


DEFAULT_RATES = Rates()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLength:
    """What a training sees: windows of training and of validation, the epochs allowed and the patience (None: off).

    `earlier`: what the other models of a trial see, one a fold, where the search walks forward.
    `looks_first`: its loss is no sum over windows, so a batch in parts takes one forward pass more.
    """

    train_windows: int
    validation_windows: int
    epochs: float
    patience: int | None
    earlier: tuple[RunLength, ...] = ()
    looks_first: bool = False

    @property
    def expected_epochs(self) -> float:
        if self.patience is None:
            return self.epochs
        return min(self.epochs, BEST_EPOCH_SHARE * self.epochs + self.patience)


def run_length(params: Params, folds: Sequence[tuple[int, int]]) -> RunLength:
    """Of any training of the study, from the windows of training and of validation of every fold, the last one last."""
    preset = params.search.chosen
    *earlier, last = (
        RunLength(
            train_windows=train_windows,
            validation_windows=validation_windows,
            epochs=statistics.mean(preset.space.epochs.choices),
            patience=preset.patience if params.training.patience == "preset" else params.training.patience,
            looks_first=params.training.loss == "soft_auc",
        )
        for train_windows, validation_windows in folds
    )
    return dataclasses.replace(last, earlier=tuple(earlier))


def built_run_length(params: Params, splits_record: Mapping[str, Any]) -> RunLength:
    """The same from a splits file."""
    folds = splits_record.get("folds", [splits_record["counts"]])
    return run_length(params, [(fold[Region.TRAIN]["windows"], fold[Region.VALIDATION]["windows"]) for fold in folds])


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Seconds of one training: an optimizer step, an epoch with its validation, the run as expected and at most; and of
    a trial of the search, which is one such run, or one a fold."""

    step: float
    epoch: float
    expected: float
    at_most: float
    trial_expected: float
    trial_at_most: float


def forecast(
    spec: ModelSpec, plan: BatchPlan, threads: float, run: RunLength, rates: Rates = DEFAULT_RATES
) -> Forecast:
    """Of `spec` trained under `plan` in one process, on `threads` threads or on that part of a GPU."""
    step = rates.seconds(step_terms(spec, plan, threads, looks_first=run.looks_first))

    def epoch_seconds(one: RunLength) -> float:
        scoring = rates.seconds(scoring_terms(spec, plan, threads, one.validation_windows))
        return math.ceil(one.train_windows / plan.effective_batch) * step + scoring

    epoch = epoch_seconds(run)
    start = rates.factor * rates.start
    expected, at_most = start + run.expected_epochs * epoch, start + run.epochs * epoch
    # All folds are trained in one process.
    before = [(fold, epoch_seconds(fold)) for fold in run.earlier]
    return Forecast(
        step=step,
        epoch=epoch,
        expected=expected,
        at_most=at_most,
        trial_expected=expected + sum(fold.expected_epochs * seconds for fold, seconds in before),
        trial_at_most=at_most + sum(fold.epochs * seconds for fold, seconds in before),
    )


def step_terms(spec: ModelSpec, plan: BatchPlan, threads: float, *, looks_first: bool = False) -> dict[str, float]:
    """Field of `Rates` -> how many of its unit one optimizer step takes."""
    passes = 3 + int(plan.activation_checkpointing) + int(looks_first and plan.accumulation_steps > 1)
    costs, windows = spec.costs, plan.effective_batch
    flops = passes * (windows * costs.products) / threads
    whole, lean = plan.precision == "fp32", plan.optimizer == "lean"
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": windows * costs.moved * (4 if whole else 2) * passes / 3 / threads,
        "call": costs.calls * plan.accumulation_steps * passes / 3,
        "adamw_value": 0.0 if lean else spec.n_params / threads,
        "lean_value": spec.n_params / threads if lean else 0.0,
        "lean_call": float(costs.calls) if lean else 0.0,
        "step": 1.0,
    }


def scoring_terms(spec: ModelSpec, plan: BatchPlan, threads: float, windows: int) -> dict[str, float]:
    """The same of scoring `windows` windows."""
    costs, whole = spec.costs, plan.precision == "fp32"
    flops = 3 * SCORING_SHARE * (windows * costs.products) / threads
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": SCORING_SHARE * (windows * costs.moved * (4 if whole else 2)) / threads,
        "call": SCORING_SHARE * costs.calls * math.ceil(windows / scoring_batch(plan.micro_batch)),
    }
