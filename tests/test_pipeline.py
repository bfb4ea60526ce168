"""The pipeline under DVC on a miniature study: what runs again, and above all what does not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import warm_python
from tests.studies import ROOT, make_study, synthetic_bars
from tsladder.artifacts.store import read_json, read_lines
from tsladder.typed_yaml import read_yaml

pytestmark = pytest.mark.slow

CELL = "12k-h1"
LONG = 50
"""Epochs of the trials that a run is interrupted in."""
NOTHING: set[str] = set()
ACROSS = {"supplementary", "transfer", "fit", "report"}
"""The stages that look at all cells, and train nothing unless they are asked to."""


class Workspace:
    """A git repository with the pipeline, its code and a miniature study.

    `quick_audit`: whether the audit's small model is trained for a quarter of its steps; it may then be inconclusive.
    """

    def __init__(self, folder: Path, *, quick_audit: bool = True) -> None:
        self.folder = folder
        for name in ("src", "stages"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        for name in ("dvc.yaml", ".gitignore", ".dvcignore"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=shutil.ignore_patterns("cache", "tmp"))
        if quick_audit:
            self.edit("src/tsladder/audit/small_model.py", "\nSTEPS = 160\n", "\nSTEPS = 40\n")
            self.edit("src/tsladder/audit/small_model.py", "\nSTEPS_OF_FEW = 320\n", "\nSTEPS_OF_FEW = 80\n")
        make_study(folder)
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "study"]):
            self.run("git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments)

    def environment(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if name != "DVC_ROOT"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment["PYTHONPATH"] = str(self.folder / "src")
        # What is compiled once serves the hundreds of processes of these tests.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for who in ("AUTHOR", "COMMITTER"):
            environment |= {f"GIT_{who}_NAME": "t", f"GIT_{who}_EMAIL": "t@example.invalid"}
        return environment

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command to its end; one of Python is warm, and so are the stages that it starts."""
        if command[0] == sys.executable:
            done = warm_python.run(command[1:], self.folder, self.environment())
        else:
            done = subprocess.run(
                command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
            )
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        """`python -m MODULE`, an ordinary process whose children are warm."""
        return subprocess.Popen(
            warm_python.module(module, *arguments),
            cwd=self.folder,
            env=warm_python.with_warm_stages(self.environment()),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def long_trials(self) -> list[str]:
        """State of the last attempt of every trial of LONG epochs."""
        last = {}
        for path in self.folder.glob("mlruns/studies/*/trials.jsonl"):
            last |= {(path.parent.name, line["number"]): line for line in read_lines(path)}
        return [line["state"] for line in last.values() if line["params"]["epochs"] == LONG]

    def ran(self, *command: str) -> set[str]:
        """Stages that a DVC command ran."""
        done = self.run(sys.executable, "-m", "dvc", *command)
        return set(re.findall(r"^Running stage '(.+)':", done.stdout, re.MULTILINE))

    def repro(self) -> set[str]:
        return self.ran("repro")

    def set(self, **leaves: Any) -> None:
        path = self.folder / "params.yaml"
        record = read_yaml(path)
        for dotted, value in leaves.items():
            *sections, last = dotted.split("__")
            section = record
            for key in sections:
                section = section[key]
            section[last] = value
        path.write_text(yaml.safe_dump(record, sort_keys=False))

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def states(self) -> dict[str, str]:
        done = self.run(sys.executable, "-m", "tsladder.cli", "status", "--json")
        return {name: cell["state"] for name, cell in json.loads(done.stdout)["cells"].items()}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished study; the tests below change it one after another and put back what they changed."""
    made = Workspace(tmp_path_factory.mktemp("pipeline"))
    assert made.states() == {CELL: "pending", "30k-h1": "not_planned"}
    assert f"hpo@{CELL.replace('-h', '-')}" in made.repro()
    return made


def test_a_second_repro_runs_nothing_and_status_says_fresh(workspace: Workspace) -> None:
    assert workspace.repro() == NOTHING
    assert workspace.states() == {CELL: "fresh", "30k-h1": "not_planned"}


def test_the_live_table_the_reports_and_the_one_of_status_are_the_same(workspace: Workspace) -> None:
    told = (workspace.folder / "artifacts" / "report" / "experiment_results.csv").read_text()
    assert "6A_12k_h1_threshold_1pct" in told
    assert (workspace.folder / "mlruns" / "experiment_results.csv").read_text() == told
    assert workspace.run(sys.executable, "-m", "tsladder.cli", "status", "--csv").stdout == told


def test_a_file_beside_the_bars_leaves_every_cell_fresh_and_other_bars_leave_none(workspace: Workspace) -> None:
    beside, bars = (workspace.folder / "data" / f"{symbol}.parquet" for symbol in ("vix", "tiny"))
    kept = bars.read_bytes()
    beside.write_bytes(kept)
    assert workspace.states()[CELL] == "fresh"
    assert workspace.repro() == {"inputs"}
    synthetic_bars(seed=5).to_parquet(bars, index=False)
    assert workspace.states()[CELL] == "stale"
    bars.write_bytes(kept)
    beside.unlink()
    assert workspace.states()[CELL] == "fresh"
    workspace.repro()


def test_the_next_rung_runs_only_its_own_cells_and_going_back_runs_none(workspace: Workspace) -> None:
    ran = workspace.ran("exp", "run", "-S", "budget=30k")
    assert ran == {"plan", "hpo@30k-1", "train@30k-1", "evaluate@30k-1", *ACROSS}
    assert workspace.states() == {CELL: "fresh", "30k-h1": "fresh"}
    workspace.set(budget="12k")
    assert not [stage for stage in workspace.repro() if "@12k" in stage]
    assert workspace.states() == {CELL: "fresh", "30k-h1": "not_planned"}


def test_a_budget_off_the_ladder_fails_with_the_rungs_and_changes_nothing(workspace: Workspace) -> None:
    before = (workspace.folder / "params.yaml").read_text()
    done = workspace.run(sys.executable, "-m", "dvc", "exp", "run", "-S", "budget=7Q", check=False)
    assert done.returncode != 0
    assert "12k, 30k" in done.stdout + done.stderr
    (workspace.folder / "params.yaml").write_text(before)
    assert workspace.repro() == NOTHING


def test_another_seed_trains_one_more_seed_and_searches_nothing(workspace: Workspace) -> None:
    record = workspace.folder / "artifacts" / "timings" / f"{CELL}.json"
    before = read_json(record)["seeds"]
    workspace.set(train__seeds=3)
    assert workspace.states()[CELL] == "stale"
    assert workspace.repro() == {"plan", "train@12k-1", "evaluate@12k-1", "transfer", "fit", "report"}
    after = read_json(record)["seeds"]
    assert {name: after[name] for name in before} == before, "the first two seeds were trained again"
    assert set(after) == {"seed-1", "seed-2", "seed-3"}
    workspace.set(train__seeds=2)
    workspace.repro()


def test_a_parameter_of_the_law_or_the_machine_trains_nothing(workspace: Workspace) -> None:
    workspace.set(law__alpha_of_interest=0.02)
    assert workspace.repro() == {"transfer", "fit", "report"}
    workspace.set(hardware__workers=1)
    assert workspace.repro() == NOTHING
    workspace.set(law__alpha_of_interest=0.015, hardware__workers=2)
    workspace.repro()


def test_a_comment_in_the_trainer_leaves_every_trained_cell_fresh(workspace: Workspace) -> None:
    workspace.edit("src/tsladder/training/trainer.py", "    model.eval()\n", "    # a remark\n    model.eval()\n")
    assert workspace.states()[CELL] == "fresh"
    assert workspace.repro() == {"plan"}


def test_an_edit_of_the_report_runs_the_report_alone(workspace: Workspace) -> None:
    workspace.edit("src/tsladder/report/markdown.py", '"""', '"""Edited. ')
    assert workspace.repro() == {"plan", "report"}


def test_the_same_winner_found_again_leaves_training_and_scores_fresh(workspace: Workspace) -> None:
    """An edit of the search's own modules that makes it draw the same: it searches again and chooses the same."""
    workspace.edit("src/tsladder/search/draws.py", "_REDRAWS = 100", "_REDRAWS = 101")
    assert workspace.states()[CELL] == "stale"
    ran = workspace.repro()
    assert {"plan", "hpo@12k-1"} <= ran
    assert not [stage for stage in ran if stage.startswith(("train", "evaluate"))]
    assert workspace.states()[CELL] == "fresh"


def test_a_training_parameter_rebuilds_the_cell_and_not_its_inputs(workspace: Workspace) -> None:
    workspace.set(training__max_gradient_norm=0.5)
    assert workspace.states()[CELL] == "stale"
    ran = workspace.repro()
    assert {"plan", "audit", "hpo@12k-1", "train@12k-1", "evaluate@12k-1"} <= ran
    assert not ran & {"features", "splits"}


def test_run_prints_the_verdict_also_when_nothing_had_to_run(workspace: Workspace) -> None:
    workspace.repro()
    done = workspace.run(sys.executable, "-m", "tsladder.cli", "run")
    assert f"PASS  {CELL}" in done.stdout
    assert "SKIP  30k-h1" in done.stdout
    assert "too_few_rungs" in done.stdout
    assert "report.md" in done.stdout
    assert "--host 127.0.0.1" in done.stdout


def test_run_ends_with_2_when_a_stage_refuses_the_input_and_loses_nothing(workspace: Workspace) -> None:
    workspace.repro()
    workspace.set(target__task="threshold_5pct", splits__min_positives=400)
    done = workspace.run(sys.executable, "-m", "tsladder.cli", "run", check=False)
    assert done.returncode == 2
    assert "min_positives" in done.stderr
    workspace.set(target__task="threshold_1pct", splits__min_positives=5)
    assert not [stage for stage in workspace.repro() if stage.startswith(("hpo", "train"))]
    assert workspace.states()[CELL] == "fresh"


def test_run_interrupted_continues_where_it_stopped(workspace: Workspace) -> None:
    workspace.set(budget="30k", search__presets__quick__space__epochs={"choices": [LONG]}, training__patience=None)
    process = workspace.start("tsladder.cli", "run")
    deadline = time.monotonic() + 120
    while not workspace.long_trials():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "Traceback" not in error, error
    assert 0 < workspace.long_trials().count("complete") < 14
    workspace.run(sys.executable, "-m", "tsladder.cli", "run")
    assert workspace.long_trials() == ["complete"] * 14
    assert workspace.states() == {CELL: "fresh", "30k-h1": "fresh"}


def test_a_failed_cell_does_not_cost_the_law_and_is_retried_until_it_has_a_result(workspace: Workspace) -> None:
    # A seed of its own: DVC would restore the outputs of a question that was answered before.
    quick = {"search__presets__quick__space__epochs": {"choices": [2]}, "budget": "12k"}
    workspace.set(**quick, study__seed=44, hardware__memory_gib=0.5)
    done = workspace.run(sys.executable, "-m", "tsladder.cli", "run", check=False)
    assert done.returncode == 1
    assert f"FAIL  {CELL}" in done.stdout
    assert "GiB" in done.stdout
    law = read_json(workspace.folder / "artifacts" / "law" / "scaling.json")
    assert all(point["dropped"] for point in law["horizons"]["1"]["points"])
    assert workspace.states()[CELL] == "failed"
    assert workspace.repro() == {"hpo@12k-1"}, "nothing else follows where it fails alike"
    # Another question and back: the failure does not come out of DVC's cache.
    workspace.set(study__seed=42)
    workspace.repro()
    workspace.set(study__seed=44)
    assert "hpo@12k-1" in workspace.repro()
    assert workspace.states()[CELL] == "failed"
    # Written down by hand as it is: DVC then holds the failure for done, `tsladder run` does not.
    workspace.run(sys.executable, "-m", "dvc", "commit", "-f")
    workspace.set(hardware__memory_gib=None)
    assert f"PASS  {CELL}" in workspace.run(sys.executable, "-m", "tsladder.cli", "run").stdout
    assert workspace.repro() == NOTHING


def test_a_failed_cell_of_an_experiment_is_retried_in_its_own_folder_too(workspace: Workspace) -> None:
    run = ("exp", "run", "--temp", "--copy-paths", "data", "-S", "study.seed=45", "-S")
    assert "hpo@12k-1" in workspace.ran(*run, "hardware.memory_gib=0.5")
    assert {"hpo@12k-1", "train@12k-1", "evaluate@12k-1"} <= workspace.ran(*run, "hardware.memory_gib=8")
    assert workspace.ran(*run, "hardware.memory_gib=8") == NOTHING


SENSOR = """
from pathlib import Path
from types import SimpleNamespace
import psutil

def sensors():
    return {{"coretemp": [SimpleNamespace(label="Core 0", current=float(Path({path!r}).read_text()))]}}

psutil.sensors_temperatures = sensors
"""


def test_a_cell_stopped_for_heat_and_then_by_hand_continues_where_it_stopped(workspace: Workspace) -> None:
    celsius = workspace.folder / "celsius"
    celsius.write_text("50")
    (workspace.folder / "src" / "sitecustomize.py").write_text(SENSOR.format(path=str(celsius)))
    workspace.edit("src/tsladder/execution/thermal_guard.py", "READ_EVERY_SECONDS = 10.0", "READ_EVERY_SECONDS = 0.5")
    # More trials than end on a fast machine between a stop's cause and the stop.
    trials = 10
    workspace.set(
        study__seed=43,
        search__presets__quick__space__epochs={"choices": [LONG]},
        search__trials=trials,
        training__patience=None,
        budget="12k",
    )
    live = workspace.folder / "mlruns" / "studies"
    before = {path.parent.name for path in live.glob(f"{CELL}-*/trials.jsonl")}

    def ended() -> list[dict[str, Any]]:
        paths = [path for path in live.glob(f"{CELL}-*/trials.jsonl") if path.parent.name not in before]
        return [line for path in paths for line in read_lines(path) if line["state"] == "complete"]

    process = workspace.start("tsladder.cli", "run")
    try:
        deadline = time.monotonic() + 240
        while not ended():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        celsius.write_text("97")
        out, _ = process.communicate(timeout=240)
    finally:
        process.terminate()
    assert process.returncode == 1
    assert f"FAIL  {CELL}" in out
    assert "stopped for heat" in out
    assert "thermal_abort" in (workspace.folder / "artifacts" / "report" / "experiment_results.csv").read_text()
    kept = ended()
    assert 0 < len(kept) < trials
    assert workspace.states()[CELL] == "failed"
    why = workspace.run(sys.executable, "-m", "tsladder.cli", "why", CELL).stdout
    assert "resumes stage hpo" in why
    celsius.write_text("50")

    process = workspace.start("tsladder.cli", "run")
    try:
        deadline = time.monotonic() + 240
        while len(ended()) == len(kept):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=240)
    finally:
        process.terminate()
    assert process.returncode == 130
    stopped = ended()
    assert len(kept) < len(stopped) < trials

    # By DVC alone: it is no affair of `tsladder run`.
    ran = workspace.repro()
    assert {"hpo@12k-1", "train@12k-1", "evaluate@12k-1", "fit", "report"} <= ran
    assert ended()[: len(stopped)] == stopped
    assert len(ended()) == trials
    assert workspace.states()[CELL] == "fresh"
    assert workspace.repro() == NOTHING
