"""What a GPU's own calibration knows of it. Run where one is: make test PYTEST_FLAGS="-m gpu"; a minute or two."""

from __future__ import annotations

import pytest
import torch
from tests.building import batch_plan
from tests.studies import DEFAULT_PARAMS

from tsladder.artifacts.outcome import BatchPlan
from tsladder.console.calibrate import GPU_PROBES, calibrate_here
from tsladder.execution.probe import Probe, probe
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams, load_params
from tsladder.places import Places
from tsladder.planning.calibration import CalibratedMachine
from tsladder.planning.cells import geometry_of
from tsladder.planning.duration import RunLength, forecast
from tsladder.planning.machine import survey
from tsladder.planning.memory import predicted_memory_gib

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch finds"),
]

ON_GPU = HardwareParams(device="cuda", memory_gib=None, workers="auto")
NO_PATIENCE = RunLength(train_windows=256, validation_windows=0, epochs=1, patience=None)

UNMEASURED = (
    ((512, 16, 8), batch_plan(256, 256, precision="bf16-mixed")),
    ((768, 8, 8), batch_plan(256, 256)),
    ((1536, 10, 16), batch_plan(256, 256, precision="bf16", optimizer="lean")),
)
"""(d_model, n_layers, n_heads) and plan of models that are none of the calibration's."""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("calibrated")
    places = Places(folder, folder)
    places.params.write_bytes(DEFAULT_PARAMS.read_bytes())
    return places


@pytest.fixture(scope="module")
def calibrated(study: Places) -> CalibratedMachine:
    return calibrate_here(study)


def test_every_model_is_measured_and_its_steps_are_predicted_within_half(calibrated: CalibratedMachine) -> None:
    assert [peak.plan.micro_batch for peak in calibrated.peaks] == [
        micro_batch for _, _, _, micro_batch, *_ in GPU_PROBES
    ]
    assert calibrated.rates is not None
    assert calibrated.time_left_out is not None
    assert calibrated.time_left_out.median < 0.25
    assert calibrated.time_error.worst < 0.50


def test_peaks_are_predicted_as_well_as_on_a_cpu(calibrated: CalibratedMachine) -> None:
    assert calibrated.error.median < 0.10
    assert calibrated.error.worst < 0.20
    assert calibrated.error.too_low < 0.10


@pytest.fixture(scope="module", params=UNMEASURED, ids=["bf16-mixed", "fp32", "lean"])
def other(
    request: pytest.FixtureRequest, study: Places, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ModelSpec, BatchPlan, Probe]:
    (d_model, n_layers, n_heads), plan = request.param
    geometry = geometry_of(load_params(study.params))
    what = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=4 * d_model)
    scratch = tmp_path_factory.mktemp("scratch")
    return what, plan, probe(what, plan, device="cuda", threads=1, scratch=scratch, epochs=3, steps=8)


def test_the_forecast_of_a_model_that_was_not_measured_is_within_half_of_its_step(
    calibrated: CalibratedMachine, study: Places, other: tuple[ModelSpec, BatchPlan, Probe]
) -> None:
    what, plan, probed = other
    machine = survey(ON_GPU, study.calibration)
    assert machine.rates == calibrated.rates
    assert machine.rates is not None
    step = min(epoch.train_seconds for epoch in probed.epochs[1:]) / 8
    assert forecast(what, plan, machine.share(1, 1), NO_PATIENCE, machine.rates).step == pytest.approx(step, rel=0.5)


def test_the_peak_of_a_model_that_was_not_measured_is_predicted_as_well_as_on_a_cpu(
    calibrated: CalibratedMachine, other: tuple[ModelSpec, BatchPlan, Probe]
) -> None:
    what, plan, probed = other
    outcome = probed.outcome
    assert outcome.peak_memory_gib is not None
    assert -0.10 < predicted_memory_gib(what, plan, calibrated.memory) / outcome.peak_memory_gib - 1 < 0.20
