"""Costs of a GPU's steps, recovered from timings made by known ones. No timing here was taken on a GPU."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.building import batch_plan, geometry, spec

from tsladder.artifacts.outcome import BatchPlan
from tsladder.console.calibrate import probes
from tsladder.errors import WorkFailed
from tsladder.models.spec import ModelSpec
from tsladder.planning.calibration import Peak, calibrate
from tsladder.planning.duration import Rates, RunLength, forecast, step_terms
from tsladder.planning.step_costs import COSTS, FEWEST_STEPS, fit_costs

WIDE = geometry(context_length=80, patch_len=16, stride=8, n_features=25)

GPU = Rates(
    fp32_product=1 / 4e13,
    bf16_product=1 / 4e14,
    byte=1 / 2e12,
    # About forty kernels of ten microseconds a block, and twelve tensors of twenty each under the lean optimizer,
    # which then goes through its values in chunks of 131,072.
    call=4e-4,
    adamw_value=2e-11,
    lean_value=1e-9,
    lean_call=2e-3,
    step=2e-3,
    start=3.0,
)


def lean(micro_batch: int, *, checkpointing: bool) -> BatchPlan:
    return batch_plan(micro_batch, 256, precision="bf16", optimizer="lean", activation_checkpointing=checkpointing)


def model(d_model: int, n_layers: int) -> ModelSpec:
    return spec(geometry=WIDE, d_model=d_model, n_layers=n_layers, n_heads=16, d_ff=4 * d_model)


TWO_BILLION = [
    (model(d_model, n_layers), lean(micro_batch, checkpointing=checkpointing))
    for d_model, n_layers in ((1024, 160), (2048, 40))
    for micro_batch, checkpointing in ((256, False), (256, True), (64, True))
]


def measured(costs: Rates, noise: float = 0.0, seed: int = 0) -> list[Peak]:
    """What the probes of a GPU would take at `costs`, off by `noise`."""
    rng = np.random.default_rng(seed)
    return [
        Peak(
            spec=s,
            plan=p,
            memory_gib=1.0,
            step_seconds=costs.seconds(step_terms(s, p, 1)) * float(np.exp(noise * rng.normal())),
            threads=1,
            start_seconds=3.0,
        )
        for s, p in probes(WIDE, "cuda")
    ]


def steps(peaks: list[Peak]) -> list[tuple[dict[str, float], float]]:
    return [(step_terms(peak.spec, peak.plan, peak.threads), peak.step_seconds) for peak in peaks]


def errors_at_two_billion(found: Rates, costs: Rates) -> list[float]:
    terms = [step_terms(s, p, 1) for s, p in TWO_BILLION]
    return [abs(found.seconds(one) / costs.seconds(one) - 1) for one in terms]


def test_what_is_measured_has_a_tenth_of_two_billion_parameters_at_most() -> None:
    assert max(s.n_params for s, _ in probes(WIDE, "cuda")) < 210_000_000
    assert all(1.8e9 < s.n_params < 2.2e9 for s, _ in TWO_BILLION)


def test_two_billion_is_forecast_from_models_of_a_tenth_and_less() -> None:
    found = fit_costs(steps(measured(GPU)), start=3.0)
    for cost in COSTS:
        assert getattr(found, cost) == pytest.approx(getattr(GPU, cost), rel=0.01)
    assert max(errors_at_two_billion(found, GPU)) < 0.10


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), factors=st.lists(st.floats(0.25, 4.0), min_size=len(COSTS), max_size=len(COSTS)))
def test_measurements_that_are_off_by_a_twentieth_leave_two_billion_within_thirty_percent(
    seed: int, factors: list[float]
) -> None:
    costs = dataclasses.replace(GPU, **{c: f * getattr(GPU, c) for c, f in zip(COSTS, factors, strict=True)})
    found = fit_costs(steps(measured(costs, noise=0.05, seed=seed)), start=3.0)
    assert max(errors_at_two_billion(found, costs)) < 0.30


def test_a_calibration_of_a_gpu_says_how_far_off_left_out_steps_are() -> None:
    calibrated = calibrate({"device": "cuda"}, measured(GPU, noise=0.05))
    assert calibrated.rates is not None
    assert (calibrated.rates.factor, calibrated.rates.start) == (1.0, 3.0)
    assert calibrated.time_left_out is not None
    assert 0 < calibrated.time_error.median < calibrated.time_left_out.worst < 0.5


def test_costs_that_nothing_was_measured_of_are_refused_by_name() -> None:
    without_lean = [peak for peak in measured(GPU) if peak.plan.optimizer == "adamw"]
    with pytest.raises(WorkFailed, match=f"{len(without_lean)} measured steps are too few"):
        fit_costs(steps(without_lean), start=0.0)
    with pytest.raises(WorkFailed, match="lean_value, lean_call"):
        fit_costs(steps(without_lean) * 2, start=0.0)
    assert len(without_lean) < FEWEST_STEPS


def test_trainings_that_share_a_gpu_have_it_in_turns() -> None:
    run = RunLength(train_windows=2740, validation_windows=926, epochs=20, patience=None)
    small, plan = model(64, 2), batch_plan(256, 256)
    products_alone = dataclasses.replace(GPU, **{c: 0.0 for c in COSTS if c != "fp32_product"}, start=0.0)
    alone, shared = (forecast(small, plan, part, run, products_alone).expected for part in (1.0, 0.25))
    assert shared == pytest.approx(4 * alone)
