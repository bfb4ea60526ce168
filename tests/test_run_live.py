"""`tsladder run` on a terminal, over a real miniature study: paused, stopped by a key, and gone on with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests import warm_python
from tests.terminal import Terminal
from tests.test_pipeline import CELL, Workspace
from tsladder.artifacts.store import read_json, read_lines

pytestmark = pytest.mark.slow

EPOCHS = 60
RUN = ("tsladder.cli", "run", "--only", CELL)


def workspace(folder: Path) -> Workspace:
    folder.mkdir()
    made = Workspace(folder)
    epochs = {"search__presets__quick__space__epochs": {"choices": [EPOCHS]}}
    made.set(**epochs, training__patience=None, search__trials=7)
    return made


def trials(made: Workspace) -> list[dict[str, Any]]:
    (path,) = made.folder.glob(f"mlruns/studies/{CELL}-[0-9a-f]*/trials.jsonl")
    return read_lines(path)


def progress(made: Workspace) -> dict[str, Any]:
    path = next(iter(made.folder.glob(f"mlruns/studies/{CELL}-[0-9a-f]*/progress.json")), None)
    return {} if path is None else read_json(path)


def outcome(made: Workspace) -> tuple[dict[str, Any], list[Any]]:
    """The choice, and of every trial what was drawn and what came of it."""
    final = {line["number"]: line for line in trials(made) if line["state"] != "interrupted"}
    facts = [(n, final[n]["draws"], final[n]["best_val_loss"], final[n]["curve"]) for n in sorted(final)]
    return read_json(made.folder / "artifacts" / "hpo" / CELL / "choice.json"), facts


def test_a_pause_and_a_q_in_the_midst_of_training_change_no_result(tmp_path: Path) -> None:
    disturbed, undisturbed = workspace(tmp_path / "disturbed"), workspace(tmp_path / "undisturbed")
    environment = warm_python.with_warm_stages(disturbed.environment())
    run = warm_python.module(*RUN)
    with Terminal(run, disturbed.folder, environment, columns=80, rows=24) as terminal:
        terminal.until(
            "some epochs", lambda: any(one["epoch"] >= 5 for one in progress(disturbed).get("running", [])), 120
        )
        terminal.press("p")
        terminal.until("the pause is shown", lambda: progress(disturbed).get("paused") == "by hand")
        terminal.until_written("paused: by hand")
        shown = progress(disturbed)
        terminal.until("what was said before is in", lambda: progress(disturbed)["at"] > shown["at"])
        held = progress(disturbed)
        terminal.until("another beat", lambda: progress(disturbed)["at"] > held["at"])
        assert [one["epoch"] for one in progress(disturbed)["running"]] == [one["epoch"] for one in held["running"]]
        terminal.press("p")
        terminal.until("it goes on", lambda: progress(disturbed).get("paused", "?") is None)
        terminal.until_written("trial 1/7", 120)
        terminal.until(
            "epochs of another trial",
            lambda: any(0 < one["epoch"] < EPOCHS - 10 for one in progress(disturbed).get("running", [])),
            120,
        )
        terminal.press("q")
        assert terminal.end(120) == 130
        assert terminal.is_as_before
        assert f"OPEN  {CELL}" in terminal.plain
        assert "trials done" in terminal.plain
        assert "train_loss" not in terminal.plain
    (log,) = (disturbed.folder / "mlruns" / "logs").iterdir()
    assert f"| 12k-h1: trial 1/7 epoch {EPOCHS}/{EPOCHS}: step " in log.read_text()
    stopped = [line for line in trials(disturbed) if line["state"] == "interrupted"]
    assert stopped
    assert all(line["stop_reason"] == "interrupted" and 0 < line["epochs_run"] < EPOCHS for line in stopped)
    paused = [line for line in trials(disturbed) if line["pauses"]]
    assert paused
    assert all(0.0 < line["paused_seconds"] < line["seconds"] for line in paused)
    assert progress(disturbed) == {"running": []}

    with Terminal(run, disturbed.folder, environment, columns=80, rows=24) as terminal:
        assert terminal.end(240) == 0
        assert f"PASS  {CELL}" in terminal.plain
        assert "The law and the report were not built" in terminal.plain
        assert terminal.is_as_before
    done = undisturbed.run(sys.executable, "-m", *RUN)
    assert f"PASS  {CELL}" in done.stdout
    assert outcome(disturbed) == outcome(undisturbed)
    for number in (1, 2):
        seed = Path("artifacts") / "models" / CELL / f"seed-{number}" / "training.json"
        assert read_json(disturbed.folder / seed) == read_json(undisturbed.folder / seed)
