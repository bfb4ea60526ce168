"""Predict the memory of a training process, term by term. Pure, no torch.

Bytes of one process at its peak, with b bytes per number of the body (4 in fp32, 2 in bf16) and N parameters:

Held throughout
- the interpreter with torch loaded: `Calibration.framework_gib`;
- weights: b N; bf16-mixed also keeps fp32 masters, 4 N;
- optimizer: two moments, 8 N, of AdamW and of AdaBelief; the lean optimizer's rows and columns are below a thousandth
  of N;
- the best epoch's weights: 4 N (fp32 and masters) or 2 N; none from `BEST_ON_DISK_FROM` on, where a file holds them;
- in a panel the cube, and 8 bytes for each label of the training days (`HeldPanel`). All sessions of the cube become
  resident pages of every worker that maps it, since validation reads all returns of a day and the kernel maps the pages
  around what is read. They count although workers share them and the kernel can take them back: the resident peak
  and the guard that ends a worker above its share count them too, and on a GPU they are a copy.

During one optimizer step, whichever is larger: everything that the forward pass keeps for the backward pass, or
everything that the backward pass leaves for the step. In between, the former is exchanged for the latter block by
block.
- Gradients: b N, and 4 N where masters take them over. A step of several micro-batches carries 4 N of sums through each
  of them. The lean optimizer at one micro-batch per step drops each gradient as soon as it is complete: then one
  tensor's. AdaBelief's step makes two temporary copies of one tensor at a time.
- Activations, as the family counts them (`Family.costs`); those of encoder blocks are in families/parts/activations.py.
- With activation checkpointing a block keeps its input (d) alone, and one block at a time is computed again.

In a panel a sample is a day with all its stocks, in a series it is one window. Where one day with checkpointing is too
much, the sequences of some stocks at a time are computed, and again in the backward pass. The inputs of a
batch of days are gathered session by session and then laid out stock by stock; the room of the first copy does not
serve the step. Where stocks are drawn on each training day, a step trains on them alone, after such inputs of all
stocks (`GATHERED_COPIES`).

Scoring keeps the transient activations of one block for twice as many samples, up to `scoring_batch`, always with all
stocks. Before the first step of a panel the labels of the training days are ranked (`LABELLING_BYTES`): for a small
model and a long panel that takes more than a step. What remains, arenas that the C library holds and cannot return, is
covered by the factor `Calibration.activations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from tsladder.artifacts.outcome import BatchPlan
from tsladder.families.parts.family import Activations
from tsladder.families.parts.panel_family import PanelCosts
from tsladder.models.spec import ModelSpec, PanelGeometry

GIB = 1024**3
SMALLEST_WITHOUT_CHECKPOINTING = 16
"""Fewest windows of a micro-batch without activation checkpointing: a smaller one costs more time, on CPUs and GPUs
alike, than the third that checkpointing adds."""

SCORING_BATCH = 512
"""Windows scored at once: measured best on a CPU for models of 2M parameters. A smaller micro-batch says that memory is
short, and scoring then takes twice as many windows as the micro-batch, since it keeps one block's activations instead
of all."""

SCORING_BATCH_OF_STOCKS = 1024
"""Windows scored at once in a panel, as whole days, at least one: measured best on a CPU."""

PANEL_GIB = 0.125
"""Memory in GiB that a worker of a panel holds beside the model, the panel's data and what every worker holds: the
reader of the cube, intervals of validation, and kernels that a window of one series does not need
(benchmarks/README.md)."""

GATHERED_COPIES = 3.0
"""Times that the inputs of all stocks of a micro-batch take their room beside the step where stocks are drawn: both
copies, and once more where small blocks of the step before lie in the room in which the next batch would fit. Whether
they do differs from run to run."""

LABELLING_BYTES = 81.0
"""Bytes of a day and stock while its labels are ranked, beside those that stay: ten arrays of eight bytes and a flag.
Z-scores take 46."""

BEST_ON_DISK_FROM = 100_000_000
"""Parameter count from which models keep the best epoch's weights in a file while they train: an epoch takes minutes
there, and writing the file a second."""

HEADROOM = 1.08
"""Safety factor on the predicted peak when a plan is chosen: predictions fall short by a twelfth at worst
(benchmarks/README.md), and a worker above its share is ended."""

SCATTERED = 1.4
"""Factor on activations in fp32 where a step has several micro-batches: what the first one frees in the C library's
arenas lies between gradients that stay, and the next one fits into it badly. Measured 1.2 to 1.5; not seen in bf16 or
with checkpointing."""

_MOMENT_BYTES = {"adamw": 8.0, "adabelief": 8.0, "lean": 0.01}


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """Constants of the memory model that depend on the machine: `framework_gib`, the footprint without any model, and
    `activations`, a factor on activations.

    The defaults were fitted to measured peaks (benchmarks/README.md); `tsladder plan --calibrate` fits them again.
    """

    framework_gib: float = 0.265
    activations: float = 1.1


DEFAULT_CALIBRATION = Calibration()


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldPanel:
    """Data of a panel in a worker: `cube_bytes`, size of the cube that it maps; `training_days`, sample days that it
    trains on, or more; `drawn`, stocks that are drawn on each of them, None: all."""

    cube_bytes: float = 0.0
    training_days: int = 0
    drawn: int | None = None


NO_PANEL = HeldPanel()
"""Data of a worker in a series study."""


def best_on_disk(spec: ModelSpec) -> bool:
    """Check whether the best epoch's copy of the weights is kept on disk while `spec` is trained."""
    return spec.n_params >= BEST_ON_DISK_FROM


def smaller_plan(plan: BatchPlan, stocks: int = 1) -> BatchPlan | None:
    """Return the next plan that needs less memory: half the micro-batch and twice the accumulation, then activation
    checkpointing, then, where a sample has several `stocks`, half as many of them at once.

    The lean optimizer starts with checkpointing, since a step of one micro-batch need not hold all gradients at once.
    None where nothing is left to reduce.
    """
    least = 1 if plan.activation_checkpointing else -(-SMALLEST_WITHOUT_CHECKPOINTING // stocks)
    if plan.micro_batch > least and (plan.activation_checkpointing or plan.optimizer != "lean"):
        return with_micro_batch(plan, plan.micro_batch // 2)
    if not plan.activation_checkpointing:
        return replace(plan, activation_checkpointing=True)
    at_once = stocks if plan.stocks_at_once is None else plan.stocks_at_once
    return replace(plan, stocks_at_once=-(-at_once // 2)) if at_once > 1 else None


def with_micro_batch(plan: BatchPlan, micro_batch: int) -> BatchPlan:
    """Return `plan` with another micro-batch and the same effective batch."""
    return replace(plan, micro_batch=micro_batch, accumulation_steps=-(-plan.effective_batch // micro_batch))


def predicted_memory_gib(
    spec: ModelSpec, plan: BatchPlan, calibration: Calibration = DEFAULT_CALIBRATION, *, panel: HeldPanel = NO_PANEL
) -> float:
    """Predict the peak GiB of one process that trains `spec` on `panel` under `plan`; see the module's derivation."""
    held, transient = memory_terms(spec, plan, calibration.activations, panel=panel)
    panel_gib = PANEL_GIB if isinstance(spec.geometry, PanelGeometry) else 0.0
    return (held + transient) / GIB + calibration.framework_gib + panel_gib


def memory_terms(
    spec: ModelSpec, plan: BatchPlan, activations: float, *, panel: HeldPanel = NO_PANEL
) -> tuple[float, float]:
    """Return the bytes (held throughout, of one step at most), without the framework. `activations`: factor on that
    term; `panel` as in `predicted_memory_gib`."""
    windows, body = plan.micro_batch, _body_bytes(plan)
    if plan.accumulation_steps > 1 and body == 4 and not plan.activation_checkpointing:
        activations *= SCATTERED
    drawn = None if panel.drawn is None or panel.drawn >= spec.stocks else panel.drawn
    scored = _activations(spec, plan, body)
    a_window = scored if drawn is None else _activations(spec.with_stocks(drawn), plan, body)
    kept_by_blocks = a_window.checkpointed if plan.activation_checkpointing else a_window.blocks
    kept = activations * (windows * (kept_by_blocks + a_window.edges))
    moment = activations * (windows * a_window.moment)
    arriving, complete, carried = _gradients(spec, plan)
    scoring = activations * (scoring_batch(plan.micro_batch, spec.stocks) * (scored.moment + scored.edges))
    last_block = activations * (windows * a_window.largest_block)
    if plan.optimizer == "adabelief":
        complete += 8.0 * spec.costs.largest_weight
    gathering = (1.0 if drawn is None else GATHERED_COPIES) * windows * _input_bytes(spec)
    step = carried + gathering + max(kept + moment, arriving + last_block + moment, complete)
    labels, labelling = _labels(spec, panel)
    return _held(spec, plan) + panel.cube_bytes + labels, max(step, scoring, labelling)


def resting_memory_gib(
    spec: ModelSpec, calibration: Calibration = DEFAULT_CALIBRATION, *, panel: HeldPanel = NO_PANEL
) -> float:
    """Predict the GiB that a process holds at rest when it trains `spec` with AdamW on fp32 masters, the recipe that
    holds most: its peak at micro-batch 1 with activation checkpointing."""
    plan = BatchPlan(
        micro_batch=1,
        accumulation_steps=1,
        effective_batch=1,
        precision="bf16-mixed",
        optimizer="adamw",
        activation_checkpointing=True,
    )
    return predicted_memory_gib(spec, plan, calibration, panel=panel)


def _labels(spec: ModelSpec, panel: HeldPanel) -> tuple[float, float]:
    """Return the bytes of the labels of the training days: (that stay, while they are ranked). Returns and ranks stay,
    in fp32; the ranks of several horizons are made one after the other, in fp64."""
    horizons = spec.geometry.horizons if isinstance(spec.geometry, PanelGeometry) else 0
    places = spec.stocks * panel.training_days
    return 8.0 * horizons * places, (LABELLING_BYTES + 8.0 * (horizons - 1)) * places


def _input_bytes(spec: ModelSpec) -> float:
    """Return the bytes of the inputs of a day with all its stocks: fp32, and whether the stock traded; none of a
    series, whose windows are views."""
    geometry = spec.geometry
    if not isinstance(geometry, PanelGeometry):
        return 0.0
    return spec.stocks * geometry.context_length * (4.0 * geometry.n_features + 1.0)


def _activations(spec: ModelSpec, plan: BatchPlan, body: int) -> Activations:
    if plan.stocks_at_once is None:
        return spec.costs.activations(body)
    return cast(PanelCosts, spec.costs).activations_in_chunks(body, plan.stocks_at_once)


def _body_bytes(plan: BatchPlan) -> int:
    return 4 if plan.precision == "fp32" else 2


def _held(spec: ModelSpec, plan: BatchPlan) -> float:
    masters = 4 if plan.precision == "bf16-mixed" else 0
    weights = _body_bytes(plan) + masters
    best = 0 if best_on_disk(spec) else (masters or weights)
    return spec.n_params * (weights + best + _MOMENT_BYTES[plan.optimizer])


def _gradients(spec: ModelSpec, plan: BatchPlan) -> tuple[float, float, float]:
    """Return the bytes of gradients as the backward pass ends, as the step begins, and carried between
    micro-batches."""
    body, n = _body_bytes(plan), spec.n_params
    several = plan.accumulation_steps > 1
    if plan.precision == "fp32":
        inside = plan.optimizer == "lean" and not several
        one = 4.0 * spec.costs.largest_weight
        return (one, one, 0.0) if inside else (0.0, 0.0, 4.0 * n) if several else (4.0 * n, 4.0 * n, 0.0)
    if plan.precision == "bf16-mixed":
        # Gradients are converted to fp32 tensor by tensor: at the end no bf16 gradient is left.
        return (2.0 * n, 0.0, 4.0 * n) if several else (2.0 * n, 4.0 * n, 0.0)
    if several:
        return (2.0 * n, 0.0, 4.0 * n)
    if plan.optimizer == "lean":
        one = float(body * spec.costs.largest_weight)
        return (one, one, 0.0)
    return (2.0 * n, 2.0 * n, 0.0)


def scoring_batch(micro_batch: int | None, stocks: int = 1) -> int:
    """Return how many samples, of so many `stocks` each, are scored at once where training holds `micro_batch`; None:
    memory is not known to be short."""
    most = SCORING_BATCH if stocks == 1 else max(1, SCORING_BATCH_OF_STOCKS // stocks)
    return most if micro_batch is None else min(most, 2 * micro_batch)


def candidate_plans(*, effective_batch: int, precision: str, optimizer: str, stocks: int = 1) -> Iterator[BatchPlan]:
    """Yield every plan of one recipe, in order of preference. `stocks`: those of a sample."""
    whole = BatchPlan(
        micro_batch=effective_batch,
        accumulation_steps=1,
        effective_batch=effective_batch,
        precision=precision,
        optimizer=optimizer,
        activation_checkpointing=False,
    )
    yield whole
    candidate = smaller_plan(whole, stocks)
    while candidate is not None and not candidate.activation_checkpointing:
        yield candidate
        candidate = smaller_plan(candidate, stocks)
    candidate = replace(whole, activation_checkpointing=True)
    while candidate is not None:
        yield candidate
        candidate = smaller_plan(candidate, stocks)


def plan_batch(
    spec: ModelSpec,
    *,
    effective_batch: int,
    precision: str,
    optimizer: str,
    memory_gib: float,
    calibration: Calibration = DEFAULT_CALIBRATION,
    panel: HeldPanel = NO_PANEL,
) -> BatchPlan | None:
    """Return the first of `candidate_plans` that fits `memory_gib` with `HEADROOM`; None when none does. `panel` as in
    `predicted_memory_gib`."""
    plans = candidate_plans(
        effective_batch=effective_batch, precision=precision, optimizer=optimizer, stocks=spec.stocks
    )
    return next(
        (plan for plan in plans if HEADROOM * predicted_memory_gib(spec, plan, calibration, panel=panel) <= memory_gib),
        None,
    )


def least_memory_gib(
    spec: ModelSpec,
    *,
    effective_batch: int,
    precision: str,
    optimizer: str,
    calibration: Calibration = DEFAULT_CALIBRATION,
    panel: HeldPanel = NO_PANEL,
) -> float:
    """Return the GiB that a worker needs to train `spec` under the plan that needs least, with `HEADROOM`. `panel` as
    in `predicted_memory_gib`."""
    plans = candidate_plans(
        effective_batch=effective_batch, precision=precision, optimizer=optimizer, stocks=spec.stocks
    )
    return HEADROOM * min(predicted_memory_gib(spec, plan, calibration, panel=panel) for plan in plans)
