"""`tsladder plan --calibrate`: a few models trained for a moment, and the models of memory and time fitted to them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tsladder.console.tables import aligned
from tsladder.errors import WorkFailed
from tsladder.models.spec import ModelSpec
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning.calibration import CalibratedMachine, Peak, calibrate, keep
from tsladder.planning.cells import geometry_of
from tsladder.planning.machine import Machine, identity, survey
from tsladder.planning.memory import BatchPlan, predicted_memory_gib
from tsladder.steps import OnStep, untold
from tsladder.training.probe import probe

PROBES = (
    # (d_model, n_layers, n_heads), precision, optimizer, micro-batch, checkpointing: chosen so that each term of the
    # model leads in one of them.
    ((32, 2, 4), "fp32", "adamw", 256, False),
    ((128, 10, 4), "fp32", "adamw", 256, False),
    ((128, 10, 4), "bf16-mixed", "adamw", 256, False),
    ((256, 12, 8), "fp32", "adamw", 256, True),
    ((384, 12, 8), "bf16-mixed", "adamw", 64, False),
    ((384, 12, 8), "bf16", "lean", 256, True),
)
_EFFECTIVE_BATCH = 256


def calibrate_here(places: Places, on_step: OnStep = untold) -> CalibratedMachine:
    """Measure, fit and keep beside the study. Raises BadInput, WorkFailed."""
    params = load_params(places.params)
    machine = survey(params.hardware)
    geometry = geometry_of(params)
    wanted: list[tuple[ModelSpec, BatchPlan]] = []
    for (d_model, n_layers, n_heads), precision, optimizer, micro_batch, checkpointing in PROBES:
        spec = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=4 * d_model)
        plan = BatchPlan(
            micro_batch=micro_batch,
            accumulation_steps=_EFFECTIVE_BATCH // micro_batch,
            effective_batch=_EFFECTIVE_BATCH,
            precision=precision,
            optimizer=optimizer,
            activation_checkpointing=checkpointing,
        )
        if predicted_memory_gib(spec, plan) <= machine.memory_gib:
            wanted.append((spec, plan))
    peaks = []
    for number, (spec, plan) in enumerate(wanted, start=1):
        on_step(f"measuring {spec.n_params:,} parameters, {plan.precision}, {plan.optimizer}", number, len(wanted))
        peaks.append(_measured(spec, plan, machine))
    calibrated = calibrate(identity(machine.device), peaks)
    keep(places.calibration, calibrated)
    return calibrated


def _measured(spec: ModelSpec, plan: BatchPlan, machine: Machine) -> Peak:
    with tempfile.TemporaryDirectory(prefix="tsladder-calibrate-") as folder:
        outcome = probe(spec, plan, device=machine.device, threads=machine.cores, scratch=Path(folder))
    if outcome.peak_memory_gib is None or not outcome.curve:
        raise WorkFailed(
            f"a model of {spec.n_params:,} parameters could not be measured here ({outcome.stop_reason}"
            f"{': ' + outcome.message if outcome.message else ''}): nothing was kept, plans go on with what was there"
        )
    # A probe that ran out of memory was carried out under a smaller plan.
    return Peak(
        spec=spec,
        plan=outcome.plan,
        memory_gib=outcome.peak_memory_gib,
        # Of one step an epoch; the first makes what the later ones find there.
        step_seconds=outcome.curve[-1].train_seconds,
        threads=machine.cores,
    )


def calibration_lines(calibrated: CalibratedMachine) -> list[str]:
    """What was measured against what the fitted model says, and how far off it is."""
    rows = [("parameters", "precision", "optimizer", "micro-batch", "checkpointing", "predicted", "measured", "error")]
    for peak in calibrated.peaks:
        predicted = predicted_memory_gib(peak.spec, peak.plan, calibrated.memory)
        rows.append(
            (
                f"{peak.spec.n_params:,}",
                peak.plan.precision,
                peak.plan.optimizer,
                str(peak.plan.micro_batch),
                "yes" if peak.plan.activation_checkpointing else "no",
                f"{predicted:.3f}",
                f"{peak.memory_gib:.3f}",
                f"{predicted / peak.memory_gib - 1:+.1%}",
            )
        )
    memory, error, left_out = calibrated.memory, calibrated.error, calibrated.left_out
    return [
        *aligned(rows),
        f"framework {memory.framework_gib:.3f} GiB, activations x {memory.activations:.3f}",
        f"error of peaks: median {error.median:.1%}, largest {error.worst:.1%}, too low by {error.too_low:.1%} at most",
        f"steps take {calibrated.time_factor:.2f} times as long as by the default rates",
        f"error of steps: median {calibrated.time_error.median:.1%}, largest {calibrated.time_error.worst:.1%}",
        f"error of peaks left out of the fit: median {left_out.median:.1%}, largest {left_out.worst:.1%}",
    ]
