"""Cells of a panel study in `status`, `why`, `plan` and `watch`, on a study on disk whose every figure is known
(tests/status/panel_written.py)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.panel.made_up import ORIGIN, made_up
from tests.panel_studies import long_frame
from tests.status.panel_written import (
    CELL,
    JUDGED_DAYS,
    RANK_IC,
    SKILL,
    TRAIN_DAYS,
    TRIALS,
    live_search,
    plans_of,
    ranked_trial,
    write_panel_study,
    write_params,
)
from tests.status.written import NOW, lines, lock, reader

from tsladder.artifacts.store import write_json, write_text
from tsladder.cli import main
from tsladder.console.live_table import Activity, render
from tsladder.console.plan_lines import forced_lines, forecast_lines
from tsladder.console.status_lines import status_lines
from tsladder.console.why_lines import why_lines
from tsladder.errors import BadInput
from tsladder.locks import exclusive_lock
from tsladder.panel.file import write_panel
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.planning.run_length import have_same_samples, run_length_on_disk, run_lengths
from tsladder.status.dry_run import study_forecast
from tsladder.status.study_state import CellState, StudyState, study_state
from tsladder.status.why import Why, why

OF_CELL = ("hpo", "train", "evaluate")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    return write_panel_study(tmp_path, monkeypatch)


def state_of(places: Places) -> StudyState:
    return reader(places).read()


def cell(places: Places, name: str = "12k-h1") -> CellState:
    return state_of(places).cells[name]


def ask(places: Places, name: str = "12k-h1") -> Why:
    return why(places, name, reader=reader(places))


def reasons_of(found: Why) -> list[tuple[Any, ...]]:
    """(kind, name, old, new, stages without their cell) of each reason."""
    return [
        (one.kind, one.name, one.old, one.new, tuple(stage.partition("@")[0] for stage in one.stages))
        for one in found.reasons
    ]


# --------------------------------------------------------------------------------------------------------------- status


def test_a_finished_study_is_fresh_with_the_rankings_of_its_cells_and_the_level_to_beat(study: Places) -> None:
    state = state_of(study)
    assert {name: one.state for name, one in state.cells.items()} == {
        "12k-h1": "fresh",
        "25k-h1": "fresh",
        "50k-h1": "not_planned",
    }
    found = state.cells["12k-h1"]
    assert (found.trials_done, found.trials_total, found.seeds_done) == (TRIALS, TRIALS, 2)
    assert (found.best_val_loss, found.test_loss, found.skill) == (0.94, 1.0 - RANK_IC, SKILL)
    # Trials 10 + 20 + ... + 60, seeds 20 + 40.
    assert found.seconds_spent == 210.0 + 60.0
    assert state.seconds_to_go == 0.0
    assert state.verdicts["1"].verdict == "flat"
    assert state.panel is not None
    level = state.panel.horizons[1]
    assert level is not None
    assert (level.to_beat, level.fresh) == ("ridge", True)
    assert not any("@" in stage for stage in state.panel.stages)


def test_the_lines_show_rank_ics_and_no_loss(study: Places) -> None:
    text = "\n".join(status_lines(state_of(study)))
    assert "best validation RankIC / test RankIC" in text
    assert "fresh 0.0600 / 0.0500" in text
    assert "not planned: 50k" in text
    assert "Leak audit: passed." in text
    assert "to beat" in text
    assert "loss" not in text


def test_json_has_the_fields_of_a_series_study_and_those_of_the_panel(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(study.project)
    assert main(["--study", "panel", "status", "--json"]) == 0
    ours = json.loads(capsys.readouterr().out)
    assert main(["status", "--json"]) == 0
    series = json.loads(capsys.readouterr().out)
    assert set(series) < set(ours)
    assert set(ours["cells"]["12k-h1"]) == set(series["cells"]["12k-h1"])
    assert {"panel", "audit", "horizons", "universe", "bias"} <= set(ours)
    assert ours["horizons"]["1"]["to_beat"] == "ridge"


def test_the_table_has_a_row_for_each_planned_cell(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(study.root)
    assert main(["status", "--csv"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("experiment,")
    assert [row.split(",")[2] for row in rows] == ["12k", "25k"]


def test_trials_under_way_are_those_of_the_panel_and_not_of_the_series(study: Places) -> None:
    """Both studies have a cell 12k-h1; each of them sees its own search alone."""
    write_params(study, training__patience=6)
    folder = live_search(study, plans_of(study, "12k-h1"))
    write_text(folder / "trials.jsonl", lines([ranked_trial(number) for number in range(3)]))
    entry = {"number": 3, "epoch": 2, "epochs": 6, "val_loss": 0.97, "started": NOW - 15.0, "silent_seconds": 0.4}
    head = {"at": NOW, "phase": "search", "paused": None, "celsius": 61.0, "done": 3, "total": TRIALS}
    with exclusive_lock(folder, "it"):
        os.utime(folder / "lock", (NOW - 1000.0, NOW - 1000.0))
        write_json(folder / "progress.json", head | {"running": [entry | {"resident_gib": 0.25}]})
        state = state_of(study)
        series = study_state(Places(study.project, study.home))
    found = state.cells["12k-h1"]
    assert (found.state, found.phase, found.phase_done, found.trials_done) == ("running", "search", 3, 3)
    assert found.best_val_loss == 0.97
    assert series.cells["12k-h1"].state == "pending"
    shown = Console(width=120, height=20, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    shown.print(render(state, Activity(), width=120, height=20))
    text = shown.export_text()
    assert "12k-h1 trial 4  epoch 2/6  val RankIC 0.0300" in text
    assert "best RankIC" in text


def test_silence_is_a_stall_from_two_minutes_on(study: Places) -> None:
    write_params(study, training__patience=6)
    folder = live_search(study, plans_of(study, "12k-h1"))
    entry = {"number": 0, "epoch": 1, "epochs": 6, "started": NOW - 200.0, "silent_seconds": 130.0}
    with exclusive_lock(folder, "it"):
        os.utime(folder / "lock", (NOW - 1000.0, NOW - 1000.0))
        write_json(folder / "progress.json", {"at": NOW, "phase": "search", "done": 0, "total": 6, "running": [entry]})
        assert cell(study).stalled_seconds == 130.0


def test_memory_that_either_study_holds_counts_as_free_in_the_plan(study: Places) -> None:
    folder = live_search(study, plans_of(study, "25k-h1"))
    running = [{"number": 0, "epoch": 1, "epochs": 6, "resident_gib": 1.5}]
    with exclusive_lock(folder, "it"):
        write_json(folder / "progress.json", {"at": NOW + 1e9, "phase": "search", "running": running})
        for root in (study.root, study.project):
            notes = study_forecast(Places(root, study.home), None).notes
            assert any("beside a running study: the 1.5 GiB" in note for note in notes)


def test_before_a_trial_the_forecast_says_what_a_cell_takes(study: Places) -> None:
    write_params(study, training__patience=6)
    small, large = cell(study, "12k-h1"), cell(study, "25k-h1")
    assert small.seconds_to_go is not None
    assert large.seconds_to_go is not None
    assert 10.0 < small.seconds_to_go < large.seconds_to_go
    study.horizon_splits(1).unlink()
    assert cell(study).seconds_to_go is None, "without splits the days are not known"


def test_a_damaged_file_is_reported_on_its_cell_and_hides_no_other(study: Places) -> None:
    write_text(study.hpo(CELL) / "trials.jsonl", "{torn\n{}\n")
    lock(study)
    state = state_of(study)
    assert "damaged" in (state.cells["12k-h1"].reason or "")
    assert state.cells["25k-h1"].reason is None


def test_without_the_file_of_the_panel_the_state_is_that_of_the_records(study: Places) -> None:
    study.bars("made_up").unlink()
    assert cell(study).trials_done == 0, "features are those of another panel, as far as DVC can tell"
    assert cell(study).state == "stale"
    study.features_manifest.unlink()
    with pytest.raises(BadInput, match=r"made_up\.parquet does not exist"):
        state_of(study)


# ------------------------------------------------------------------------------------------------------------------ why


@pytest.mark.parametrize(
    ("leaves", "reasons"),
    [
        ({"train__seeds": 3}, [("train.seeds", 2, 3, ("train",))]),
        ({"training__patience": 6}, [("training.patience", 3, 6, OF_CELL)]),
        ({"training__train_every": 3}, [("training.train_every", 2, 3, OF_CELL)]),
        (
            {"training__loss_weights": {"ic": 1.0, "quantile": 0.5}},
            [("training.loss_weights.quantile", None, 0.5, OF_CELL)],
        ),
        ({"evaluation__cost_bps": 7.0}, [("evaluation.cost_bps", 5.0, 7.0, ("baselines", "evaluate"))]),
        ({"law__alpha_of_interest": 0.02}, []),
        ({"hardware__workers": 1}, []),
    ],
)
def test_a_parameter_is_named_by_its_path_and_what_follows_from_it_is_not(
    study: Places, leaves: dict[str, Any], reasons: list[tuple[Any, ...]]
) -> None:
    write_params(study, **leaves)
    found = reasons_of(ask(study))
    assert [reason[1:] for reason in found] == reasons
    assert all(reason[0] == "parameter" for reason in found)


def test_another_panel_file_is_named_as_data_and_its_cells_may_follow(study: Places) -> None:
    write_panel(study.bars("made_up"), long_frame(made_up(days=690)), ORIGIN)
    found = ask(study)
    (data,) = [reason for reason in reasons_of(found) if reason[0] == "data"]
    assert data[1] == "data/made_up.parquet"
    assert data[4] == ("features", "splits", "baselines")
    runs = {stage.stage: stage.runs for stage in found.stages}
    assert (runs["features"], runs["hpo@12k-1"]) == ("certainly", "perhaps")


def test_a_module_of_a_stage_that_depends_on_its_file_is_named_without_the_way_to_it(study: Places) -> None:
    path = study.project / "src/tsladder/artifacts/panel_splits.py"
    path.write_text(path.read_text() + "more = 1\n")
    assert ("module", "tsladder.artifacts.panel_splits", ("splits",)) in [
        (kind, name, stages) for kind, name, _, _, stages in reasons_of(ask(study))
    ]


def test_a_module_that_makes_numbers_is_named_with_the_stages_that_it_reaches(study: Places) -> None:
    path = study.project / "src/tsladder/training/trainer.py"
    path.write_text(path.read_text().replace("11", "12"))
    assert [(kind, name, stages) for kind, name, _, _, stages in reasons_of(ask(study))] == [
        ("module", "tsladder.training.trainer", OF_CELL)
    ]


def test_a_fresh_cell_says_so_and_one_above_the_top_rung_says_how_to_plan_it(study: Places) -> None:
    assert why_lines(ask(study)) == ["12k-h1 is fresh: nothing has changed since it was built"]
    found = ask(study, "50k-h1")
    assert found.state == "not_planned"
    assert "budget: 50k" in (found.note or "")


def test_trials_of_an_earlier_search_are_reported_and_cost_nothing(study: Places) -> None:
    from tsladder.planning.cell_inputs import cell_inputs
    from tsladder.planning.identity import training_base, training_code, training_identity
    from tsladder.search.configuration import IDENTITY
    from tsladder.search.streams import trial_seed
    from tsladder.vocabulary import Phase

    plans = plans_of(study, "12k-h1")
    base = training_base(plans.search, *cell_inputs(study, plans.search.question), training_code(plans.search))
    ended = []
    for number in range(TRIALS):
        configuration = {**dict.fromkeys(IDENTITY, 1), "epochs": 1 + number}
        seed = trial_seed(42, plans.cell, Phase.SEARCH, number)
        identity = training_identity(base, configuration, seed)
        ended.append(ranked_trial(number, params={**configuration, "seed": seed}, curve=[[1, 0.9]], identity=identity))
    write_text(live_search(study, plans) / "trials.jsonl", lines(ended))
    write_params(study, search__trials=8)
    found = ask(study)
    assert (found.trials_taken_over, found.trials_total) == (TRIALS, 8)
    forecast = study_forecast(study, None)
    assert forecast.cells["12k-h1"].trials_taken_over == TRIALS
    assert forecast.cells["25k-h1"].trials_taken_over == 0


# ----------------------------------------------------------------------------------------------------------------- plan


def test_an_epoch_sees_a_part_of_the_training_days(study: Places) -> None:
    """301 days, of which an epoch sees every second, or every third."""
    for every, seen in ((1, TRAIN_DAYS), (2, 151), (3, 101)):
        write_params(study, training__train_every=every)
        run = run_length_on_disk(study, load_panel_params(study.params), 1)
        assert run is not None
        assert (run.train_windows, run.validation_windows, run.epochs) == (seen, JUDGED_DAYS, 6.0)


def test_days_counted_from_the_panel_are_those_that_the_stages_find(study: Places) -> None:
    from tsladder.panel.build import build_panel_features
    from tsladder.panel.split_files import build_panel_splits

    params = load_panel_params(study.params)
    counted = run_lengths(study, params, built=False)
    build_panel_features(study, params)
    build_panel_splits(study, params)
    assert run_lengths(study, params) == counted
    assert counted[1].train_windows > counted[1].validation_windows > 0


def test_the_plan_counts_days_and_names_the_forced_configurations_of_each_rung(study: Places) -> None:
    forecast = study_forecast(study, None)
    small, large = forecast.cells["12k-h1"], forecast.cells["25k-h1"]
    assert small.predicted_seconds is not None
    assert large.predicted_seconds is not None
    assert small.predicted_seconds < large.predicted_seconds
    assert (small.effective_batch, small.trials, small.seeds) == (32, TRIALS, 2)
    assert not forecast.cells["50k-h1"].planned
    text = "\n".join(forecast_lines(forecast))
    assert "32 days x 1" in text
    assert "windows" not in text
    assert any(line.startswith("12k-h1  largest n_layers") for line in forced_lines(forecast))
    assert forecast.features.to_json() == {"tier": "s9", "columns": 9, "constant_over_training": None}


def test_other_leaves_are_planned_without_an_edit_of_the_file(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(study.root)
    before = study.params.read_text()
    assert main(["plan", "--json", "--budget", "50k", "-S", "search.trials=9"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert {one["trials"] for one in cells.values()} == {9}
    assert all(one["planned"] for one in cells.values())
    assert study.params.read_text() == before


@pytest.mark.parametrize(
    ("leaf", "same"),
    [
        ("search.trials=9", True),
        ("universe.min_stocks=6", False),
        ("target.entry_lag=2", False),
        ("horizons=[2]", False),
    ],
)
def test_days_are_the_same_where_no_leaf_that_makes_them_differs(study: Places, leaf: str, same: bool) -> None:
    one, other = load_panel_params(study.params), load_panel_params(study.params, [leaf])
    assert have_same_samples(one, other) is same


def test_models_of_two_horizons_differ_where_one_forecasts_both(study: Places) -> None:
    write_params(study, horizons=[1, 5], training__horizon_weights={5: 0.5}, budget="12k")
    cells = study_forecast(study, None).cells
    both, one = cells["12k-h1"].forced, cells["12k-h5"].forced
    assert {item["what"] for item in both} == {item["what"] for item in one}
    assert [item["n_params"] for item in both] != [item["n_params"] for item in one]


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["why", "12k-h2"], "'12k-h2' is no cell of this study"),
        (["why", "zzz"], "<budget>-h<horizon>"),
        (["run", "--only", "12k-h2"], "'12k-h2' is no cell of this study"),
        (["run", "--only", "50k-h1"], "50k-h1 is not planned"),
        (["run", "--from", "50k-h1"], "50k-h1 is not planned"),
        (["run", "--from", "12k-h1", "--only", "25k-h1"], "--from and --only exclude each other"),
        (["plan", "--budget", "7k"], "--budget must be a rung of the ladder"),
        (["plan", "-S", "search.trails=9"], "search.trials"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_one_message_and_nothing_is_run(
    arguments: list[str],
    says: str,
    study: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(study.root)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert said.err.count("tsladder:") == 1
    assert not study.logs.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--only", "12k-h1"], "--retry-failed, --from and --only choose cells of models"),
        (["run", "--retry-failed"], "--retry-failed, --from and --only choose cells of models"),
        (["watch"], "`tsladder watch` is about cells of models"),
        (["export", "x.zip"], "`tsladder export` is about cells of models"),
        (["compare", "12k-h1", "25k-h1"], "`tsladder compare` is about cells of models"),
    ],
)
def test_without_a_top_rung_what_needs_cells_is_refused(
    arguments: list[str],
    says: str,
    study: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_params(study, budget=None)
    monkeypatch.chdir(study.root)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "budget" in said
    assert len(said.splitlines()) == 1


def test_without_a_top_rung_a_plan_may_bring_one(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(study, budget=None)
    monkeypatch.chdir(study.root)
    assert main(["plan", "--budget", "12k", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"]["12k-h1"]["planned"]


def test_a_day_without_quotes_is_refused_before_dvc_starts(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = study.params.read_text()
    for name, day in (("validation_start", "2001-06-01"), ("test_start", "2001-12-03")):
        text = text.replace(f"{name}: null", f"{name}: {day}")
    study.params.write_text(text)
    monkeypatch.chdir(study.root)
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert 'splits.validation_start: write the day in quotes, "2001-06-01"' in said
    assert not study.logs.exists()
