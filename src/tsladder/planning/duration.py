"""How long training takes, term by term. Pure, no torch.

Seconds of one optimizer step on t threads (n windows an effective batch, p tokens a window, m micro-batches, L blocks
of width d and feed-forward width f, N parameters, b bytes a number of the body):

- products: the forward pass multiplies and adds 2 n p (L (4 d^2 + 2 d f) + d x inputs of a token) times outside and
  4 n p^2 L d inside the attention; the backward pass takes twice that, checkpointing one forward pass more. Divided by
  the rate of the precision and by t. ProbSparse attention of q queries takes 4 n p q L d, and half of p^2's for its
  measure; a distilling 6 n p d^2;
- memory: elementwise work (norms, residuals, dropout, GELU, softmax) moves about 24 d + 8 f + 6 h p numbers a token and
  block, of b bytes, over the bandwidth of t threads; with ProbSparse attention 6 h q and 4 h p for its measure, and a
  distilling 24 d a token;
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

from tsladder.models.spec import ModelSpec
from tsladder.models.stem import CONVOLVED
from tsladder.params import Params
from tsladder.planning.memory import BatchPlan, scoring_batch
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


def products(spec: ModelSpec, windows: int) -> float:
    """Multiplications and additions of the forward pass of `windows` windows."""
    d, f, stem = spec.d_model, spec.d_ff, spec.stem
    total = 2.0 * windows * spec.geometry.n_tokens * d * stem.inputs
    for stage in stem.stages:
        tokens = windows * stage.tokens
        measure = 2.0 * tokens * stage.tokens * d if stage.sparse else 0.0
        attention = 4.0 * tokens * stage.queries * d + measure
        total += stage.n_blocks * (2.0 * tokens * (4 * d * d + 2 * d * f) + attention)
    return total + sum(2.0 * windows * stage.tokens * CONVOLVED * d * d for stage in stem.stages[:-1])


def moved(spec: ModelSpec, plan: BatchPlan, windows: int) -> float:
    """Bytes of elementwise work of the forward and backward pass of `windows` windows."""
    d, stages = spec.d_model, spec.stem.stages
    numbers = 24 * d * sum(stage.tokens for stage in stages[:-1])
    for stage in stages:
        attention = 6 * stage.queries + (4 * stage.tokens if stage.sparse else 0)
        numbers += stage.n_blocks * stage.tokens * (24 * d + 8 * spec.d_ff + spec.n_heads * attention)
    return float(windows * numbers * (4 if plan.precision == "fp32" else 2))


def step_terms(spec: ModelSpec, plan: BatchPlan, threads: float, *, looks_first: bool = False) -> dict[str, float]:
    """Field of `Rates` -> how many of its unit one optimizer step takes."""
    passes = 3 + int(plan.activation_checkpointing) + int(looks_first and plan.accumulation_steps > 1)
    flops = passes * products(spec, plan.effective_batch) / threads
    whole, lean = plan.precision == "fp32", plan.optimizer == "lean"
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": moved(spec, plan, plan.effective_batch) * passes / 3 / threads,
        "call": spec.n_layers * plan.accumulation_steps * passes / 3,
        "adamw_value": 0.0 if lean else spec.n_params / threads,
        "lean_value": spec.n_params / threads if lean else 0.0,
        "lean_call": float(spec.n_layers) if lean else 0.0,
        "step": 1.0,
    }


def scoring_terms(spec: ModelSpec, plan: BatchPlan, threads: float, windows: int) -> dict[str, float]:
    """The same of scoring `windows` windows."""
    flops = 3 * SCORING_SHARE * products(spec, windows) / threads
    whole = plan.precision == "fp32"
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": SCORING_SHARE * moved(spec, plan, windows) / threads,
        "call": SCORING_SHARE * spec.n_layers * math.ceil(windows / scoring_batch(plan.micro_batch)),
    }
