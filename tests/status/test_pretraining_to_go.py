"""The stage pretrain in `status`, `why` and `plan`: counted where the question asks for it, and only there.

On the study of tests/status/panel_written.py: the seeds of a cell took 20 and 40 s, side by side; a training has 6
epochs, so a shorter one has 4; an encoder is trained for 12.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.status.panel_written import plans_of, write_panel_study, write_params
from tests.status.written import NOW, reader

from tsladder.artifacts.progress import RunningTrial
from tsladder.artifacts.store import write_text
from tsladder.cells.pretraining_jobs import FEWER
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.planning.duration import CELL_SECONDS, Rates
from tsladder.planning.machine import Machine
from tsladder.planning.pretraining_length import SHORTER, pretraining_length
from tsladder.planning.rung_layout import TrainingTime
from tsladder.planning.study_time import cell_time
from tsladder.planning.time_left import TrainingForecast
from tsladder.status.cell_results import NO_RESULTS, CellResults
from tsladder.status.live_records import LiveWork
from tsladder.status.pretraining_to_go import pretraining_time_left
from tsladder.status.why import why

ENCODER, WHOLE, SHORT = 60.0, 30.0, 20.0
"""Expected seconds of the encoder, and of two seeds side by side at all epochs and at fewer: the mean of 20 and 40 s
times 12 / 6, 1 and 4 / 6."""
OWN = CELL_SECONDS / 3


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    places = write_panel_study(tmp_path, monkeypatch, model__patch_len=10)
    encoder = tmp_path / "src" / "tsladder" / "families" / "panel" / "encoders" / "panel_transformer.py"
    write_text(encoder, "name = 'encoder'\n")
    return places


def ask_for_pretraining(study: Places) -> None:
    write_params(study, search__pretraining={"epochs": 12})


def left(study: Places, results: CellResults, work: LiveWork | None = None) -> Any:
    found = pretraining_time_left(plans_of(study, "12k-h1"), results, work, None, NOW, 2)
    return None if found is None else found.expected


def results(**changes: Any) -> CellResults:
    return dataclasses.replace(NO_RESULTS, seed_seconds={1: 20.0, 2: 40.0}, **changes)


def end(record: Path, *names: str) -> None:
    for name in names:
        write_text(record / name / "outcome.json", "{}")


def test_the_shorter_trainings_are_those_of_the_stage() -> None:
    assert SHORTER == FEWER


@pytest.mark.parametrize(
    ("epochs", "phases", "starts"),
    [(75.0, 0, (1.0, 50 / 75, 50 / 75)), (1.0, 0, (1.0,)), (3.0, 3, (1.0,)), (6.0, 5, (1.0, 5 / 6, 5 / 6))],
)
def test_a_winner_is_trained_at_fewer_epochs_only_where_it_can_be(
    epochs: float, phases: int, starts: tuple[float, ...]
) -> None:
    length = pretraining_length(10, epochs, [None] * phases)
    assert length.starts == pytest.approx(starts)
    assert length.encoder == pytest.approx(10 / epochs)


def test_the_time_left_counts_the_stage_where_it_is_asked_for_and_not_where_it_is_not(study: Places) -> None:
    assert reader(study).read().cells["12k-h1"].seconds_to_go == 0.0
    ask_for_pretraining(study)
    state = reader(study).read()
    found = state.cells["12k-h1"].seconds_to_go
    assert found == pytest.approx(ENCODER + WHOLE + 2 * SHORT + OWN, abs=0.1)
    assert state.seconds_to_go == pytest.approx(2 * found, abs=0.2)


def test_why_lists_the_stage_with_its_time_only_where_it_is_asked_for(study: Places) -> None:
    write_params(study, train__seeds=3)
    assert {stage.stage.partition("@")[0] for stage in why(study, "12k-h1", reader=reader(study)).stages} >= {"train"}
    assert [s for s in why(study, "12k-h1", reader=reader(study)).stages if s.stage.startswith("pretrain")] == []
    ask_for_pretraining(study)
    (stage,) = (s for s in why(study, "12k-h1", reader=reader(study)).stages if s.stage.startswith("pretrain"))
    assert (stage.stage, stage.runs) == ("pretrain@12k-1", "certainly")
    assert stage.seconds is not None
    assert stage.seconds > ENCODER


def test_what_has_ended_in_the_record_that_the_stage_holds_is_not_counted_again(study: Places, tmp_path: Path) -> None:
    ask_for_pretraining(study)
    record = tmp_path / "record"
    work = LiveWork(phase="pretrain", folder=record)
    found = [left(study, results(), work)]
    for names in (
        ["encoder/seed-1"],
        ["from-encoder-6-epochs/seed-1", "from-encoder-6-epochs/seed-2"],
        ["from-scratch-4-epochs/seed-2"],
        ["from-scratch-4-epochs/seed-1", "from-encoder-4-epochs/seed-1", "from-encoder-4-epochs/seed-2"],
    ):
        end(record, *names)
        found.append(left(study, results(), work))
    assert found == pytest.approx(
        [
            ENCODER + WHOLE + 2 * SHORT,
            WHOLE + 2 * SHORT,
            2 * SHORT,
            # One seed alone takes as long as two side by side.
            2 * SHORT,
            0.0,
        ]
    )


def test_a_record_of_another_stage_says_nothing_about_this_one(study: Places, tmp_path: Path) -> None:
    ask_for_pretraining(study)
    end(tmp_path / "record", "encoder/seed-1")
    assert left(study, results(), LiveWork(phase="train", folder=tmp_path / "record")) == left(study, results())


def test_a_training_under_way_counts_for_what_it_has_not_done(study: Places, tmp_path: Path) -> None:
    ask_for_pretraining(study)
    half_done = RunningTrial(number=1, epoch=6, epochs=12)
    work = LiveWork(phase="pretrain", folder=tmp_path / "record", running=(half_done,))
    assert left(study, results(), work) == pytest.approx(ENCODER / 2 + WHOLE + 2 * SHORT)


def test_a_forecast_tells_where_nothing_has_ended_and_nothing_is_known_without_one(study: Places) -> None:
    ask_for_pretraining(study)
    plans = plans_of(study, "12k-h1")
    assert left(study, NO_RESULTS) is None
    forecast = TrainingForecast(expected=6.0, at_most=9.0, workers=2)
    found = pretraining_time_left(plans, NO_RESULTS, None, forecast, NOW, 2)
    assert found is not None
    assert found.expected == pytest.approx(12.0 + 6.0 + 2 * 4.0)
    assert found.low < found.expected < found.high


def test_the_plan_of_a_cell_counts_the_stage(study: Places) -> None:
    one = TrainingTime(step=0.1, epoch=1.0, expected=6.0, at_most=9.0, trial_expected=6.0, trial_at_most=9.0)
    machine = Machine(cores=2, memory_gib=8.0, device="cpu", rates=Rates())
    without = cell_time(load_panel_params(study.params), machine, one, 2)
    ask_for_pretraining(study)
    asked = cell_time(load_panel_params(study.params), machine, one, 2)
    # The encoder is never stopped early: 12 of 6 epochs of 9 s.
    assert asked.expected - without.expected == pytest.approx(18.0 + 6.0 * (1 + 2 * 4 / 6))
    assert asked.at_most - without.at_most == pytest.approx(18.0 + 9.0 * (1 + 2 * 4 / 6))
