"""How long training takes, term by term. Pure, no torch.

Seconds of one optimizer step on t threads (n windows an effective batch, p patches a window, m micro-batches, L blocks
of width d and feed-forward width f, N parameters, b bytes a number of the body):

- products: the forward pass multiplies and adds 2 n p (L (4 d^2 + 2 d f) + d x inputs of a patch) times outside and
  4 n p^2 L d inside the attention; the backward pass takes twice that, checkpointing one forward pass more. Divided by
  the rate of the precision and by t;
- memory: elementwise work (norms, residuals, dropout, GELU, softmax) moves about 24 d + 8 f + 6 h p numbers a token and
  block, of b bytes, over the bandwidth of t threads;
- calls: what each block costs a micro-batch whatever its size, once more with checkpointing;
- optimizer: N values under the lean one, which is no fused operation, divided by t;
- a constant.

The costs in `Rates` were fitted by non-negative least squares to recorded trials and benchmarks of one machine without
AMX (benchmarks/README.md, Time). `tsladder plan --calibrate` measures the factor that another takes of them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.models.spec import ModelSpec
from tsladder.params import Params
from tsladder.planning.memory import BatchPlan, scoring_batch

BEST_EPOCH_SHARE = 0.2
"""Where a run has its best epoch, as a share of the epochs allowed: the mean of the recorded default study (4.2 of 20).
An expectation and no limit; a run with patience ends so many epochs later."""

SCORING_SHARE = 0.41
"""Of a step's time on as many windows, without its optimizer: a third of the work, at a little less speed."""

START_SECONDS = 0.1
"""From the start of a worker to its first step, of a small model."""

CELL_SECONDS = 10.0
"""What a cell's three stages take before and between trainings, most of it imports."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Seconds: a product (a multiplication and an addition are two) in fp32 and in bf16, a byte moved, a call of a
    block, a value stepped by the lean optimizer, a step. What AdamW takes could not be told from the rest. `factor`: of
    all of them on this machine."""

    fp32_product: float = 7.4e-12
    bf16_product: float = 1.5e-11
    byte: float = 3.0e-10
    call: float = 1.7e-3
    lean_value: float = 6.3e-8
    step: float = 1.9e-3
    factor: float = 1.0

    def seconds(self, terms: Mapping[str, float]) -> float:
        """Of `terms`, as `step_terms` gives them."""
        return self.factor * sum(float(getattr(self, name)) * amount for name, amount in terms.items())


DEFAULT_RATES = Rates()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLength:
    """What a training sees: windows of training and of validation, the epochs allowed and the patience (None: off).

    `looks_first`: its loss is no sum over windows, so a batch in parts takes one forward pass more.
    """

    train_windows: int
    validation_windows: int
    epochs: float
    patience: int | None
    looks_first: bool = False

    @property
    def expected_epochs(self) -> float:
        if self.patience is None:
            return self.epochs
        return min(self.epochs, BEST_EPOCH_SHARE * self.epochs + self.patience)


def run_length(params: Params, *, train_windows: int, validation_windows: int) -> RunLength:
    """Of any training of the study on so many windows."""
    preset = params.search.chosen
    return RunLength(
        train_windows=train_windows,
        validation_windows=validation_windows,
        epochs=statistics.mean(preset.space.epochs.choices),
        patience=preset.patience if params.training.patience == "preset" else params.training.patience,
        looks_first=params.training.loss == "soft_auc",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """Seconds of one training: an optimizer step, an epoch with its validation, the run as expected and at most."""

    step: float
    epoch: float
    expected: float
    at_most: float


def forecast(spec: ModelSpec, plan: BatchPlan, threads: int, run: RunLength, rates: Rates = DEFAULT_RATES) -> Forecast:
    """Of `spec` trained under `plan` in one process."""
    step = rates.seconds(step_terms(spec, plan, threads, looks_first=run.looks_first))
    scoring = rates.seconds(scoring_terms(spec, plan, threads, run.validation_windows))
    epoch = math.ceil(run.train_windows / plan.effective_batch) * step + scoring
    start = rates.factor * START_SECONDS
    return Forecast(
        step=step, epoch=epoch, expected=start + run.expected_epochs * epoch, at_most=start + run.epochs * epoch
    )


def products(spec: ModelSpec, windows: int) -> float:
    """Multiplications and additions of the forward pass of `windows` windows."""
    g = spec.geometry
    tokens = windows * g.n_patches
    d, f = spec.d_model, spec.d_ff
    outside = spec.n_layers * (4 * d * d + 2 * d * f) + d * g.patch_len * g.n_features
    return 2.0 * tokens * outside + 4.0 * tokens * g.n_patches * spec.n_layers * d


def moved(spec: ModelSpec, plan: BatchPlan, windows: int) -> float:
    """Bytes of elementwise work of the forward and backward pass of `windows` windows."""
    a_token = 24 * spec.d_model + 8 * spec.d_ff + 6 * spec.n_heads * spec.geometry.n_patches
    return float(windows * spec.geometry.n_patches * spec.n_layers * a_token * (4 if plan.precision == "fp32" else 2))


def step_terms(spec: ModelSpec, plan: BatchPlan, threads: int, *, looks_first: bool = False) -> dict[str, float]:
    """Field of `Rates` -> how many of its unit one optimizer step takes."""
    passes = 3 + int(plan.activation_checkpointing) + int(looks_first and plan.accumulation_steps > 1)
    flops = passes * products(spec, plan.effective_batch) / threads
    whole = plan.precision == "fp32"
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": moved(spec, plan, plan.effective_batch) * passes / 3 / threads,
        "call": spec.n_layers * plan.accumulation_steps * passes / 3,
        "lean_value": spec.n_params / threads if plan.optimizer == "lean" else 0.0,
        "step": 1.0,
    }


def scoring_terms(spec: ModelSpec, plan: BatchPlan, threads: int, windows: int) -> dict[str, float]:
    """The same of scoring `windows` windows."""
    flops = 3 * SCORING_SHARE * products(spec, windows) / threads
    whole = plan.precision == "fp32"
    return {
        "fp32_product": flops if whole else 0.0,
        "bf16_product": 0.0 if whole else flops,
        "byte": SCORING_SHARE * moved(spec, plan, windows) / threads,
        "call": SCORING_SHARE * spec.n_layers * math.ceil(windows / scoring_batch(plan.micro_batch)),
    }
