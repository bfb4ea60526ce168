"""What `tsladder plan` says before anything runs."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
from tests.studies import make_study, params_of, prepare

from tsladder.artifacts.store import write_json
from tsladder.cli import main
from tsladder.console.plan_lines import forecast_lines
from tsladder.locks import exclusive_lock
from tsladder.planning.calibration import read_calibration, write_calibration
from tsladder.planning.run_length import run_lengths
from tsladder.status.dry_run import study_forecast
from tsladder.vocabulary import Cell


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
    assert forecast_lines(after)[-1].startswith("expected in total")
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


def test_memory_is_reported_and_what_a_running_study_holds_counts_as_free(tmp_path: Path) -> None:
    study = make_study(tmp_path, horizons=[1])
    alone = study_forecast(study, None).to_json()["memory"]
    assert 0 < alone["planned_gib"] < alone["free_gib"] <= alone["total_gib"]
    folder = study.study(Cell("12k", 1), "a" * 16)
    folder.mkdir(parents=True)
    running = [{"number": n, "epoch": 1, "epochs": 2, "resident_gib": alone["total_gib"]} for n in (1, 2)]
    with exclusive_lock(folder, "it"):
        write_json(folder / "progress.json", {"at": time.time() + 1.0, "phase": "search", "running": running})
        beside = study_forecast(study, None)
    assert beside.to_json()["memory"]["free_gib"] == alone["total_gib"]
    assert any("beside a running study" in note for note in beside.notes)
    assert f"GiB free of {alone['total_gib']:.1f} GiB" in "\n".join(forecast_lines(beside))


@pytest.mark.slow
def test_a_calibration_is_kept_beside_the_study_and_planned_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = make_study(tmp_path, horizons=[1])
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["plan", "--calibrate", "--json"]) == 0
    said = capsys.readouterr()
    calibrated = read_calibration(study.calibration)
    assert calibrated is not None
    assert len(calibrated.peaks) == 6
    assert f"framework {calibrated.memory.framework_gib:.3f} GiB" in said.err
    planned = {name: cell for name, cell in json.loads(said.out)["cells"].items() if cell["planned"]}
    assert planned
    # Measured on any machine, the figures may happen to be those that were planned with before: make them others.
    heavier = dataclasses.replace(calibrated.memory, framework_gib=calibrated.memory.framework_gib + 0.5)
    write_calibration(study.calibration, dataclasses.replace(calibrated, memory=heavier))
    after = study_forecast(study, None).cells
    for name, cell in planned.items():
        assert after[name].predicted_memory_gib == pytest.approx(cell["predicted_memory_gib"] + 0.5, abs=0.002)


def test_another_question_is_planned_without_an_edit_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = {"hardware__memory_gib": 2.0}  # what is free changes from one call to the next
    study = make_study(tmp_path, **fixed)
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    before = study.params.read_text()
    assert main(["plan", "--json", "--budget", "30k", "-S", "search.trials=9", "--set-param", "train.seeds=5"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert {(cell["trials"], cell["seeds"]) for cell in asked["cells"].values()} == {(9, 5)}
    assert study.params.read_text() == before
    make_study(tmp_path, budget="30k", search__trials=9, train__seeds=5, **fixed)
    assert main(["plan", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["study_key"], again["cells"]) == (asked["study_key"], asked["cells"])


@pytest.mark.parametrize(
    ("value", "says"), [("search.trails=9", "search.trials"), ("search.trials=many", "search.trials: must be")]
)
def test_a_leaf_or_value_that_is_none_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, says: str
) -> None:
    monkeypatch.chdir(make_study(tmp_path).root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["plan", "-S", value]) == 2
    assert says in capsys.readouterr().err


def test_windows_of_another_question_are_not_those_of_the_splits_on_disk(tmp_path: Path) -> None:
    study = make_study(tmp_path, horizons=[1])
    prepare(study)
    study.bars("tiny").unlink()
    assert study_forecast(study, None, ["search.trials=9"]).cells["12k-h1"].predicted_seconds is not None
    assert study_forecast(study, None, ["splits.test_fraction=0.4"]).cells["12k-h1"].predicted_seconds is None
