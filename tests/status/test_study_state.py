"""Where the cells stand, on a study on disk whose every figure is known (tests/status/written.py)."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests import cell_files
from tests.small_records import horizon_law, study_law
from tests.status import written
from tests.status.golden import same_as_golden
from tests.status.written import (
    NOW,
    lines,
    live_search,
    lock,
    plans_of,
    reader,
    set_leaves,
    trial,
    write_study,
)

from tsladder.artifacts.law import write_law
from tsladder.artifacts.store import append_line, read_json, write_json, write_text
from tsladder.console.status_lines import status_lines
from tsladder.locks import exclusive_lock
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.report.study_files import read_facts
from tsladder.results.table import to_csv
from tsladder.status.live_records import STALLED_SECONDS
from tsladder.status.study_state import CellState, StudyState
from tsladder.status.why import why
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
OWN = 10.0 / 3.0
"""Seconds that a stage takes beside its trainings; its interval is half to twice of it."""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    return write_study(tmp_path, monkeypatch)


def state_of(places: Places) -> StudyState:
    return reader(places).read()


def cell(places: Places, name: str = "12k-h1") -> CellState:
    return state_of(places).cells[name]


def test_status_json_of_cells_in_every_state_is_the_golden_one(study: Places) -> None:
    """12k-h1 has failed, 12k-h3 is fresh, 30k-h1 is searched, 30k-h3 lacks its scores, 80k is not planned.

    To go, 30k-h1: trials took 10, 20 and 30 s (mean 20); three come, and two that have run 15 and 5 s have 10 and 15 s
    left: (60 + 25) / 2 on two workers, then two seeds of 20 s side by side, and 3 stages of 10/3 s: 42.5 + 20 + 10.
    Its interval: t = 2.912 (two degrees of freedom, by the expansion used), s = 10, so 2.912 * 10 * sqrt(5 + 25/3) / 2
    = 53.2 for the five trials and 2.912 * 10 * sqrt(2 + 4/3) / 2 = 26.6 for the two seeds; the lower end of the search
    is cut at 0 and that of the retraining too: 3 * 10/6 = 5.0 remain, and 42.5 + 53.2 + 20 + 26.6 + 20 = 162.2 above.
    30k-h3 needs its scoring alone: 10/3, from half to twice. 12k-h1 is taken up again: its trials and seeds are
    there, so three stages of 10/3 s, of which the later two may have nothing to do. Fresh cells need nothing.
    """
    written.fail(study, CELL, "none of 8 trials ended with a loss")
    open_cell = Held(study, "30k-h1")
    written.never_built(study, Cell("30k", 1))
    (study.scores(Cell("30k", 3)) / "scores.json").unlink()
    with open_cell.held(progress()):
        same_as_golden("status.json", state_of(study).to_json())


def test_what_is_to_be_known_beside_the_verdicts_is_reported_once_for_all_of_them(study: Places) -> None:
    path = study.law / "scaling.json"
    record = read_json(path)
    for law in record["horizons"].values():
        law["warnings"] = ["a probe would need 150 windows"]
    write_json(path, record)
    lock(study)
    state = state_of(study)
    assert all(verdict.warnings == ("a probe would need 150 windows",) for verdict in state.verdicts.values())
    assert status_lines(state).count("h1, h3: WARNING: a probe would need 150 windows") == 1


def test_a_finished_study_is_fresh_and_its_law_current(study: Places) -> None:
    state = state_of(study)
    assert {name: cell.state for name, cell in state.cells.items() if not name.startswith("80k")} == dict.fromkeys(
        ("12k-h1", "12k-h3", "30k-h1", "30k-h3"), "fresh"
    )
    assert all(verdict.current and verdict.verdict == "flat" for verdict in state.verdicts.values())
    assert (state.cells["12k-h1"].best_val_loss, state.cells["12k-h1"].test_loss) == (0.43, 0.40)
    # Trials 10 + 20 + ... + 80, seeds 20 + 40.
    assert state.cells["12k-h1"].seconds_spent == 360.0 + 60.0
    assert state.seconds_to_go == state.seconds_to_go_high == 0.0


@pytest.mark.parametrize("change", [{"training__patience": 6}, {"train__seeds": 3}, {"windows__context_length": 60}])
def test_a_stale_cell_shows_no_score_and_its_law_no_verdict(study: Places, change: dict[str, Any]) -> None:
    set_leaves(study, **change)
    state = state_of(study)
    assert state.cells["12k-h1"].state == "stale"
    assert (state.cells["12k-h1"].test_loss, state.cells["12k-h1"].skill) == (None, None)
    assert [(law.verdict, law.alpha, law.current) for law in state.verdicts.values()] == [("stale", None, False)] * 2


def test_a_law_of_another_question_is_stale_whatever_dvc_says(study: Places) -> None:
    write_law(study.scaling, study_law({1: horizon_law("scales")}, study_key="another"))
    lock(study)
    assert {law.verdict for law in state_of(study).verdicts.values()} == {"stale"}


def test_trials_of_an_earlier_question_are_not_counted_and_those_of_this_one_are(study: Places) -> None:
    set_leaves(study, training__patience=6)
    assert cell(study).trials_done == 0
    write_text(live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl", lines([trial(0), trial(1)]))
    found = cell(study)
    assert (found.state, found.trials_done, found.best_val_loss) == ("stale", 2, 0.49)
    assert found.stop_reasons == {"completed": 1, "early_stopping": 1}


def test_trials_on_other_bars_are_not_counted_though_the_plan_is_the_same(study: Places) -> None:
    write_text(study.root / "data" / "tiny.parquet", "barz")
    found = cell(study)
    assert (found.state, found.trials_done, found.best_val_loss) == ("stale", 0, None)


def test_an_interrupted_attempt_is_not_done_and_a_trial_counts_by_its_last_attempt(study: Places) -> None:
    set_leaves(study, training__patience=6)
    path = live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl"
    append_line(path, trial(0, state="interrupted", stop_reason="interrupted"))
    assert cell(study).trials_done == 0
    append_line(path, trial(0, 7.0, attempt=2))
    assert (cell(study).trials_done, cell(study).seconds_spent) == (1, 7.0)


def test_the_seconds_of_a_trial_taken_over_are_not_spent_again(study: Places) -> None:
    set_leaves(study, training__patience=6)
    path = live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl"
    append_line(path, trial(0, 90.0, taken_from={"folder": "12k-h1-0123456789abcdef", "number": 0}))
    append_line(path, trial(1, 7.0))
    assert (cell(study).trials_done, cell(study).seconds_spent) == (2, 7.0)


def test_one_more_seed_costs_one_training_and_no_search(study: Places) -> None:
    """The seeds there are took 20 and 40 s; two are too few for a scatter, so the interval is half to twice."""
    set_leaves(study, train__seeds=3)
    found = cell(study)
    assert found.seconds_to_go == pytest.approx(30.0 + 2 * OWN, abs=0.1)
    # Scoring follows only if the third seed changes the models: it counts at the upper end alone.
    assert found.seconds_to_go_low == pytest.approx(15.0 + OWN / 2, abs=0.1)
    assert found.seconds_to_go_high == pytest.approx(60.0 + 4 * OWN, abs=0.1)


def test_what_is_left_of_a_search_follows_from_its_own_trials(study: Places) -> None:
    """Four of eight trials took 10, 20, 30 and 40 s: a mean of 25, four to come on two workers and two seeds."""
    set_leaves(study, training__patience=6)
    path = live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl"
    write_text(path, lines([trial(number) for number in range(4)]))
    found = cell(study)
    assert found.seconds_to_go == pytest.approx(4 * 25.0 / 2 + 2 * 25.0 / 2 + 3 * OWN, abs=0.1)
    # Student's t of 95 % at three degrees of freedom is 2.3534 (any table).
    scatter = 2.3534 * statistics.stdev([10, 20, 30, 40])
    half = scatter * ((4 + 16 / 4) ** 0.5 + (2 + 4 / 4) ** 0.5) / 2
    assert found.seconds_to_go_high is not None
    assert found.seconds_to_go_high == pytest.approx(75.0 + half + 6 * OWN, rel=0.001)


def test_before_any_trial_the_forecast_says_what_a_cell_takes(study: Places) -> None:
    set_leaves(study, training__patience=6)
    small, large = cell(study, "12k-h1"), cell(study, "30k-h1")
    assert small.seconds_to_go is not None
    assert large.seconds_to_go is not None
    assert 3 * OWN < small.seconds_to_go < large.seconds_to_go
    study.horizon_splits(1).unlink()
    assert cell(study).seconds_to_go is None, "without splits the windows are not known"


def progress(**changes: Any) -> dict[str, Any]:
    entry = {
        "number": 3,
        "epoch": 5,
        "epochs": 20,
        "val_loss": 0.47,
        "started": NOW - 15.0,
        "silent_seconds": 0.4,
        "resident_gib": 0.5,
    }
    head = {"at": NOW, "phase": "search", "paused": None, "celsius": 61.0, "done": 3, "total": 8}
    return head | {"running": [entry, entry | {"number": 4, "started": NOW - 5.0}]} | changes


class Held:
    """The search of a cell's present question, three trials done, that some process works on."""

    def __init__(self, places: Places, name: str = "12k-h1") -> None:
        self.places = places
        self.folder = live_search(places, plans_of(places, name))
        write_text(self.folder / "trials.jsonl", lines([trial(number) for number in range(3)]))

    @contextmanager
    def held(self, record: dict[str, Any] | str | None) -> Iterator[None]:
        with exclusive_lock(self.folder, "it"):
            # Taken long before NOW, and not when the test runs.
            os.utime(self.folder / "lock", (NOW - 1000.0, NOW - 1000.0))
            if isinstance(record, dict):
                write_json(self.folder / "progress.json", record)
            elif record is not None:
                write_text(self.folder / "progress.json", record)
            yield


def held_search(places: Places) -> Held:
    """Of 12k-h1, after a parameter has changed."""
    set_leaves(places, training__patience=6)
    return Held(places)


def running(places: Places, record: dict[str, Any] | str | None) -> CellState:
    with held_search(places).held(record):
        return cell(places)


def test_a_running_cell_shows_its_phase_workers_and_heat(study: Places) -> None:
    found = running(study, progress())
    assert (found.state, found.phase, found.phase_done, found.phase_total) == ("running", "search", 3, 8)
    assert (found.celsius, found.resident_gib, found.paused, found.stalled_seconds) == (61.0, 1.0, None, None)
    assert [(trial.number, trial.epoch, trial.val_loss) for trial in found.running] == [(3, 5, 0.47), (4, 5, 0.47)]


def test_trials_under_way_count_for_what_they_have_left(study: Places) -> None:
    """Ended ones took 10, 20 and 30 s, the two that run have run 15 and 5 s. Of those longer than 15 s the mean is 10
    beyond it; of those longer than 5 s it is 15. Three more at 20 s each, on two workers; then two seeds of 20 s."""
    found = running(study, progress())
    assert found.seconds_to_go == pytest.approx((3 * 20 + 10 + 15) / 2 + 2 * 20 / 2 + 3 * OWN, abs=0.1)


def test_a_trial_longer_than_all_before_it_continues_at_its_own_pace(study: Places) -> None:
    """40 s for 5 of 20 epochs leave 120 s, longer than what the other worker has to do: it is waited for."""
    slow = progress()["running"][0] | {"started": NOW - 40.0}
    found = running(study, progress(running=[slow]))
    assert found.seconds_to_go == pytest.approx(120.0 + 20.0 + 3 * OWN, abs=0.1)


@pytest.mark.parametrize(
    ("record", "stalled"),
    [
        (progress(), None),
        (progress(at=NOW - 130.0), 130.4),
        (progress(running=[progress()["running"][0] | {"silent_seconds": 150.0}]), 150.0),
        (progress(at=NOW - 60.0, running=[progress()["running"][0] | {"silent_seconds": 100.0}]), 160.0),
        (progress(at=NOW - 60.0, paused="heat"), None),
        ({"at": NOW - 900.0, "running": [{"number": 0, "epoch": 1, "epochs": 20, "val_loss": 0.5}]}, None),
    ],
)
def test_silence_is_a_stall_from_two_minutes_on(study: Places, record: dict[str, Any], stalled: float | None) -> None:
    """Of a worker or of its supervisor; an older file, written after epochs only, says nothing of silence."""
    assert STALLED_SECONDS == 120.0
    assert running(study, record).stalled_seconds == (None if stalled is None else pytest.approx(stalled))


@pytest.mark.parametrize(
    "record", [None, '{"at": 1, "run', "[]", "", '{"running": [{"number": "x"}, 3]}', '{"running": 4}']
)
def test_a_progress_file_that_says_nothing_still_leaves_the_cell_running(study: Places, record: str | None) -> None:
    found = running(study, record)
    assert (found.state, found.phase, found.running) == ("running", "search", ())


def test_what_a_killed_holder_left_is_not_taken_for_the_next_one(study: Places) -> None:
    found = running(study, progress(at=NOW - 5000.0))
    assert (found.running, found.stalled_seconds) == ((), None)


def test_dvc_at_work_on_a_stage_says_the_phase_and_a_dead_one_does_not(study: Places, tmp_path: Path) -> None:

    set_leaves(study, training__patience=6)
    holder = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "dvc repro"])
    try:
        path = str(study.scores(CELL))
        write_json(study.root / ".dvc" / "tmp" / "rwlock", {"write": {path: {"pid": holder.pid, "cmd": "dvc repro"}}})
        state = state_of(study)
        assert (state.cells["12k-h1"].state, state.cells["12k-h1"].phase) == ("running", "evaluate")
        assert state.stages_running == ("evaluate@12k-1",)
        assert state.cells["30k-h1"].state == "stale"
    finally:
        holder.kill()
        holder.wait()
    assert cell(study).phase is None


@pytest.mark.parametrize("name", ["trials.jsonl", "live"])
def test_a_damaged_file_is_reported_on_its_cell_and_hides_no_other(study: Places, name: str) -> None:
    if name == "live":
        set_leaves(study, training__patience=6)
        write_text(live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl", "{torn\n{}\n")
    else:
        write_text(study.hpo(CELL) / name, "{torn\n{}\n")
        lock(study)
    state = state_of(study)
    assert "damaged" in (state.cells["12k-h1"].reason or "")
    assert state.cells["12k-h3"].reason is None
    assert any(line.startswith("12k-h1: ") and "damaged" in line for line in status_lines(state))


def test_an_output_changed_by_hand_makes_its_cell_stale(study: Places) -> None:
    write_json(study.scores(CELL) / "scores.json", cell_files.scores(CELL))
    assert cell(study).state == "stale"
    assert [(reason.kind, reason.name) for reason in why(study, "12k-h1").reasons] == [
        ("output", "artifacts/scores/12k-h1")
    ]


def test_a_comment_of_a_module_leaves_everything_fresh(study: Places) -> None:
    path = study.root / "src/tsladder/training/trainer.py"
    path.write_text("# a remark\n" + path.read_text())
    assert cell(study).state == "fresh"
    assert why(study, "12k-h1").reasons == ()


def test_with_no_study_yet_every_planned_cell_is_pending(study: Places) -> None:
    for name in ("artifacts", "mlruns"):
        shutil.rmtree(study.root / name)
    (study.root / "dvc.lock").unlink()
    state = state_of(study)
    assert {cell.state for name, cell in state.cells.items() if not name.startswith("80k")} == {"pending"}
    assert [law.verdict for law in state.verdicts.values()] == [None, None]


def test_a_second_look_sees_what_has_changed_since_the_first(study: Places) -> None:
    watching = reader(study)
    assert watching.read().cells["12k-h1"].state == "fresh"
    set_leaves(study, training__patience=6)
    assert watching.read().cells["12k-h1"].state == "stale"
    set_leaves(study, training__patience="preset")
    assert watching.read().cells["12k-h1"].state == "fresh"
    write_text(study.root / "data" / "tiny.parquet", "barz")
    assert watching.read().cells["12k-h1"].state == "stale"
    write_text(study.root / "data" / "tiny.parquet", "bars")
    assert watching.read().cells["12k-h1"].state == "fresh"
    path = study.root / "src/tsladder/training/trainer.py"
    path.write_text("steps = 12  # a longer file\n")
    assert watching.read().cells["12k-h1"].state == "stale"


@pytest.mark.slow
def test_the_table_of_nine_rungs_fits_a_hundred_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ladder = ["12k", "30k", "80k", "200k", "750k", "2M", "20M", "200M", "2B"]
    study = write_study(tmp_path, monkeypatch, ladder=ladder, horizons=[1, 3], budget="200M")
    found = status_lines(state_of(study))
    assert max(len(line) for line in found) <= 100
    assert "not planned: 2B" in found
    assert not [line for line in found if line.startswith("2B-")]


def test_status_json_is_json_with_the_keys_of_the_contract(study: Places) -> None:
    record = json.loads(json.dumps(state_of(study).to_json()))
    assert {"study_key", "cells", "verdicts", "seconds_spent", "seconds_to_go"} <= set(record)
    law = {"verdict": "flat", "alpha": 0.01, "alpha_ci": [0.005, 0.015], "current": True, "warnings": []}
    law |= {"alpha_ci_rungs": None, "alpha_ci_days": None}
    assert record["verdicts"]["1"] == law


def test_under_the_auc_every_best_figure_is_that_of_the_trial_with_the_highest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_study(tmp_path, monkeypatch, search__objective="val_auc", training__monitor="val_auc")
    params = {"d_model": 8, "n_layers": 2, "n_heads": 2, "d_ff": 32, "learning_rate": 0.001}
    trials = [trial(0, val_auc=0.60, params=params), trial(1, val_auc=0.70, params=params), trial(2, val_auc=0.65)]
    write_text(study.hpo(CELL) / "trials.jsonl", lines(trials))
    lock(study)
    found = cell(study)
    assert (found.objective, found.best_score, found.best_val_auc, found.best_val_loss) == ("val_auc", 0.7, 0.7, 0.49)
    best = found.best_configuration
    assert best is not None
    assert (best.number, best.score, best.loss) == (1, 0.7, 0.49)
    assert best.architecture == {"d_model": 8, "n_layers": 2, "n_heads": 2, "d_ff": 32, "patch_len": 16, "stride": 8}
    assert best.settings == {"learning_rate": 0.001, "effective_batch": 32}
    (line,) = [line for line in status_lines(state_of(study)) if line.startswith("12k-h1 ")]
    assert line.split()[4:6] == ["0.7000", "0.4900"]


def test_the_table_for_scripts_is_that_of_the_report_and_leaves_out_what_is_stale(study: Places) -> None:
    facts = read_facts(study, load_params(study.params))
    assert reader(study).table() == to_csv(facts.params, facts.study_key, facts.cells)
    set_leaves(study, training__patience=6)
    told = list(csv.DictReader(io.StringIO(reader(study).table())))
    assert [row["experiment"] for row in told] == [
        f"6A_{cell}_threshold_1pct" for cell in ("12k_h1", "12k_h3", "30k_h1", "30k_h3")
    ]
    assert {row[name] for row in told for name in ("status", "val_loss", "test_loss", "n_trials")} == {""}


def test_the_table_has_the_trials_of_a_search_that_runs(study: Places) -> None:
    held = Held(study, "30k-h1")
    written.never_built(study, Cell("30k", 1))
    with held.held(progress()):
        told = {f"{row['budget']}-h{row['horizon']}": row for row in csv.DictReader(io.StringIO(reader(study).table()))}
    assert (told["30k-h1"]["n_trials"], told["30k-h1"]["status"]) == ("3", "")
    assert told["12k-h1"]["status"] == "success"
