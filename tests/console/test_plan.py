"""What `tsladder plan` says before anything runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.studies import make_study

from tsladder.cli import main
from tsladder.console.plan import study_forecast
from tsladder.console.tables import forecast_lines
from tsladder.planning.calibration import keep, kept
from tsladder.records import write_json


def counted(study, horizon: int) -> None:
    counts = {"train": {"windows": 2740}, "validation": {"windows": 926}, "test": {"windows": 926}}
    write_json(study.horizon_splits(horizon), {"counts": counts})


def test_time_is_known_once_the_windows_are_counted_and_unknown_before(tmp_path: Path) -> None:
    study = make_study(tmp_path, horizons=[1])
    before = study_forecast(study, None)
    planned = [cell for cell in before.cells.values() if cell.planned]
    assert all(cell.predicted_seconds is None for cell in planned)
    assert "dvc repro splits" in forecast_lines(before)[-1]
    counted(study, 1)
    after = study_forecast(study, None)
    for cell in (cell for cell in after.cells.values() if cell.planned):
        assert cell.predicted_seconds is not None
        assert cell.predicted_step_seconds is not None
        assert cell.predicted_epoch_seconds is not None
        assert 0 < cell.predicted_step_seconds < cell.predicted_epoch_seconds < cell.predicted_seconds
        assert cell.predicted_seconds_at_most is not None
        assert cell.predicted_seconds <= cell.predicted_seconds_at_most
    assert forecast_lines(after)[-1].startswith("expected in all")


@pytest.mark.parametrize(("memory_gib", "says"), [(0.05, "at least"), (1e6, "must not exceed")])
def test_memory_that_cannot_be_is_bad_input_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], memory_gib: float, says: str
) -> None:
    study = make_study(tmp_path, hardware__memory_gib=memory_gib)
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    files = sorted(study.root.rglob("*"))
    for command in (["plan"], ["plan", "--json"], ["run"]):
        assert main(command) == 2
        assert says in capsys.readouterr().err
    assert sorted(study.root.rglob("*")) == files


@pytest.mark.slow
def test_a_calibration_is_kept_beside_the_study_and_planned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(tmp_path, horizons=[1])
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["plan", "--calibrate", "--json"]) == 0
    said = capsys.readouterr()
    calibrated = kept(study.calibration)
    assert calibrated is not None
    assert len(calibrated.peaks) == 6
    assert f"framework {calibrated.memory.framework_gib:.3f} GiB" in said.err
    planned = {name: cell for name, cell in json.loads(said.out)["cells"].items() if cell["planned"]}
    assert planned
    # Measured on any machine, the figures may happen to be those that were planned with before: make them others.
    heavier = dataclasses.replace(calibrated.memory, framework_gib=calibrated.memory.framework_gib + 0.5)
    keep(study.calibration, dataclasses.replace(calibrated, memory=heavier))
    after = study_forecast(study, None).cells
    for name, cell in planned.items():
        assert after[name].predicted_memory_gib == pytest.approx(cell["predicted_memory_gib"] + 0.5, abs=0.002)
