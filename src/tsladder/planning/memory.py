"""How a model of a known shape is fitted into a known memory. Pure, no torch.

Resident bytes of one training process (numbers of 4 bytes in fp32, 2 in bf16):

- weights, gradients and AdamW's two moments: 4 + 4 + 8 bytes a parameter in fp32, and 4 more for the copy of
  the best epoch's weights; bf16-mixed adds 2 + 2 for the copies that compute and their gradients; bf16 has
  2 + 2 + 8 + 2, and 4 more where gradients are summed over micro-batches;
- activations kept for the backward pass, a token and a block: two LayerNorm inputs and outputs (4d), fused
  query/key/value (3d), attention output and its projection (2d), two dropout masks (2d) and outputs (0.5d),
  and the feed-forward's value before and after GELU (2f). Attention (4d of it) stays in fp32 on a CPU. Through
  scaled_dot_product_attention it keeps one row statistic a head and no P x P matrix on the flash path; we
  count the matrix, since not every device has that path;
- with activation checkpointing one input a block, and one block's activations at a time;
- the framework itself: an interpreter with torch loaded and its allocator's slack.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tsladder.models.spec import ModelSpec

BYTES_FP32 = 4
BYTES_BF16 = 2
BYTES_PER_PARAM_ADAMW = {"fp32": 20, "bf16-mixed": 24, "bf16": 14}
BYTES_PER_PARAM_SUMMED_BF16 = 4
GIB = 1024**3
FRAMEWORK_GIB = 0.45
MICRO_BATCH_FLOOR = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchPlan:
    """How one optimizer step is executed. None of it changes a number that a study compares."""

    micro_batch: int
    accumulation_steps: int
    effective_batch: int
    precision: str
    optimizer: str
    activation_checkpointing: bool

    def halved(self) -> BatchPlan | None:
        """Half the micro-batch, twice the accumulation; None when the micro-batch cannot be halved."""
        if self.micro_batch <= MICRO_BATCH_FLOOR:
            return None
        return with_micro_batch(self, max(MICRO_BATCH_FLOOR, self.micro_batch // 2))


def with_micro_batch(plan: BatchPlan, micro_batch: int) -> BatchPlan:
    """`plan` at another micro-batch, same effective batch."""
    return replace(plan, micro_batch=micro_batch, accumulation_steps=-(-plan.effective_batch // micro_batch))


def predicted_memory_gib(spec: ModelSpec, plan: BatchPlan) -> float:
    """Peak resident GiB of one process that trains `spec` under `plan`; see the module's derivation."""
    g = spec.geometry
    tokens = plan.micro_batch * g.n_patches
    in_fp32 = tokens * 4 * spec.d_model + plan.micro_batch * spec.n_heads * g.n_patches**2
    in_body = tokens * (7.5 * spec.d_model + 2 * spec.d_ff)
    body_bytes = BYTES_FP32 if plan.precision == "fp32" else BYTES_BF16
    block = in_fp32 * BYTES_FP32 + in_body * body_bytes
    if plan.activation_checkpointing:
        activations = spec.n_layers * tokens * spec.d_model * body_bytes + block
    else:
        activations = spec.n_layers * block
    inputs = plan.micro_batch * g.context_length * g.n_features + tokens * g.patch_len * g.n_features
    edges = tokens * spec.d_model * 4
    per_param = BYTES_PER_PARAM_ADAMW[plan.precision]
    if plan.precision == "bf16" and plan.accumulation_steps > 1:
        per_param += BYTES_PER_PARAM_SUMMED_BF16
    return (spec.n_params * per_param + activations + (inputs + edges) * BYTES_FP32) / GIB + FRAMEWORK_GIB


def resting_memory_gib(spec: ModelSpec) -> float:
    """Of a process that trains `spec`, before its first activation, in the precision that takes most."""
    return spec.n_params * max(BYTES_PER_PARAM_ADAMW.values()) / GIB + FRAMEWORK_GIB


def misfit(unfit: Sequence[ModelSpec], members: int, memory_gib: float, workers: int) -> str:
    """Why a cell of `members` architectures cannot be trained where `unfit` fit under no plan."""
    smallest = min(unfit, key=lambda spec: spec.n_params)
    return (
        f"{len(unfit)} of {members} architectures, from {smallest.n_params:,} parameters on, need more than the "
        f"{memory_gib:.1f} GiB that each of {workers} workers has, even at micro-batch 1 with activation "
        "checkpointing: take a lower budget or a machine with more memory"
    )


def plan_batch(
    spec: ModelSpec, *, effective_batch: int, precision: str, optimizer: str, memory_gib: float
) -> BatchPlan | None:
    """The largest micro-batch that fits `memory_gib`, first without, then with activation checkpointing.

    None when the model fits under no plan.
    """
    for checkpointing in (False, True):
        plan = BatchPlan(
            micro_batch=effective_batch,
            accumulation_steps=1,
            effective_batch=effective_batch,
            precision=precision,
            optimizer=optimizer,
            activation_checkpointing=checkpointing,
        )
        candidate: BatchPlan | None = plan
        while candidate is not None:
            if predicted_memory_gib(spec, candidate) <= memory_gib:
                return candidate
            candidate = candidate.halved()
    return None
