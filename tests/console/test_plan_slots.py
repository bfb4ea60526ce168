"""What `tsladder plan --slots N` says of a study in one pool."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.cells.simulated import outcome_of_seconds
from tests.panel_studies import make_panel_study
from tests.studies import make_study, params_of, prepare, search_here

from tsladder.artifacts.trials import TRIALS, read_trials
from tsladder.cli import main
from tsladder.errors import BadInput
from tsladder.execution.virtual_crew import VirtualCrew
from tsladder.places import Places
from tsladder.planning.machine import survey
from tsladder.planning.run_length import run_lengths
from tsladder.planning.rung_layout import lay_out_cells
from tsladder.search.forced_trials import forced_by_cell
from tsladder.status.dry_run import study_forecast
from tsladder.status.question import plans_of_study
from tsladder.status.slots import FEWEST_FOR_SPREAD, MEASURED, slot_forecast, spread_of_trials
from tsladder.vocabulary import Cell

FIXED = {"hardware__memory_gib": 2.0}  # what is free changes from one call to the next


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    return make_study(tmp_path, horizons=[1, 3], **FIXED)


def asked(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["plan", "--json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_hours_busy_share_and_the_slots_worth_renting_are_printed_and_in_the_json(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--slots", "3"]) == 0
    said = capsys.readouterr().out.splitlines()
    (pool,) = [line for line in said if line.startswith("in one pool: 3 slots, ")]
    (worth,) = [line for line in said if line.startswith("worth renting: at most ")]
    slots = asked(["--slots", "3"], capsys)["slots"]
    assert f"{slots['asked']['seconds'] / 3600:.3g} hours, busy {slots['asked']['busy_share']:.0%}" in pool
    assert f"at most {slots['worth_renting']['slots']} slots" in worth
    # Two cells of seven trials and two seeds; two workers a machine.
    assert (slots["trainings"], slots["slots_of_a_machine"], slots["lag"]) == (18, 2, 4)
    assert slots["worth_renting"]["busy_share"] >= slots["least_busy_share"] == 0.8


def test_the_same_question_has_the_same_answer_and_another_seed_another(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    first = asked(["--slots", "3"], capsys)["slots"]
    assert asked(["--slots", "3"], capsys)["slots"] == first
    assert asked(["--slots", "3", "-S", "study.seed=43"], capsys)["slots"]["asked"] != first["asked"]
    assert asked(["--slots", "5"], capsys)["slots"]["worth_renting"] == first["worth_renting"]


def test_one_slot_is_always_busy_and_takes_about_what_the_plan_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    make_study(tmp_path, horizons=[1, 3], search__trials=30, hardware__workers=1, **FIXED)
    found = asked(["--slots", "1"], capsys)
    one = found["slots"]["asked"]
    assert one["busy_share"] == pytest.approx(1.0)
    # The plan adds ten seconds a cell for the stages around its trainings.
    expected = sum(cell["predicted_seconds"] - 10.0 for cell in found["cells"].values() if cell["planned"])
    assert one["seconds"] == pytest.approx(expected, rel=0.25)


def test_a_lag_of_the_question_is_taken_and_waits_less_the_larger_it_is(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = []
    for lag in (1, 8):
        leaves = ["-S", f"hardware.lag={lag}", "-S", "search.strategy=random_search"]
        slots = asked(["--slots", "16", *leaves], capsys)["slots"]
        assert slots["lag"] == lag
        spans.append(slots["asked"]["seconds"])
    assert spans[0] > 2 * spans[1]


@pytest.mark.parametrize("value", ["0", "-3", "2.5", "many", ""])
def test_slots_that_are_no_whole_number_above_0_are_bad_input_in_one_line_and_write_nothing(
    study: Places, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    files = sorted(study.root.rglob("*"))
    assert main(["plan", f"--slots={value}"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "--slots must be a whole number above 0" in said.err
    assert sorted(study.root.rglob("*")) == files


def test_without_bars_the_plan_says_how_to_get_them_and_nothing_of_slots(
    study: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    study.bars("tiny").unlink()
    assert main(["plan", "--slots", "4"]) == 0
    said = capsys.readouterr().out
    assert "dvc pull data.dvc" in said
    assert "in one pool" not in said
    assert "slots" not in asked(["--slots", "4"], capsys)


def test_a_gpu_that_was_never_measured_asks_for_a_calibration(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tsladder.planning.machine.needs_torch", lambda _hardware: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (78 * 2**30, 80 * 2**30))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "made up")
    assert main(["plan", "--slots", "4", "-S", "hardware.device=cuda"]) == 0
    said = capsys.readouterr().out
    assert "plan --calibrate" in said
    assert "in one pool" not in said


def test_a_panel_study_is_simulated_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = make_panel_study(tmp_path, budget="12k", **FIXED)
    forecast = study_forecast(panel, None, slots=2)
    assert forecast.slots is not None
    assert forecast.slots.asked.slots == 2
    assert forecast.slots.asked.seconds > 0.0


def test_fewer_slots_than_one_training_takes_are_bad_input(study: Places) -> None:
    params = params_of(study)
    machine = survey(params.hardware)
    forced = {cell: admitted.forced for cell, admitted in forced_by_cell(study, params).items()}
    layouts = lay_out_cells(study, params, machine, forced)
    layouts[Cell("12k", 3)] = dataclasses.replace(layouts[Cell("12k", 3)], workers=1)
    plans, runs = plans_of_study(study, params), run_lengths(study, params)
    with pytest.raises(BadInput, match="at least 2"):
        slot_forecast(1, params, machine, plans, layouts, runs, MEASURED)
    assert slot_forecast(2, params, machine, plans, layouts, runs, MEASURED) is not None


def test_the_spread_is_that_of_the_trials_of_the_study_once_there_are_enough(tmp_path: Path) -> None:
    cell = Cell("12k", 1)
    for trials in (FEWEST_FOR_SPREAD, FEWEST_FOR_SPREAD + 1):
        study = make_study(tmp_path / str(trials), horizons=[1], search__trials=trials)
        prepare(study)
        plans = plans_of_study(study, params_of(study))
        assert spread_of_trials(study, plans) == MEASURED
        search_here(
            study,
            cell,
            crews=lambda machine: VirtualCrew(
                machine, [Fraction(1)], lambda job: outcome_of_seconds(job, 1.0 + job.seed % 100)
            ),
        )
        found = spread_of_trials(study, plans)
    (folder,) = study.live_records(cell, "hpo")
    logs = [math.log(trial.outcome.seconds) for trial in read_trials(folder / TRIALS)]
    assert found.trials == FEWEST_FOR_SPREAD + 1 == len(logs)
    assert found.value == pytest.approx(statistics.stdev(logs))
