"""`tsladder compare EXP EXP...` on a real repository of git and DVC."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.experiments.written import Experiments, write_results
from tests.status.written import set_leaves
from tests.yaml_text import yaml_text

from tsladder.cli import main
from tsladder.places import Places


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Experiments(tmp_path_factory.mktemp("experiments"))
    made.add("tidal-axis")
    made.add("lucid-fern", sharpness=0.2, data__tier="a200")
    made.add("other-task", target__task="direction", labels_seed=3)
    write_results(made.folder, sharpness=0.05)
    return made.folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("DVC_ROOT", raising=False)


def files_of(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and not {".git", "tmp"} & set(path.parts))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_the_workspace_and_experiments_are_compared_as_they_were_and_nothing_is_touched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(folder)
    assert main(["compare", "workspace", "tidal-axis", "lucid-fern", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["tier"] for one in found["summaries"]] == ["a25", "a25", "a200"]
    assert {pair["experiment"]: pair["found"]["difference"] < 0.0 for pair in found["pairs"]} == {
        "tidal-axis": True,
        "lucid-fern": True,
    }
    assert files_of(folder) == before


def test_what_may_not_be_compared_ends_with_2_and_the_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "tidal-axis", "other-task"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "other target.task: threshold_1pct against direction" in err


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "tidal-axis", "Lucid-fren"]) == 2
    err = capsys.readouterr().err
    assert "did you mean lucid-fern?" in err
    assert "there are lucid-fern, other-task, tidal-axis, main, workspace" in err


def test_a_revision_without_results_is_refused_with_what_it_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "tidal-axis", "main"]) == 2
    assert "main has no dvc.lock: it was never built" in capsys.readouterr().err


def test_a_workspace_whose_parameters_were_changed_since_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = (folder / "params.yaml").read_bytes()
    set_leaves(Places(folder, folder), data__tier="a50")
    assert main(["compare", "tidal-axis", "workspace"]) == 2
    (folder / "params.yaml").write_bytes(kept)
    assert "data.tier: a50 in params.yaml, a25 when its results were made" in capsys.readouterr().err


def test_a_workspace_with_plans_that_its_law_does_not_know_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = folder / "dvc.lock"
    kept = lock.read_text()
    record = yaml.safe_load(kept)
    record["stages"]["plan"]["outs"][0]["md5"] = "0" * 32
    lock.write_text(yaml_text(record, sort_keys=True))
    assert main(["compare", "tidal-axis", "workspace"]) == 2
    lock.write_text(kept)
    assert "the law of workspace is older than its plans" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["tidal-axis"], "got tidal-axis alone"),
        (["tidal-axis", "12k-h1"], "12k-h1 is a cell, tidal-axis is not"),
        (["12k-h1", "30k-h1", "12k-h3"], "two cells are compared at a time"),
        (["tidal-axis", "tidal-axis"], "tidal-axis is named twice"),
    ],
)
def test_names_that_make_no_comparison_are_refused(
    names: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *names]) == 2
    assert says in capsys.readouterr().err


def test_outside_of_dvc_experiments_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "one", "two"]) == 2
    assert "is not a DVC repository" in capsys.readouterr().err


def test_results_that_the_cache_has_lost_are_refused_with_the_way_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Experiments(tmp_path)
    made.add("lost")
    made.clear_cache()
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "workspace", "lost"]) == 2
    err = capsys.readouterr().err
    assert "artifacts/law/scaling.json of lost is neither in DVC's cache nor in its remote" in err
    assert "dvc exp apply lost" in err


def test_a_revision_that_dvc_itself_cannot_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Experiments(tmp_path)
    made.break_pipeline("broken")
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "broken", "main"]) == 2
    assert "DVC cannot read broken: " in capsys.readouterr().err
