"""Predicted against measured peak memory of a training process, over architectures, precisions, optimizers and plans.

    python benchmarks/memory.py [--family NAME] [--device cuda] [--every 3] [--out FILE.json]

Every pair is trained for two steps in a worker of its own, as a trial would be, and its peak resident size, or that of
the allocator on a GPU, is held against what `tsladder plan` predicts without calibration. Needs torch and numpy only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from tsladder.artifacts.outcome import BatchPlan
from tsladder.execution.probe import probe
from tsladder.families import names
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.machine import survey
from tsladder.planning.memory import memory_terms, predicted_memory_gib, with_micro_batch

FEATURES = {"itransformer": 205}
"""Family -> columns: the tier a200 where they are the tokens; others: the tier a25."""

ADAMW32 = ("fp32", "adamw")
MIXED = ("bf16-mixed", "adamw")
BF16 = ("bf16", "adamw")
LEAN = ("bf16", "lean")
LEAN32 = ("fp32", "lean")

Pair = tuple[tuple[int, int, int, int], tuple[str, str], int, bool]
"""(d_model, n_layers, n_heads, d_ff / d_model), (precision, optimizer), micro-batch, checkpointing."""

PATCHTST: tuple[Pair, ...] = (
    ((28, 4, 4, 4), ADAMW32, 256, False),
    ((64, 1, 4, 4), ADAMW32, 256, False),
    ((28, 16, 4, 4), ADAMW32, 256, False),
    ((96, 2, 8, 4), ADAMW32, 256, False),
    ((64, 16, 32, 4), ADAMW32, 256, False),
    ((192, 2, 4, 4), ADAMW32, 256, False),
    ((64, 40, 4, 4), ADAMW32, 256, False),
    ((64, 40, 4, 4), ADAMW32, 256, True),
    ((64, 40, 4, 4), MIXED, 256, False),
    ((128, 10, 4, 4), MIXED, 256, False),
    ((128, 10, 16, 2), ADAMW32, 64, False),
    ((256, 3, 8, 4), LEAN, 256, False),
    ((384, 12, 8, 4), ADAMW32, 256, False),
    ((384, 12, 8, 4), MIXED, 256, False),
    ((384, 12, 8, 4), MIXED, 32, False),
    ((128, 96, 4, 4), MIXED, 256, False),
    ((128, 96, 4, 4), MIXED, 256, True),
    ((768, 3, 8, 4), BF16, 256, False),
    ((384, 12, 8, 4), LEAN, 256, True),
    ((384, 12, 8, 4), LEAN32, 256, False),
    ((512, 64, 16, 4), LEAN, 256, True),
    ((1024, 16, 16, 4), ADAMW32, 16, False),
    ((1024, 16, 16, 4), MIXED, 16, False),
    ((1024, 16, 16, 4), LEAN, 256, True),
    ((1024, 16, 16, 4), LEAN, 32, True),
    ((768, 28, 16, 4), MIXED, 64, True),
    ((1024, 16, 16, 4), BF16, 32, False),
)

MANY_TOKENS: tuple[Pair, ...] = (
    ((32, 2, 4, 4), ADAMW32, 256, False),
    ((64, 3, 4, 4), ADAMW32, 256, False),
    ((64, 6, 16, 4), ADAMW32, 64, False),
    ((128, 4, 4, 4), ADAMW32, 64, False),
    ((64, 3, 4, 4), MIXED, 128, False),
    ((64, 6, 4, 4), ADAMW32, 64, True),
    ((64, 3, 4, 4), LEAN, 64, True),
)

PAIRS = {"patchtst": PATCHTST}
"""Family -> models; others: MANY_TOKENS."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=names(), default="patchtst")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--every", type=int, default=1, help="measure only every so many-th pair")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    machine = survey(HardwareParams(device=arguments.device, memory_gib=None, workers="auto"))
    geometry = Geometry(
        family=arguments.family,
        context_length=80,
        n_features=FEATURES.get(arguments.family, 25),
        patch_len=16,
        stride=8,
        revin=False,
    )
    rows = []
    print(
        f"{'d x L x heads x ratio':24}{'N':>13}{'precision':>12}{'optim.':>8}{'micro':>6}{'ckpt':>6}"
        f"{'predicted':>11}{'measured':>10}{'error':>8}"
    )
    for (d_model, n_layers, n_heads, ratio), (precision, optimizer), micro_batch, checkpointing in PAIRS.get(
        arguments.family, MANY_TOKENS
    )[:: arguments.every]:
        spec = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=ratio * d_model)
        whole = BatchPlan(
            micro_batch=256,
            accumulation_steps=1,
            effective_batch=256,
            precision=precision,
            optimizer=optimizer,
            activation_checkpointing=checkpointing,
        )
        # Two micro-batches are as many as the peak can tell from sixteen.
        plan = with_micro_batch(replace(whole, effective_batch=min(256, 2 * micro_batch)), micro_batch)
        with tempfile.TemporaryDirectory(prefix="tsladder-memory-") as scratch:
            probed = probe(spec, plan, device=machine.device, threads=machine.cores, scratch=Path(scratch))
            outcome = probed.outcome
        if outcome.peak_memory_gib is None or outcome.plan != plan:
            raise SystemExit(f"{spec.architecture()} under {plan} ended as {outcome.stop_reason}: {outcome.message}")
        predicted, measured = predicted_memory_gib(spec, plan), outcome.peak_memory_gib
        held, step = memory_terms(spec, plan, 1.0)
        rows.append(
            {
                "architecture": spec.architecture(),
                "n_params": spec.n_params,
                "plan": asdict(plan),
                "predicted_gib": predicted,
                "measured_gib": measured,
                "held_bytes": held,
                "step_bytes": step,
                "seconds": [epoch.train_seconds for epoch in probed.epochs],
            }
        )
        shape = f"{d_model} x {n_layers} x {n_heads} x {ratio}"
        print(
            f"{shape:24}{spec.n_params:>13,}{precision:>12}{optimizer:>8}{micro_batch:>6}{checkpointing!s:>6}"
            f"{predicted:>11.3f}{measured:>10.3f}{predicted / measured - 1:>+8.1%}",
            flush=True,
        )
    errors = [row["predicted_gib"] / row["measured_gib"] - 1 for row in rows]
    sizes = sorted(abs(error) for error in errors)
    print(
        f"{len(rows)} pairs: median error {statistics.median(sizes):.1%}, worst {sizes[-1]:.1%}, "
        f"lowest {min(errors):+.1%}"
    )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
