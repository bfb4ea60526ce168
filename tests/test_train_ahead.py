"""`tsladder run` over two cells of a miniature study, whose trainings run ahead of the stages; one run is disturbed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.test_pipeline import Workspace
from tsladder.artifacts.store import read_lines

pytestmark = pytest.mark.slow

RUN = ("tsladder.cli", "run")
CELLS = ("12k-h1", "12k-h3")


def workspace(folder: Path) -> Workspace:
    folder.mkdir()
    made = Workspace(folder)
    made.set(horizons=[1, 3])
    return made


@pytest.fixture(scope="module")
def by_stages(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The study as DVC alone makes it, one stage after the other."""
    made = workspace(tmp_path_factory.mktemp("stages") / "study")
    made.repro()
    return made


def made_of(study: Workspace) -> dict[str, bytes]:
    """Choices, models and forecasts."""
    artifacts = study.folder / "artifacts"
    names = ("hpo/*/choice.json", "models/*/*/model.safetensors", "scores/*/predictions.parquet")
    return {
        path.relative_to(artifacts).as_posix(): path.read_bytes() for name in names for path in artifacts.glob(name)
    }


def trials(study: Workspace) -> dict[str, list[dict[str, Any]]]:
    found = study.folder.glob("mlruns/studies/12k-h[13]-*/trials.jsonl")
    return {path.parent.name[:6]: read_lines(path) for path in found}


def process_of(run: subprocess.Popen[str], word: str, *, other_than: int | None = None) -> psutil.Process:
    """The process of `run` with this word on its command line, once there is one of another number than that."""
    deadline = time.monotonic() + 120.0
    while time.monotonic() < deadline:
        for process in psutil.Process(run.pid).children(recursive=True):
            # One of them may end at this moment.
            with contextlib.suppress(psutil.NoSuchProcess):
                if word in process.cmdline() and process.pid != other_than:
                    return process
        time.sleep(0.1)
    raise AssertionError(f"no process of {word} within two minutes")


def test_stages_find_everything_trained_and_results_are_those_of_the_stages_alone(
    by_stages: Workspace, tmp_path: Path
) -> None:
    study = workspace(tmp_path / "study")
    done = study.run(sys.executable, "-m", *RUN)
    assert done.stdout.index("Running stage 'train_ahead'") < done.stdout.index("Running stage 'hpo@12k-1'")
    after = done.stderr + done.stdout
    for cell in CELLS:
        assert f"{cell}: search     7 trials: 6 forced, 1 drawn by TPE; 7 already done" in after
        assert after.count(f"{cell}: seed 1: ") == 1
        assert after.count(f"{cell}: trial 7/7 ") == 1
    assert made_of(study) == made_of(by_stages)
    assert sum(name.endswith("model.safetensors") for name in made_of(study)) == 4
    again = study.run(sys.executable, "-m", *RUN)
    assert "train_ahead" not in again.stdout
    assert "Running stage" not in again.stdout


def test_a_kill_of_the_trainings_ahead_loses_no_trial_and_changes_no_result(
    by_stages: Workspace, tmp_path: Path
) -> None:
    study = workspace(tmp_path / "study")
    run = study.start(*RUN)
    ahead = process_of(run, "tsladder.train_ahead")
    deadline = time.monotonic() + 120.0
    while sum(map(len, trials(study).values())) < 3:
        assert time.monotonic() < deadline, "no three trials ended within two minutes"
        time.sleep(0.05)
    ahead.kill()
    said, errors = run.communicate(timeout=400)
    assert run.returncode == 0, errors[-2000:]
    assert said.count("Running stage 'train_ahead'") == 2
    assert errors.count("the trainings ahead were killed by SIGKILL: they are started once more") == 1
    assert made_of(study) == made_of(by_stages)
    for lines in trials(study).values():
        final = [line["number"] for line in lines if line["state"] != "interrupted"]
        assert sorted(final) == list(range(7))


def test_a_second_kill_ends_the_run_with_exit_code_1_and_the_next_run_goes_on(
    by_stages: Workspace, tmp_path: Path
) -> None:
    study = workspace(tmp_path / "study")
    run = study.start(*RUN)
    first = process_of(run, "tsladder.train_ahead")
    first.kill()
    process_of(run, "tsladder.train_ahead", other_than=first.pid).kill()
    said, errors = run.communicate(timeout=400)
    assert run.returncode == 1, errors[-2000:]
    assert "Running stage 'hpo" not in said
    assert errors.count("killed by SIGKILL for the second time: every training that had ended is kept") == 1
    assert "Traceback" not in errors
    study.run(sys.executable, "-m", *RUN)
    assert made_of(study) == made_of(by_stages)
