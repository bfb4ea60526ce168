"""Forecast training time, term by term. Pure, no torch.

Seconds of one optimizer step on t threads are the sum of the terms below. The family counts what one window takes
(`Family.costs`; for encoder blocks: families/parts/work.py).

- products: multiplications and additions of the forward pass; the backward pass takes twice as many, activation
  checkpointing one forward pass more. Divided by the rate of the precision and by t;
- memory: the numbers that elementwise operations move, in the bytes of the body, over the bandwidth of t threads;
- calls: the fixed cost of each block per micro-batch, whatever its size, and a third more with checkpointing;
- optimizer: N values with any optimizer, divided by t; AdaBelief's cost as much as `ADABELIEF_VALUES` of AdamW's, and
  the lean one also has calls of its own in each block;
- a constant.

The default costs in `Rates` were fitted by non-negative least squares to recorded trials and benchmarks of one machine
without AMX (benchmarks/README.md, Time). `tsladder plan --calibrate` measures one factor on these costs for another
processor, and on a GPU every cost by itself. Several trainings on one GPU take turns: t is then 1 over their number.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tsladder.artifacts.outcome import BatchPlan
from tsladder.families.parts.panel_family import PanelCosts
from tsladder.models.spec import ModelSpec
from tsladder.params import AnyParams
from tsladder.planning.memory import scoring_batch

BEST_EPOCH_SHARE = 0.2
"""Expected position of a run's best epoch, as a share of the epochs allowed: the mean of the recorded default study
(4.2 of 20). It is an expectation and no limit; a run with patience ends that many epochs later."""

SCORING_SHARE = 0.41
"""Time of scoring as a share of a training step's time on as many windows, without the optimizer: a third of the work,
at a slightly lower speed."""

ADABELIEF_VALUES = 4.0
"""Time of stepping a value by AdaBelief, in those of AdamW, which torch steps in one pass over memory: measured 4.3 at
200,000 values and 3.7 at 2,000,000 on one thread."""

CELL_SECONDS = 10.0
"""Seconds that a cell's three stages take before and between trainings, most of them for imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Costs in seconds: of a product (a multiplication and an addition are two) in fp32 and in bf16, a byte moved, a
    call of a block, a value stepped by AdamW or by the lean optimizer, the lean optimizer's calls in a block, and a
    step. On a CPU the costs of AdamW and of the lean optimizer's calls could not be separated from the others. `start`:
    from the start of a worker to its first step, for a small model. `factor`: multiplies all of them on this
    machine."""

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
        """Return the seconds of `terms`, as `step_terms` gives them."""
        return self.factor * sum(float(getattr(self, name)) * amount for name, amount in terms.items())


DEFAULT_RATES = Rates()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLength:
    """Length of a training: its training and validation windows, the epochs allowed and the patience (None: off).

    `phases`: epochs of each phase, each with patience of its own; empty for a training without phases.
    `earlier`: lengths of the other models of a trial, one per fold, where the search walks forward.
    `extra_forward_pass`: the loss is no sum over windows, so a batch of several micro-batches takes one forward pass
    more. `stocks_per_day`: in a panel, the stocks that are drawn on each training day; None: all.
    """

    train_windows: int
    validation_windows: int
    epochs: float
    patience: int | None
    earlier: tuple[RunLength, ...] = ()
    extra_forward_pass: bool = False
    phases: tuple[int, ...] = ()
    stocks_per_day: int | None = None

    @property
    def expected_epochs(self) -> float:
        patience = self.patience
        if patience is None:
            return self.epochs
        return sum(min(epochs, BEST_EPOCH_SHARE * epochs + patience) for epochs in self.phases or (self.epochs,))


def run_length(params: AnyParams, folds: Sequence[tuple[int, int]]) -> RunLength:
    """Return the length of any training of the study. `folds`: training and validation windows of every fold, the last
    one last."""
    preset = params.search.chosen
    *earlier, last = (
        RunLength(
            train_windows=train_windows,
            validation_windows=validation_windows,
            epochs=statistics.mean(preset.space.epochs.choices),
            patience=preset.patience if params.training.patience == "preset" else params.training.patience,
            extra_forward_pass=params.training.loss == "soft_auc",
        )
        for train_windows, validation_windows in folds
    )
    return dataclasses.replace(last, earlier=tuple(earlier))


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Seconds of one training: an optimizer step, an epoch with its validation, the run as expected and at most; and of
    a trial of the search, which is one such run, or one per fold."""

    step: float
    epoch: float
    expected: float
    at_most: float
    trial_expected: float
    trial_at_most: float


def forecast(
    spec: ModelSpec, plan: BatchPlan, threads: float, run: RunLength, rates: Rates = DEFAULT_RATES
) -> Forecast:
    """Forecast the training of `spec` under `plan` in one process, on `threads` threads or on that share of a GPU."""
    trained = spec if run.stocks_per_day is None else spec.with_stocks(min(run.stocks_per_day, spec.stocks))
    step = rates.seconds(step_terms(trained, plan, threads, extra_forward_pass=run.extra_forward_pass))

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


def step_terms(
    spec: ModelSpec, plan: BatchPlan, threads: float, *, extra_forward_pass: bool = False
) -> dict[str, float]:
    """Return how many units of each cost one optimizer step takes, by field of `Rates`."""
    passes = 3 + int(plan.activation_checkpointing) + int(extra_forward_pass and plan.accumulation_steps > 1)
    # Sequences of some stocks at a time pass once more, on the way to what each of their blocks computes again.
    passes += int(plan.stocks_at_once is not None)
    costs, windows = spec.costs, plan.effective_batch
    flops = passes * (windows * costs.products) / threads
    whole, lean = plan.precision == "fp32", plan.optimizer == "lean"
    per_value = ADABELIEF_VALUES if plan.optimizer == "adabelief" else 1.0
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": windows * costs.moved * (4 if whole else 2) * passes / 3 / threads,
        "call": _calls(spec, plan) * plan.accumulation_steps * passes / 3,
        "adamw_value": 0.0 if lean else per_value * spec.n_params / threads,
        "lean_value": spec.n_params / threads if lean else 0.0,
        "lean_call": float(costs.calls) if lean else 0.0,
        "step": 1.0,
    }


def _calls(spec: ModelSpec, plan: BatchPlan) -> int:
    if plan.stocks_at_once is None:
        return spec.costs.calls
    return cast(PanelCosts, spec.costs).calls_in_chunks(plan.stocks_at_once)


def scoring_terms(spec: ModelSpec, plan: BatchPlan, threads: float, windows: int) -> dict[str, float]:
    """Return how many units of each cost it takes to score `windows` windows, by field of `Rates`."""
    costs, whole = spec.costs, plan.precision == "fp32"
    flops = 3 * SCORING_SHARE * (windows * costs.products) / threads
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": SCORING_SHARE * (windows * costs.moved * (4 if whole else 2)) / threads,
        "call": SCORING_SHARE * costs.calls * math.ceil(windows / scoring_batch(plan.micro_batch, spec.stocks)),
    }
