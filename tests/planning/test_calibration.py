from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.building import batch_plan, geometry, spec

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import WorkFailed
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.calibration import Peak, calibrate, read_calibration, write_calibration
from tsladder.planning.duration import DEFAULT_RATES, step_terms
from tsladder.planning.machine import identity, survey
from tsladder.planning.memory import DEFAULT_CALIBRATION, Calibration, predicted_memory_gib

SLOWER = 2.5
ON_CPU = HardwareParams(device="cpu", memory_gib=None, workers="auto")
TRUE = Calibration(framework_gib=0.41, activations=1.3)
WIDE = geometry(context_length=80, patch_len=16, stride=8)
SPECS = [spec(geometry=WIDE, d_model=d, n_layers=n, n_heads=4, d_ff=4 * d) for d, n in ((16, 1), (128, 8), (256, 12))]
PLANS = [batch_plan(256, 256), batch_plan(256, 256, activation_checkpointing=True)]


def step_seconds(s: ModelSpec, p: BatchPlan) -> float:
    return DEFAULT_RATES.seconds(step_terms(s, p, 2))


def peaks() -> list[Peak]:
    return [
        Peak(
            spec=s,
            plan=p,
            memory_gib=predicted_memory_gib(s, p, TRUE),
            step_seconds=SLOWER * step_seconds(s, p),
            threads=2,
        )
        for s in SPECS
        for p in PLANS
    ]


def test_a_fit_finds_the_machine_that_the_peaks_were_made_on() -> None:
    found = calibrate({"device": "cpu"}, peaks())
    assert found.memory.framework_gib == pytest.approx(TRUE.framework_gib, abs=2e-3)
    assert found.memory.activations == pytest.approx(TRUE.activations, abs=2e-3)
    assert found.rates is not None
    assert found.rates.factor == pytest.approx(SLOWER, abs=1e-3)
    assert found.time_error.worst < 0.005
    assert found.error.worst < 0.005
    assert found.left_out.worst < 0.005


def test_the_error_says_how_far_and_to_which_side_predictions_are_off() -> None:
    odd = peaks()
    odd[0] = dataclasses.replace(odd[0], memory_gib=1.2 * odd[0].memory_gib)
    found = calibrate({"device": "cpu"}, odd)
    assert found.error.worst >= found.error.median > 0
    assert 0.05 < found.error.too_low <= found.error.worst
    assert found.left_out.worst > found.error.worst


def test_too_few_peaks_are_refused() -> None:
    with pytest.raises(WorkFailed, match="2 measured peaks are too few"):
        calibrate({"device": "cpu"}, peaks()[:2])


def test_a_machine_plans_with_its_own_calibration_and_never_with_that_of_another(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    assert survey(ON_CPU, path).calibration == DEFAULT_CALIBRATION
    write_calibration(path, calibrate(identity("cpu"), peaks()))
    assert read_calibration(path) == calibrate(identity("cpu"), peaks())
    own = survey(ON_CPU, path)
    assert own.calibration == calibrate(identity("cpu"), peaks()).memory
    assert own.rates is not None
    assert own.rates.factor == pytest.approx(SLOWER, abs=1e-3)
    write_calibration(path, calibrate(identity("cpu") | {"processor": "another"}, peaks()))
    assert survey(ON_CPU, path).calibration == DEFAULT_CALIBRATION


def written(path: Path, device: str, **changes: object) -> Path:
    """A calibration file of this machine as the first version wrote it, then changed."""
    write_calibration(path, calibrate(identity(device), peaks()))
    record = read_json(path)
    for later in ("version", "rates", "time_left_out"):
        del record[later]
    for row in record["peaks"]:
        del row["start_seconds"]
    write_json(path, record | {"time_factor": SLOWER} | changes)
    return path


def test_a_file_of_the_first_version_gives_a_cpu_its_factor(tmp_path: Path) -> None:
    surveyed = survey(ON_CPU, written(tmp_path / "calibration.json", "cpu"))
    assert surveyed.rates == dataclasses.replace(DEFAULT_RATES, factor=SLOWER)
    assert surveyed.calibration == calibrate(identity("cpu"), peaks()).memory


def test_a_file_of_the_first_version_says_nothing_of_a_gpus_time(tmp_path: Path) -> None:
    path = written(tmp_path / "calibration.json", "cpu", machine=identity("cpu") | {"device": "cuda"})
    found = read_calibration(path)
    assert found is not None
    assert found.rates is None
    assert found.memory == calibrate(identity("cpu"), peaks()).memory


def test_a_file_of_a_later_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"version 3 .* run `tsladder plan --calibrate` again"):
        survey(ON_CPU, written(tmp_path / "calibration.json", "cpu", version=3))


@pytest.mark.parametrize("text", ["{", '{"machine": {}}', '{"machine": 1, "memory": {"gib": 2}}'])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(WorkFailed, match="damaged"):
        survey(ON_CPU, path)
