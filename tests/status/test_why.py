"""Every change is named, what it reaches runs again, and nothing else: on the study of tests/status/written.py."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.status.golden import same_as_golden
from tests.status.written import (
    fail,
    forget,
    lines,
    live_search,
    never_built,
    plans_of,
    reader,
    set_leaves,
    trial,
    whole_trial,
    write_study,
)

from tsladder.artifacts.plans import write_plan
from tsladder.artifacts.store import write_text
from tsladder.cli import main
from tsladder.console.plan_lines import forecast_lines
from tsladder.console.why_lines import why_lines
from tsladder.places import Places
from tsladder.status.dry_run import study_forecast
from tsladder.status.plan_changes import plan_changes
from tsladder.status.question import read_question
from tsladder.status.why import Why, why
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
OF_CELL = ("hpo", "train", "evaluate")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    return write_study(tmp_path, monkeypatch)


def ask(places: Places, name: str = "12k-h1") -> Why:
    return why(places, name, reader=reader(places))


def rows_of(found: Why) -> list[tuple[str, str, Any, Any, tuple[str, ...]]]:
    """The reasons, with the stages by their short names."""
    return [
        (reason.kind, reason.name, reason.old, reason.new, tuple(stage.partition("@")[0] for stage in reason.stages))
        for reason in found.reasons
    ]


def certain(found: Why) -> list[str]:
    return [stage.stage.partition("@")[0] for stage in found.stages if stage.runs == "certainly"]


@pytest.mark.parametrize(
    ("leaves", "reasons"),
    [
        ({"training__patience": 6}, [("training.patience", 4, 6, OF_CELL)]),
        ({"training__max_gradient_norm": None}, [("training.max_gradient_norm", 1.0, None, OF_CELL)]),
        ({"windows__context_length": 60}, [("windows.context_length", 80, 60, ("splits", *OF_CELL))]),
        ({"windows__normalisation": "revin"}, [("windows.normalisation", "ratio", "revin", OF_CELL)]),
        ({"data__ohlcv": False}, [("data.ohlcv", True, False, ("features", *OF_CELL))]),
        ({"study__seed": 43}, [("study.seed", 42, 43, ("splits", *OF_CELL))]),
        ({"train__seeds": 3}, [("train.seeds", 2, 3, ("train",))]),
        ({"evaluation__bootstrap_draws": 200}, [("evaluation.bootstrap_draws", 1000, 200, ("evaluate",))]),
        ({"search__trials": 9}, [("search.trials", 8, 9, ("hpo",))]),
        ({"search__objective": "val_auc"}, [("search.objective", "val_loss", "val_auc", ("hpo",))]),
        ({"search__preset": "mission"}, [("search.preset", "quick", "mission", OF_CELL)]),
        (
            {"search__presets__quick__patience": 5},
            [("search.presets.quick.patience", 4, 5, OF_CELL)],
        ),
        (
            {"search__presets__quick__space__dropout__high": 0.4},
            [("search.presets.quick.space.dropout.high", 0.3, 0.4, ("hpo",))],
        ),
        (
            {"splits__test_start": "2016-01-01"},
            [("splits.test_start", "2015-01-01", "2016-01-01", ("splits",))],
        ),
        (
            {"training__min_delta": 0.01, "model__stride": 4},
            [("model.stride", 8, 4, OF_CELL), ("training.min_delta", 0.001, 0.01, OF_CELL)],
        ),
        ({"search__presets__mission__patience": 11}, []),
        ({"law__alpha_of_interest": 0.02}, []),
        ({"hardware__workers": 1, "hardware__lag": 3}, []),
        ({"hardware__executor": "ray", "hardware__address": "127.0.0.1:1", "hardware__places": "any"}, []),
        ({"hardware__patience": 5.0}, []),
    ],
)
def test_a_parameter_is_named_by_its_path_with_its_values_and_the_stages_it_reaches(
    study: Places, leaves: dict[str, Any], reasons: list[tuple[Any, ...]]
) -> None:
    set_leaves(study, **leaves)
    found = ask(study)
    assert sorted(rows_of(found)) == [("parameter", *reason) for reason in sorted(reasons, key=lambda r: str(r[0]))]
    assert (found.state == "fresh") is (not reasons)
    assert set(certain(found)) >= {stage for reason in reasons for stage in reason[3]}


@pytest.mark.parametrize(
    ("own", "name"),
    [("preset", "search.presets.quick.patience"), (6, "training.patience"), (None, "training.patience")],
)
def test_a_value_is_named_by_the_leaf_that_decides_it_where_the_old_file_is_not_known(own: Any, name: str) -> None:
    raw = {"search": {"preset": "quick"}, "training": {"patience": own}}
    plans = [{"planned": True, "training": {"patience": patience}} for patience in (4, 6)]
    assert plan_changes(*plans, raw=raw, old_raw={}) == [("parameter", name, 4, 6)]


def test_a_size_of_the_grid_is_reported_only_where_nothing_explains_it() -> None:
    old = {"planned": True, "model": {"stride": 8}, "search": {"grid_size": 75}, "code": {"a": "1"}}
    new = old | {"search": {"grid_size": 80}}
    assert plan_changes(old, new, raw={}, old_raw={}) == [("plan", "search.grid_size", 75, 80)]
    moved = new | {"model": {"stride": 4}}
    assert plan_changes(old, moved, raw={}, old_raw={}) == [("parameter", "model.stride", 8, 4)]
    edited = new | {"code": {"a": "2"}}
    assert plan_changes(old, edited, raw={}, old_raw={}) == [("module", "a", "1", "2")]


def test_one_changed_byte_of_the_data_is_reported_at_the_first_stage_and_the_rest_may_follow(study: Places) -> None:
    (study.root / "data" / "tiny.parquet").write_text("barz")
    found = ask(study)
    # `printf bars | md5sum` and `printf barz | md5sum`.
    assert rows_of(found) == [
        (
            "data",
            "data/tiny.parquet",
            "3dac72783f355eb5f7204a16e28581aa",
            "8aaa7be4d67f40014c46c2393c9350b0",
            ("features",),
        )
    ]
    assert [stage.stage for stage in found.stages if "@" in stage.stage or stage.stage in ("features", "splits")] == [
        "features",
        "splits",
        "hpo@12k-1",
        "train@12k-1",
        "evaluate@12k-1",
    ]
    assert certain(found) == ["features", "audit"], "features that come out the same train nothing"
    assert found.seconds_to_go_low == 0.0
    assert (found.seconds_to_go or 0.0) > 0.0


def test_one_module_is_named_with_both_fingerprints_and_what_it_reaches(study: Places) -> None:
    before = plans_of(study, "12k-h1").search.code
    path = study.root / "src/tsladder/training/trainer.py"
    path.write_text(path.read_text().replace("11", "12"))
    after = plans_of(study, "12k-h1").search.code
    module = "tsladder.training.trainer"
    assert before[module] != after[module]
    assert rows_of(ask(study)) == [("module", module, before[module], after[module], OF_CELL)]


def test_a_module_of_one_stage_reaches_that_stage_and_what_may_follow(study: Places) -> None:
    path = study.root / "src/tsladder/cells/scoring.py"
    path.write_text(path.read_text() + "more = 1\n")
    found = ask(study)
    assert [(reason.kind, reason.name) for reason in found.reasons] == [("module", "tsladder.cells.scoring")]
    assert [stage.stage for stage in found.stages if "@" in stage.stage] == ["evaluate@12k-1"]


def test_a_comment_and_a_docstring_change_nothing(study: Places) -> None:
    path = study.root / "src/tsladder/training/trainer.py"
    path.write_text('"""Says more."""\n# a remark\n' + path.read_text().replace('"""Trains."""\n', ""))
    found = ask(study)
    assert (found.state, found.reasons, found.stages, found.seconds_to_go) == ("fresh", (), (), 0.0)
    assert why_lines(found) == ["12k-h1 is fresh: nothing has changed since it was built"]


def test_a_source_that_a_stage_depends_on_as_a_file_is_a_module_by_its_md5(study: Places) -> None:
    path = study.root / "src/tsladder/data/splits.py"
    path.write_text(path.read_text() + "# a remark\n")
    found = ask(study)
    assert [(kind, name, stages) for kind, name, _, _, stages in rows_of(found)] == [
        ("module", "tsladder.data.splits", ("splits",))
    ]
    assert certain(found) == ["splits"]


@pytest.mark.parametrize("copy", ["in its place", "live record", "cache of DVC", "nowhere"])
def test_the_old_plan_is_found_wherever_a_copy_of_it_is(study: Places, copy: str) -> None:
    path = study.search_plan(CELL)
    old = path.read_text()
    md5 = hashlib.md5(old.encode(), usedforsecurity=False).hexdigest()
    set_leaves(study, search__trials=9)
    if copy != "in its place":
        # The plan stage has run since.
        write_text(path, read_question(study).texts["artifacts/plans/12k-h1.json"])
    if copy in ("nowhere", "cache of DVC"):
        shutil.rmtree(study.studies)
    if copy == "cache of DVC":
        write_text(study.root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:], old)
    found = ask(study)
    if copy == "nowhere":
        assert [(kind, name) for kind, name, *_ in rows_of(found)] == [("unknown", "artifacts/plans/12k-h1.json")]
        assert any("no copy is left" in line for line in why_lines(found))
    else:
        assert rows_of(found) == [("parameter", "search.trials", 8, 9, ("hpo",))]


def test_a_cell_that_was_never_built_says_so_with_its_cost_and_what_is_kept(study: Places) -> None:
    never_built(study, CELL)
    write_text(live_search(study, plans_of(study, "12k-h1")) / "trials.jsonl", lines([trial(0), trial(1), trial(2)]))
    found = ask(study)
    assert found.state == "pending"
    assert [(kind, stages) for kind, _, _, _, stages in rows_of(found)] == [("never_built", (s,)) for s in OF_CELL]
    assert "3 of its trials are kept" in (found.note or "")
    assert (found.seconds_to_go or 0.0) > 0.0


def test_trials_that_another_search_has_trained_are_reported_and_cost_nothing(study: Places) -> None:
    """Eight trials of 10 to 80 seconds lie in the record of the search of 8; of 11 then 3 are left."""
    plans = plans_of(study, "12k-h1")
    write_plan(live_search(study, plans) / "plan.json", plans.search)
    ended = [whole_trial(study, plans, number) for number in range(8)]
    write_text(live_search(study, plans) / "trials.jsonl", lines(ended))
    set_leaves(study, search__trials=11)
    found = ask(study)
    assert (found.trials_taken_over, found.trials_taken_over_exact) == (8, True)
    assert any(line.startswith("8 of its 11 trials are taken over") for line in why_lines(found))
    forecast = study_forecast(study, None)
    assert (forecast.cells["12k-h1"].trials_taken_over, forecast.cells["12k-h1"].trials_taken_over_exact) == (8, True)
    assert forecast.cells["12k-h3"].trials_taken_over == 0
    assert any("11, 8 taken over" in line for line in forecast_lines(forecast))
    write_text(live_search(study, plans) / "trials.jsonl", "")
    assert (found.seconds_to_go or 0.0) < (ask(study).seconds_to_go or 0.0)
    set_leaves(study, splits__test_fraction=0.2)
    assert ask(study).trials_taken_over is None
    assert study_forecast(study, None).cells["12k-h1"].trials_taken_over is None


def test_a_cell_above_the_top_rung_says_how_to_plan_it(study: Places) -> None:
    found = ask(study, "80k-h3")
    assert (found.state, found.reasons, found.stages) == ("not_planned", (), ())
    assert "budget: 80k" in (found.note or "")
    set_leaves(study, budget="80k")
    assert rows_of(ask(study, "80k-h3")) == [("parameter", "budget", "30k", "80k", OF_CELL)]


@pytest.mark.parametrize(
    ("fields", "says"), [({}, "--retry-failed"), ({"stop_reason": "thermal"}, "resumes stage hpo")]
)
def test_a_failed_cell_says_what_another_run_would_do(study: Places, fields: dict[str, str], says: str) -> None:
    fail(study, CELL, "none ended with a loss", **fields)
    found = ask(study)
    assert found.state == "failed"
    assert rows_of(found) == [("unfinished", "hpo@12k-1", None, None, ("hpo",))]
    assert (found.stages[0].stage, found.stages[0].runs) == ("hpo@12k-1", "certainly")
    assert "none ended with a loss" in (found.note or "")
    assert says in (found.note or "")


def test_why_json_is_the_golden_one(study: Places) -> None:
    """A parameter of the retraining, one byte of the bars and a module of the search have changed.

    The module's and the data's identities are hashes of the few words of tests/status/written.py. The seconds: no
    trial of this question has ended, so a training takes what the forecast expects of 12k models, 1.60 s; the search is
    10/3 + 8 * 1.60 / 2 = 9.7, the seeds are 10/3 + 3 * 1.60 / 2 = 5.7, the scoring is 10/3; half and twice of these,
    and more above where no training stops early (2.41 times what is expected).
    """
    set_leaves(study, train__seeds=3)
    (study.root / "data" / "tiny.parquet").write_text("barz")
    path = study.root / "src/tsladder/search/draws.py"
    path.write_text(path.read_text() + "more = 1\n")
    same_as_golden("why.json", ask(study).to_json())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("12k-h2", "12k-h1"),
        ("12K-h1", "12k-h1"),
        ("12k", "<budget>-h<horizon>"),
        ("2M-h1", "ladder"),
        ("zzz", "there are"),
    ],
)
def test_a_name_that_is_no_cell_is_bad_input_with_the_nearest(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, says: str
) -> None:
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["why", name, "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert said.err.count("\n") == 1


def test_why_prints_json_alone_or_words(
    study: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(study.root)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    set_leaves(study, training__patience=6)
    assert main(["why", "12k-h1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reasons"][0]["name"] == "training.patience"
    assert main(["why", "12k-h1"]) == 0
    said = capsys.readouterr().out
    assert "training.patience: 4 -> 6" in said
    assert "\x1b" not in said


def test_a_cell_that_is_searched_and_not_yet_trained_is_pending_and_not_stale(study: Places) -> None:
    shutil.rmtree(study.models(CELL))
    shutil.rmtree(study.scores(CELL))
    forget(study, "train@12k-1", "evaluate@12k-1")
    found = ask(study)
    assert (found.state, found.trials_done) == ("pending", 8)
    assert "8 of its trials are kept" in (found.note or "")


def test_another_vix_makes_the_tier_that_reads_it_stale_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tier, kinds in (("a25", []), ("c33", [("file", "artifacts/inputs.json", ("features",))])):
        places = Places(tmp_path / tier, tmp_path / tier)
        (places.root / "data").mkdir(parents=True)
        (places.root / "data" / "vix.parquet").write_text("vix")
        write_study(places.root, monkeypatch, data__tier=tier)
        assert rows_of(ask(places)) == []
        (places.root / "data" / "vix.parquet").write_text("viy")
        assert [(kind, name, stages) for kind, name, _, _, stages in rows_of(ask(places))] == kinds


def test_other_bars_of_a_further_symbol_make_the_study_that_names_it_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for symbols, kinds in ((None, []), (["tiny", "other"], [("file", "artifacts/inputs.json", ("features",))])):
        (tmp_path / str(symbols)).mkdir()
        (tmp_path / str(symbols) / "data").mkdir()
        (tmp_path / str(symbols) / "data" / "other.parquet").write_text("bars")
        places = write_study(tmp_path / str(symbols), monkeypatch, data__symbols=symbols)
        (places.root / "data" / "other.parquet").write_text("barz")
        found = [(reason.kind, reason.name, reason.stages) for reason in ask(places).reasons]
        assert found == kinds
