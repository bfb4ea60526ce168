"""Each reader of a file of DVC against the file that DVC itself writes, in a repository of one stage."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tsladder.artifacts.store import write_text
from tsladder.places import Places
from tsladder.status.dvc_lock import read_lock
from tsladder.status.dvc_yaml import Pipeline, read_pipeline
from tsladder.status.file_hashes import HashCache, WorkingTree
from tsladder.status.run_cache import cached_outputs
from tsladder.status.rwlock import running_stages

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  double:
    cmd: python double.py
    deps:
    - number.txt
    - folder
    params:
    - by
    outs:
    - result
    - result.txt
"""
SCRIPT = """
import time
from pathlib import Path
text = Path("number.txt").read_text() * 2
Path("result").mkdir(exist_ok=True)
Path("result/a.txt").write_text(text)
Path("result.txt").write_text(text)
while Path("wait").exists():
    time.sleep(0.05)
"""
PARAMS = {"by": {"rate": 1.0e-4, "names": ["a", "b"]}}


def dvc(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.Popen([sys.executable, "-m", "dvc", *arguments], cwd=folder, env=environment)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stage has run on "1", then on "2"."""
    folder = tmp_path_factory.mktemp("formats")
    write_text(folder / "dvc.yaml", PIPELINE)
    write_text(folder / "params.yaml", "by:\n  rate: 1.0e-4\n  names: [a, b]\n")
    write_text(folder / "double.py", SCRIPT)
    write_text(folder / "folder" / "below" / "c.txt", "c")
    write_text(folder / "folder" / "d.txt", "d")
    assert dvc(folder, "init", "--no-scm", "-q").wait() == 0
    for number in ("1", "2"):
        write_text(folder / "number.txt", number)
        assert dvc(folder, "repro", "-q").wait() == 0
    return folder


@pytest.fixture
def pipeline(repository: Path) -> Pipeline:
    return read_pipeline(repository / "dvc.yaml", PARAMS)


def test_the_lock_names_command_parameters_and_the_identities_of_files_and_folders(repository: Path) -> None:
    record = read_lock(repository / "dvc.lock")["double"]
    assert record["cmd"] == "python double.py"
    assert record["params"] == {"params.yaml": {"by": PARAMS["by"]}}
    tree = WorkingTree(repository, HashCache())
    entries = [*record["deps"], *record["outs"]]
    assert {entry["path"] for entry in entries} == {"number.txt", "folder", "result", "result.txt"}
    assert [tree.change(entry["path"], entry) for entry in entries] == [None] * 4


def test_the_run_cache_has_the_outputs_of_both_runs_and_of_no_other(repository: Path, pipeline: Pipeline) -> None:
    tree, cache = WorkingTree(repository, HashCache()), repository / ".dvc" / "cache"
    found = {}
    for number in ("1", "2", "3"):
        write_text(repository / "number.txt", number)
        deps = {path: tree.md5(path) or "" for path in ("number.txt", "folder")}
        found[number] = cached_outputs(cache, pipeline.stages["double"], deps, PARAMS)
    write_text(repository / "number.txt", "2")
    # `printf 11 | md5sum` and `printf 22 | md5sum`.
    one, two = "6512bd43d9caa6e02c990b0a82652dca", "b6d767d2f8ed5d21a44b0e5886680cb9"
    assert found == {
        "1": {"result": {"a.txt": one}, "result.txt": {"": one}},
        "2": {"result": {"a.txt": two}, "result.txt": {"": two}},
        "3": None,
    }


def test_the_lock_of_running_processes_names_the_stage_while_it_runs(repository: Path, pipeline: Pipeline) -> None:
    assert running_stages(Places(repository, repository), pipeline) == ()
    write_text(repository / "wait", "")
    write_text(repository / "number.txt", "4")
    process = dvc(repository, "repro", "-q")
    seen: tuple[str, ...] = ()
    ends = time.monotonic() + 60.0
    try:
        while not seen and time.monotonic() < ends:
            time.sleep(0.1)
            seen = running_stages(Places(repository, repository), pipeline)
    finally:
        (repository / "wait").unlink()
        assert process.wait() == 0
    assert seen == ("double",)
    assert running_stages(Places(repository, repository), pipeline) == ()
