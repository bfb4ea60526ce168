"""Where a study lies: from a folder below it, in a temporary experiment, and under a DVC_ROOT of something else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.studies import ROOT, make_study
from tsladder.cli import main as cli
from tsladder.errors import BadInput
from tsladder.places import Places


def study(folder: Path) -> Path:
    """The files by which a study is known."""
    (folder / "stages").mkdir(parents=True)
    for name in ("params.yaml", "dvc.yaml", "stages/hpo.py"):
        (folder / name).touch()
    return folder


def here(folder: Path, monkeypatch: pytest.MonkeyPatch, dvc_root: Path | str | None = None) -> Places:
    monkeypatch.chdir(folder)
    if dvc_root is None:
        monkeypatch.delenv("DVC_ROOT", raising=False)
    else:
        monkeypatch.setenv("DVC_ROOT", str(dvc_root))
    return Places.here()


@pytest.mark.parametrize("below", [".", "docs", "artifacts/hpo/2M-h1"])
def test_a_study_is_found_from_every_folder_of_it(below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = study(tmp_path / "study")
    (root / below).mkdir(parents=True, exist_ok=True)
    assert here(root / below, monkeypatch) == Places(root, root)


def test_the_nearest_study_is_meant_and_a_params_yaml_of_something_else_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer = study(tmp_path / "outer")
    inner = study(outer / "studies" / "inner")
    assert here(inner / "stages", monkeypatch).root == inner
    (outer / "notes").mkdir()
    (outer / "notes" / "params.yaml").touch()
    (outer / "notes" / "deep").mkdir()
    assert here(outer / "notes" / "deep", monkeypatch).root == outer
    assert here(outer / "notes", monkeypatch).root == outer / "notes"


def test_without_a_study_it_is_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "params.yaml").touch()
    (tmp_path / "empty").mkdir()
    assert here(tmp_path / "empty", monkeypatch) == Places(tmp_path / "empty", tmp_path / "empty")


@pytest.mark.parametrize("inside", [".", "study"])
def test_a_temporary_experiment_shares_what_its_main_checkout_has(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main_checkout = tmp_path / "main"
    temporary = main_checkout / ".dvc" / "tmp" / "exps" / "tmpabc"
    (temporary / ".dvc").mkdir(parents=True)
    root = study(temporary / inside)
    found = here(root, monkeypatch, main_checkout)
    assert (found.root, found.home) == (root, main_checkout / inside)


def test_a_dvc_root_by_another_way_to_the_same_folder_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main_checkout = tmp_path / "main"
    temporary = main_checkout / ".dvc" / "tmp" / "exps" / "tmpabc"
    (temporary / ".dvc").mkdir(parents=True)
    (tmp_path / "link").symlink_to(main_checkout)
    assert here(study(temporary / "s"), monkeypatch, tmp_path / "link").home == main_checkout / "s"


@pytest.mark.parametrize("name", ["another", "missing", "", "study/.dvc", "."])
def test_an_exported_dvc_root_of_anything_else_is_not_believed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "another" / ".dvc" / "tmp" / "exps").mkdir(parents=True)
    root = study(tmp_path / "study")
    (root / ".dvc").mkdir()
    assert here(root, monkeypatch, name and tmp_path / name) == Places(root, root)


def test_a_study_in_a_folder_of_a_larger_repository_has_its_stores_beside_it_in_every_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    root = study(tmp_path / "study")
    assert here(root, monkeypatch).home == root
    assert here(root, monkeypatch, tmp_path).home == root, "as DVC calls a stage"


def test_a_command_answers_from_a_folder_below_as_from_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = make_study(tmp_path / "study")
    shutil.copytree(ROOT / "stages", places.root / "stages")
    shutil.copy(ROOT / "dvc.yaml", places.root)
    answers = []
    for folder in (places.root, places.root / "stages"):
        here(folder, monkeypatch)
        assert cli(["status", "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out))
    assert answers[0]["cells"]
    assert answers[0] == answers[1]


def test_a_folder_that_was_removed_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert cli(["status"]) == 2
    assert capsys.readouterr().err.count("tsladder:") == 1
    monkeypatch.chdir(tmp_path)


def panel_of(root: Path) -> Path:
    """A further study of the project at `root`, in a folder that has no stages of its own."""
    folder = root / "panel"
    folder.mkdir()
    (folder / "params.yaml").touch()
    (folder / "dvc.yaml").touch()
    return folder


@pytest.mark.parametrize("below", [".", "artifacts/splits"])
def test_a_further_study_shares_data_runs_and_cache_with_its_project(
    below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = study(tmp_path / "study")
    panel = panel_of(root)
    (panel / below).mkdir(parents=True, exist_ok=True)
    places = here(panel / below, monkeypatch)
    assert places == Places(panel, root)
    assert places.project == root
    assert places.bars("nyse36") == root / "data" / "nyse36.parquet"
    assert places.mlruns == root / "mlruns"
    assert places.artifacts == panel / "artifacts"


@pytest.mark.parametrize("working", [".", "docs", "panel"])
def test_another_study_of_the_project_is_named_by_its_folder(
    working: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = study(tmp_path / "study")
    panel = panel_of(root)
    (root / working).mkdir(exist_ok=True)
    monkeypatch.chdir(root / working)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert Places.here("panel") == Places(panel, root)
    for wrong in ("docs", "nothing", "../study", "panel/"):
        with pytest.raises(BadInput, match=r"--study .*there is panel"):
            Places.here(wrong)


def test_a_further_study_in_a_temporary_experiment_shares_what_its_main_checkout_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = tmp_path / "main"
    copy = study(main / ".dvc" / "tmp" / "exps" / "tmp1")
    (copy / ".dvc").mkdir()
    panel = panel_of(copy)
    places = here(panel, monkeypatch, main)
    assert (places.root, places.home, places.project) == (panel, main, copy)


def test_a_study_with_data_of_its_own_below_the_stages_is_no_further_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = study(tmp_path / "study")
    inner = panel_of(root)
    (inner / "data").mkdir()
    assert here(inner, monkeypatch).project == inner
    assert here(inner, monkeypatch).bars("tiny") == inner / "data" / "tiny.parquet"
