"""What `tsladder plan` says before anything runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.studies import make_study, params_of, prepare

from tsladder.cli import main
from tsladder.console.plan import study_forecast
from tsladder.console.tables import forecast_lines
from tsladder.planning.calibration import keep, kept
from tsladder.planning.run_length import run_lengths


def test_time_is_known_where_the_bars_are_and_unknown_elsewhere(tmp_path: Path) -> None:
    study = make_study(tmp_path, horizons=[1])
    after = study_forecast(study, None)
    for cell in (cell for cell in after.cells.values() if cell.planned):
        assert cell.predicted_seconds is not None
        assert cell.predicted_step_seconds is not None
        assert cell.predicted_epoch_seconds is not None
        assert 0 < cell.predicted_step_seconds < cell.predicted_epoch_seconds < cell.predicted_seconds
        assert cell.predicted_seconds_at_most is not None
        assert cell.predicted_seconds <= cell.predicted_seconds_at_most
    assert forecast_lines(after)[-1].startswith("expected in all")
    study.bars("tiny").unlink()
    before = study_forecast(study, None)
    assert all(cell.predicted_seconds is None for cell in before.cells.values() if cell.planned)
    assert "dvc pull data.dvc" in forecast_lines(before)[-1]


def test_windows_counted_from_the_bars_are_those_that_the_stages_build(tmp_path: Path) -> None:
    study = make_study(tmp_path, horizons=[1, 3])
    counted = run_lengths(study, params_of(study))
    prepare(study)
    study.bars("tiny").unlink()
    assert run_lengths(study, params_of(study)) == counted
    assert counted[1].train_windows > counted[3].train_windows > counted[1].validation_windows > 0


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
