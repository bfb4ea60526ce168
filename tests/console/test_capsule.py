"""`tsladder export` and `tsladder report` as they are typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.capsule import finished
from tests.capsule.zips import contents_of, with_manifest, write_zip
from tests.studies import environment
from tests.without_pixels import leave_pixels_out

from tsladder.artifacts.store import read_json, write_json
from tsladder.cli import main
from tsladder.places import Places


@pytest.fixture(autouse=True, scope="module")
def drawings() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        leave_pixels_out(monkeypatch)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return finished.finish(finished.write_study(tmp_path_factory.mktemp("made")))


@pytest.fixture(scope="module")
def capsule(made: Places, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "study.zip"
    before = Path.cwd()
    os.chdir(made.root)
    try:
        assert main(["export", str(path)]) == 0
    finally:
        os.chdir(before)
    return path


OFFLINE = """
import socket, sys
def refused(*_):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.getaddrinfo = refused
from tsladder.cli import main
code = main(sys.argv[1:])
assert "mlflow" not in sys.modules and "torch" not in sys.modules
sys.exit(code)
"""


@pytest.mark.slow
def test_a_capsule_is_rebuilt_in_an_empty_folder_and_without_a_network(
    made: Places, capsule: Path, tmp_path: Path
) -> None:
    shutil.copy(capsule, tmp_path / "study.zip")
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, "report", "--from", "study.zip"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("h1  scales")
    assert "Every verdict and every number of the law is as stored" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"study.zip", "study"}
    assert (tmp_path / "study" / "scaling.json").read_bytes() == (made.law / "scaling.json").read_bytes()


def test_cells_that_are_not_fresh_are_named_when_packing_and_when_telling(
    made: Places, capsule: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without dvc.lock nothing is fresh."""
    monkeypatch.chdir(made.root)
    assert main(["export", str(tmp_path / "again.zip")]) == 0
    packing = capsys.readouterr().err
    assert main(["report", "--from", str(capsule), "--out", str(tmp_path / "out")]) == 0
    telling = capsys.readouterr().err
    for said in (packing, telling):
        assert "stale: " in said
        assert "12k-h1" in said
        assert "2M-h1" not in said


def test_an_altered_verdict_ends_with_1_and_is_named(
    capsule: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = contents_of(capsule)
    name = "artifacts/law/scaling.json"
    contents[name] = contents[name].replace(b'"verdict": "underpowered"', b'"verdict": "flat"')
    forged = write_zip(tmp_path / "forged.zip", with_manifest(contents))
    assert main(["report", "--from", str(forged), "--out", str(tmp_path / "out")]) == 1
    out = capsys.readouterr().out
    assert "h3.verdict: stored 'flat', computed here 'underpowered'" in out
    assert "as stored" not in out


def test_words_out_of_a_strangers_file_do_not_steer_the_terminal(
    capsule: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contents = contents_of(capsule)
    audit = json.loads(contents["artifacts/audit/audit.json"])
    audit["passed"] = audit["probes"][0]["passed"] = False
    audit["probes"][0]["words"] = "\x1b[31mred\x07"
    contents["artifacts/audit/audit.json"] = json.dumps(audit).encode()
    forged = write_zip(tmp_path / "forged.zip", with_manifest(contents))
    assert main(["report", "--from", str(forged), "--out", str(tmp_path / "out")]) == 1
    out, err = capsys.readouterr()
    assert "?[31mred?" in out
    assert not {"\x1b", "\x07"} & {*out, *err}


def test_without_from_the_verdicts_and_the_reports_place_are_printed(
    made: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.root)
    assert main(["report"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("h1  scales")
    assert str(made.report / "report.md") in out
    assert "stale: " in err


@pytest.mark.parametrize("options", [["--out", "x"], ["--force"]])
def test_out_without_a_capsule_is_refused(
    made: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    monkeypatch.chdir(made.root)
    assert main(["report", *options]) == 2
    assert "--from" in capsys.readouterr().err


def test_outside_a_study_export_and_report_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (["export", "study.zip"], ["report"]):
        assert main(command) == 2
        said = capsys.readouterr().err
        assert said.count("tsladder:") == 1
        assert "params.yaml" in said
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_was_never_run_is_neither_exported_nor_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    places = finished.make_study(tmp_path)
    monkeypatch.chdir(places.root)
    for command in (["export", "study.zip"], ["report"]):
        assert main(command) == 1
        said = capsys.readouterr().err
        assert said.count("tsladder:") == 1
        assert "tsladder run" in said
    assert not (tmp_path / "study.zip").exists()


def test_a_law_that_was_not_refitted_is_named_when_packing(
    made: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made.root, tmp_path / "study")
    places = Places(tmp_path / "study", tmp_path / "study")
    write_json(places.law / "scaling.json", {**read_json(places.law / "scaling.json"), "study_key": "0" * 64})
    monkeypatch.chdir(places.root)
    assert main(["export", str(tmp_path / "study.zip")]) == 0
    assert "missing or out of date" in capsys.readouterr().err


def test_a_cut_capsule_is_one_message_and_exit_2(
    capsule: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut.zip").write_bytes(capsule.read_bytes()[:5_000])
    assert main(["report", "--from", "cut.zip"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("tsladder:") == 1
    assert "cut.zip" in err
    assert {path.name for path in tmp_path.iterdir()} == {"cut.zip"}
