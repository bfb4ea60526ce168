"""Commands in a panel study: by `--study panel`, before or behind the command, or inside its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.panel_studies import make_panel_study
from tests.studies import ROOT, make_study

from tsladder.cli import main
from tsladder.console.status_lines import status_lines
from tsladder.panel.baseline_files import score_panel_baselines
from tsladder.panel.build import build_panel_features
from tsladder.panel.columns import TIERS
from tsladder.panel.split_files import build_panel_splits
from tsladder.params import load_panel_params
from tsladder.places import Places
from tsladder.status.study_state import study_state


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A project with a study of a series and one of a panel whose baselines are scored."""
    folder = tmp_path_factory.mktemp("project")
    make_study(folder)
    places = make_panel_study(folder)
    shutil.copy(ROOT / "panel" / "dvc.yaml", places.root)
    params = load_panel_params(places.params)
    build_panel_features(places, params)
    build_panel_splits(places, params)
    score_panel_baselines(places, params)
    return places


@pytest.mark.parametrize(
    ("folder", "arguments"),
    [
        (".", ["--study", "panel", "status", "--json"]),
        (".", ["status", "--json", "--study", "panel"]),
        ("panel", ["status", "--json"]),
        ("panel/artifacts", ["status", "--json"]),
    ],
)
def test_the_state_of_a_panel_study_is_json(
    folder: str,
    arguments: list[str],
    project: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.home / folder)
    assert main(arguments) == 0
    state = json.loads(capsys.readouterr().out)
    assert state["panel"] == "made_up"
    level = state["horizons"]["1"]
    assert level["low"] < level["rank_ic"] < level["high"]
    assert level["stricter"] in ("no_order", "static_order")
    assert state["audit"] is None


def test_the_lines_name_the_level_the_audit_and_the_universe(project: Places) -> None:
    text = "\n".join(status_lines(study_state(project)))
    assert "The leak audit has not run." in text
    assert "Panel made_up: universe point_in_time, no bias known." in text
    assert "to beat" in text


def test_before_anything_ran_the_state_says_so(tmp_path: Path) -> None:
    text = "\n".join(status_lines(study_state(make_panel_study(tmp_path))))
    assert "the stage features has not run" in text
    assert "not built" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan"], "`tsladder plan` is about cells of models"),
        (["why", "2M-h1"], "`tsladder why` is about cells of models"),
        (["compare", "12k-h1", "2M-h1"], "`tsladder compare` is about cells of models"),
        (["export", "x.zip"], "`tsladder export` is about cells of models"),
        (["run", "--only", "2M-h1"], "--retry-failed, --from and --only choose cells"),
        (["status", "--csv"], "--csv lists cells"),
    ],
)
def test_a_command_about_cells_is_refused_in_one_line(
    arguments: list[str],
    words: str,
    project: Places,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project.root)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_the_report_is_named_once_it_is_there(
    project: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    (project.report / "report.md").unlink(missing_ok=True)
    assert main(["report"]) == 1
    assert "there is no report here yet" in capsys.readouterr().err
    project.report.mkdir(exist_ok=True)
    (project.report / "report.md").touch()
    assert main(["report"]) == 0
    assert str(project.report / "report.md") in capsys.readouterr().out


def test_tiers_and_columns_of_a_panel_are_listed(
    project: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.root)
    assert main(["features"]) == 0
    assert {"s9", "c21", "v27", "o33"} <= set(capsys.readouterr().out.split())
    assert main(["features", "o33", "--json"]) == 0
    columns = json.loads(capsys.readouterr().out)["columns"]
    assert [one["name"] for one in columns] == list(TIERS["o33"])
    assert all(one["formula"] and one["needs"] for one in columns)
    assert main(["features", "s8"]) == 2
    assert "did you mean s9" in capsys.readouterr().err


def test_a_run_without_its_panel_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = make_panel_study(tmp_path, data__panel="elsewhere")
    monkeypatch.chdir(places.root)
    assert main(["run"]) == 2
    assert "elsewhere.parquet is missing" in capsys.readouterr().err
    assert not places.logs.exists()


def test_in_the_study_of_a_series_nothing_changes(
    project: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.home)
    assert main(["status", "--json"]) == 0
    assert "cells" in json.loads(capsys.readouterr().out)
