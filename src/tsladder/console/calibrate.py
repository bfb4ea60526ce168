"""Measure memory and time of a few models on this machine, for `tsladder plan --calibrate`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tsladder.artifacts.outcome import BatchPlan
from tsladder.errors import WorkFailed
from tsladder.execution.probe import EPOCHS, probe
from tsladder.formatting import aligned
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params import PanelParams, load_any_params
from tsladder.places import Places
from tsladder.planning.calibration import CalibratedMachine, Peak, calibrate, write_calibration
from tsladder.planning.cells import geometry_of
from tsladder.planning.machine import Machine, identity, survey
from tsladder.planning.memory import predicted_memory_gib
from tsladder.planning.step_costs import COSTS
from tsladder.steps import OnStep, no_progress

Probe = tuple[tuple[int, int, int], str, str, int, int, bool]
"""One measured configuration: (d_model, n_layers, n_heads), precision, optimizer, micro-batch, effective batch,
checkpointing."""

PROBES: tuple[Probe, ...] = (
    # Chosen so that each term of the memory model dominates in one of them.
    ((32, 2, 4), "fp32", "adamw", 256, 256, False),
    ((128, 10, 4), "fp32", "adamw", 256, 256, False),
    ((128, 10, 4), "bf16-mixed", "adamw", 256, 256, False),
    ((256, 12, 8), "fp32", "adamw", 256, 256, True),
    ((384, 12, 8), "bf16-mixed", "adamw", 64, 256, False),
    ((384, 12, 8), "bf16", "lean", 256, 256, True),
)

GPU_PROBES: tuple[Probe, ...] = (
    # Chosen so that the costs of time can be separated. Calls and steps dominate in small models, and
    # products in wide ones; the optimizer dominates at a small effective batch. The last ones have a few blocks of a
    # model of two billion parameters.
    ((32, 2, 4), "fp32", "adamw", 256, 256, False),
    ((64, 12, 4), "fp32", "adamw", 256, 256, False),
    ((64, 40, 4), "fp32", "adamw", 256, 256, False),
    ((384, 12, 8), "fp32", "adamw", 256, 256, False),
    ((1024, 8, 16), "fp32", "adamw", 256, 256, False),
    ((64, 40, 4), "bf16-mixed", "adamw", 64, 256, False),
    ((384, 12, 8), "bf16-mixed", "adamw", 256, 256, False),
    ((1024, 8, 16), "bf16-mixed", "adamw", 256, 256, False),
    ((1024, 8, 16), "bf16-mixed", "adamw", 32, 32, False),
    ((64, 40, 4), "bf16", "lean", 256, 256, False),
    ((384, 12, 8), "bf16", "lean", 256, 256, True),
    ((1024, 12, 16), "bf16", "lean", 256, 256, False),
    ((1024, 12, 16), "bf16", "lean", 32, 32, False),
    ((1024, 12, 16), "bf16", "lean", 256, 256, True),
    ((2048, 4, 16), "bf16", "lean", 256, 256, False),
)

_OF_DEFAULT_STUDY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)

_GPU_EPOCHS = 3
_GPU_STEPS = 8
"""Optimizer steps per epoch: steps of milliseconds are measured over several, epoch by epoch, and the quickest epoch
counts, since the first loads kernels and any may be disturbed."""


def calibrate_here(places: Places, on_step: OnStep = no_progress) -> CalibratedMachine:
    """Measure and fit this machine, and store the result beside the study. Raises BadInput, WorkFailed.

    Measured are models of a series, on windows like the study's; in a panel study on windows of the default study:
    what is fitted belongs to the machine.
    """
    params = load_any_params(places.params)
    machine = survey(params.hardware)
    geometry = _OF_DEFAULT_STUDY if isinstance(params, PanelParams) else geometry_of(params)
    planned = [
        (spec, plan)
        for spec, plan in probes(geometry, machine.device)
        if predicted_memory_gib(spec, plan) <= machine.memory_gib
    ]
    peaks = []
    for number, (spec, plan) in enumerate(planned, start=1):
        on_step(f"measuring {spec.n_params:,} parameters, {plan.precision}, {plan.optimizer}", number, len(planned))
        peaks.append(_measured(spec, plan, machine))
    calibrated = calibrate(identity(machine.device), peaks)
    write_calibration(places.calibration, calibrated)
    return calibrated


def probes(geometry: Geometry, device: str) -> list[tuple[ModelSpec, BatchPlan]]:
    """Return the models, with their batch plans, that are measured on `device`, on windows like the study's."""
    return [
        (
            ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=4 * d_model),
            BatchPlan(
                micro_batch=micro_batch,
                accumulation_steps=effective_batch // micro_batch,
                effective_batch=effective_batch,
                precision=precision,
                optimizer=optimizer,
                activation_checkpointing=checkpointing,
            ),
        )
        for (d_model, n_layers, n_heads), precision, optimizer, micro_batch, effective_batch, checkpointing in (
            PROBES if device == "cpu" else GPU_PROBES
        )
    ]


def _measured(spec: ModelSpec, plan: BatchPlan, machine: Machine) -> Peak:
    on_cpu = machine.device == "cpu"
    steps, epochs = (1, EPOCHS) if on_cpu else (_GPU_STEPS, _GPU_EPOCHS)
    with tempfile.TemporaryDirectory(prefix="tsladder-calibrate-") as folder:
        measured = probe(
            spec,
            plan,
            device=machine.device,
            threads=machine.cores,
            scratch=Path(folder),
            epochs=epochs,
            steps=steps,
        )
    outcome = measured.outcome
    if outcome.peak_memory_gib is None or outcome.epochs_run < epochs:
        raise WorkFailed(
            f"a model of {spec.n_params:,} parameters could not be measured here ({outcome.stop_reason}"
            f"{': ' + outcome.message if outcome.message else ''}): no calibration was stored"
        )
    # A probe that ran out of memory was repeated under a smaller plan.
    return Peak(
        spec=spec,
        plan=outcome.plan,
        memory_gib=outcome.peak_memory_gib,
        # The first epoch includes one-time costs.
        step_seconds=min(epoch.train_seconds for epoch in measured.epochs[1:]) / steps,
        threads=machine.cores if on_cpu else 1,
        start_seconds=max(0.0, outcome.seconds - sum(epoch.seconds for epoch in measured.epochs)),
    )


def calibration_lines(calibrated: CalibratedMachine) -> list[str]:
    """Format measured and predicted memory and time, with the errors of the prediction."""
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
        *_time_lines(calibrated),
        f"error of peaks left out of the fit: median {left_out.median:.1%}, largest {left_out.worst:.1%}",
    ]


def _time_lines(calibrated: CalibratedMachine) -> list[str]:
    rates, error, left_out = calibrated.rates, calibrated.time_error, calibrated.time_left_out
    if rates is None:
        return []
    if calibrated.machine["device"] == "cpu":
        found = f"steps take {rates.factor:.2f} times as long as by the default rates"
    else:
        costs = ", ".join(f"{name} {getattr(rates, name):.2g}" for name in COSTS)
        found = f"seconds of a step: {costs}; before a training {rates.start:.1f} s"
    lines = [found, f"error of steps: median {error.median:.1%}, largest {error.worst:.1%}"]
    if left_out is not None:
        lines.append(f"error of steps left out of the fit: median {left_out.median:.1%}, largest {left_out.worst:.1%}")
    return lines
