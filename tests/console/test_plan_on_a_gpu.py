"""What is planned for a GPU, on one that is made up: no timing here was taken on a GPU."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch
from tests.planning.test_step_costs import GPU
from tests.studies import make_study

from tsladder.artifacts.outcome import BatchPlan, EpochRecord, TrainingOutcome
from tsladder.cli import main
from tsladder.console import calibrate
from tsladder.console.calibrate import GPU_PROBES, calibrate_here, calibration_lines
from tsladder.console.plan_lines import forecast_lines
from tsladder.execution.probe import Probe
from tsladder.models.spec import ModelSpec
from tsladder.places import Places
from tsladder.planning.calibration import read_calibration, write_calibration
from tsladder.planning.duration import step_terms
from tsladder.status.dry_run import study_forecast
from tsladder.vocabulary import StopReason


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A study up to two billion parameters on a machine with a GPU of 80 GiB."""
    monkeypatch.setattr("tsladder.planning.machine.needs_torch", lambda _hardware: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (78 * 2**30, 80 * 2**30))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "made up")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return make_study(tmp_path, budget="2B", ladder=["12k", "20M", "2B"], hardware__device="cuda", hardware__workers=1)


def measured(
    spec: ModelSpec, plan: BatchPlan, *, device: str, threads: int, scratch: Path, epochs: int, steps: int
) -> Probe:
    """What a probe takes on the made-up GPU, the first epoch ten times as long."""
    assert (device, threads > 0, scratch.is_dir()) == ("cuda", True, True)
    one = steps * GPU.seconds(step_terms(spec, plan, 1))
    epochs_of = tuple(
        EpochRecord(
            epoch=epoch,
            steps=epoch * steps,
            train_loss=0.7,
            val_loss=0.7,
            train_seconds=seconds,
            seconds=seconds,
        )
        for epoch, seconds in enumerate((10 * one, *[one] * (epochs - 1)), start=1)
    )
    outcome = TrainingOutcome(
        stop_reason=StopReason.COMPLETED,
        best_val_loss=0.7,
        val_loss_se=0.01,
        best_epoch=1,
        val_auc=None,
        n_params=spec.n_params,
        curve=tuple((record.steps, record.val_loss) for record in epochs_of),
        train_losses=tuple(record.train_loss for record in epochs_of),
        plan=plan,
        retries=0,
        peak_memory_gib=1.0,
        seconds=sum(record.seconds for record in epochs_of) + GPU.start,
        train_seconds=sum(record.train_seconds for record in epochs_of),
    )
    return Probe(outcome, epochs_of)


def test_a_gpu_that_was_never_measured_has_no_forecast(study: Places, capsys: pytest.CaptureFixture[str]) -> None:
    forecast = study_forecast(study, None)
    planned = [cell for cell in forecast.cells.values() if cell.planned]
    assert all(cell.fits and cell.predicted_memory_gib for cell in planned)
    lines = forecast_lines(forecast)
    assert sum(line.count("no forecast") for line in lines) == 4 * len(planned) + 1
    assert "plan --calibrate" in lines[-1]
    assert main(["plan", "--json"]) == 0
    for cell in json.loads(capsys.readouterr().out)["cells"].values():
        assert [value for name, value in cell.items() if "seconds" in name] == [None] * 4


def test_a_calibrated_gpu_forecasts_models_ten_times_larger_than_were_measured(
    study: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "probe", measured)
    found = calibrate_here(study)
    assert found == read_calibration(study.calibration)
    assert len(found.peaks) == len(GPU_PROBES)
    assert any("before a training 3.0 s" in line for line in calibration_lines(found))
    assert found.time_left_out is not None
    by_costs = study_forecast(study, None).cells
    write_calibration(study.calibration, dataclasses.replace(found, rates=GPU))
    for name, cell in study_forecast(study, None).cells.items():
        assert cell.predicted_seconds is not None
        assert by_costs[name].predicted_seconds == pytest.approx(cell.predicted_seconds, rel=0.1)


def test_the_calibration_of_another_gpu_gives_no_forecast(study: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrate, "probe", measured)
    calibrate_here(study)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "another")
    assert all(cell.predicted_seconds is None for cell in study_forecast(study, None).cells.values())
