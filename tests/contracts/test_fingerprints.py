"""What a cell's staleness hangs on: the code that makes its numbers, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tsladder.planning.fingerprint import NUMBERLESS, import_closure, is_numberless, stage_fingerprint

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
STAGES = ("hpo", "train", "evaluate", "audit")

# Everything the three stages load beyond what is fingerprinted, and why no number hangs on it.
DECLARED = {
    "tsladder.errors": "messages",
    "tsladder.interruption": "signals",
    "tsladder.locks": "ownership",
    "tsladder.log_file": "the log, for people",
    "tsladder.log_relay": "the times of its lines",
    "tsladder.params": "reads the question; what it asks is in the plan file by value",
    "tsladder.places": "paths",
    "tsladder.records": "files and identities",
    "tsladder.search.start_lines": "what the log says of a search and its trials when they begin",
    "tsladder.results": "what is known so far, for people",
    "tsladder.stage": "arguments and endings",
    "tsladder.stage_log": "which log a stage writes to",
    "tsladder.tracking": "copies for people",
    "tsladder.training.memory_guard": "when a worker takes too much",
    "tsladder.training.pulse": "what trains now, for people",
    "tsladder.training.suspension": "processes held for a while",
    "tsladder.training.thermal_guard": "when to wait for a cooler machine",
    "tsladder.training.thermometer": "sensors",
    "tsladder.training.training_log": "what the log says of trainings",
    "tsladder.typed_yaml": "checks types and bounds of the question",
    "tsladder.vocabulary": "names",
    "tsladder.planning.activations": "bytes that a block takes",
    "tsladder.planning.calibration": "peaks of memory on this machine",
    "tsladder.planning.cells": "writes the plan files",
    "tsladder.planning.duration": "seconds of training",
    "tsladder.planning.fingerprint": "this very thing",
    "tsladder.planning.endings": "says how a stage ended, after its numbers are made",
    "tsladder.planning.free_memory": "what is free on this machine",
    "tsladder.planning.identity": "which trainings are the same",
    "tsladder.planning.machine": "how a cell is executed here",
    "tsladder.planning.misfit": "what is said of too little memory",
    "tsladder.planning.memory": "micro-batch and accumulation, which change no number",
    "tsladder.planning.plans": "reads the plan files",
    "tsladder.planning.sources": "what the files of code say",
    "tsladder.planning.step_costs": "seconds of training on a GPU",
}

IMPORT_EVERYTHING = """
import ast, importlib, pathlib, sys
for node in ast.walk(ast.parse(pathlib.Path(sys.argv[1]).read_text())):
    if isinstance(node, ast.ImportFrom):
        importlib.import_module(node.module)
# Lazy imports inside the loaded modules of ours, until nothing new comes.
seen = set()
while True:
    ours = {name for name in sys.modules if name.split(".")[0] == "tsladder"} - seen
    if not ours:
        break
    for name in ours:
        seen.add(name)
        for node in ast.walk(ast.parse(pathlib.Path(sys.modules[name].__file__).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tsladder":
                importlib.import_module(node.module)
print("\\n".join(sorted(seen)))
"""


@pytest.mark.parametrize("stage", STAGES)
def test_the_fingerprint_covers_what_a_stage_really_imports(stage: str) -> None:
    """The oracle is Python's own import system, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING, str(ROOT / "stages" / f"{stage}.py")],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(SOURCE), "PATH": ""},
    )
    loaded = {name for name in done.stdout.split() if not (SOURCE.joinpath(*name.split(".")) / "__init__.py").exists()}
    assert len(loaded) > 10
    covered = set(stage_fingerprint(ROOT / "stages" / f"{stage}.py", SOURCE))
    for name in loaded - covered:
        assert is_numberless(name), f"{name} is imported by {stage} and neither fingerprinted nor declared"


def test_what_is_left_out_is_declared_here_with_its_reason() -> None:
    assert set(DECLARED) == set(NUMBERLESS)


@pytest.mark.parametrize(
    ("stage", "module"),
    [
        ("hpo", "tsladder.training.trainer"),
        ("hpo", "tsladder.models.build"),
        ("hpo", "tsladder.market.targets"),
        ("train", "tsladder.training.trainer"),
        ("evaluate", "tsladder.evaluation.baselines"),
    ],
)
def test_lazy_imports_are_followed(stage: str, module: str) -> None:
    assert module in import_closure(ROOT / "stages" / f"{stage}.py", SOURCE)


def test_retraining_does_not_hang_on_the_search_nor_the_search_on_the_baselines() -> None:
    trained = stage_fingerprint(ROOT / "stages" / "train.py", SOURCE)
    searched = stage_fingerprint(ROOT / "stages" / "hpo.py", SOURCE)
    assert not [name for name in trained if name.startswith("tsladder.search")]
    assert not [name for name in searched if name in ("tsladder.evaluation.baselines", "tsladder.evaluation.scores")]
    assert not [name for name in (*trained, *searched) if name.startswith(("tsladder.report", "tsladder.console"))]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copytree(ROOT / "stages", tmp_path / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def edit(copied: Path, module: str, old: str, new: str) -> bool:
    """Replace `old` in a module of the copy; True when the search's fingerprint changes."""
    before = stage_fingerprint(copied / "stages" / "hpo.py", copied / "src")
    path = copied / "src" / "tsladder" / module
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return stage_fingerprint(copied / "stages" / "hpo.py", copied / "src") != before


def test_a_comment_or_a_docstring_in_the_trainer_leaves_every_cell_fresh(copied: Path) -> None:
    assert not edit(copied, "training/gradients.py", "    model.train()\n", "    # a remark\n    model.train()\n")
    assert not edit(copied, "training/trainer.py", '"""Train `job.spec` on `train`', '"""Fit `job.spec` on `train`')


def test_a_changed_number_in_the_trainer_makes_cells_stale(copied: Path) -> None:
    assert edit(copied, "training/trainer.py", "DIVERGENCE_LOSS = 10.0", "DIVERGENCE_LOSS = 9.0")


def test_an_edit_of_the_report_or_the_console_leaves_every_cell_fresh(copied: Path) -> None:
    assert not edit(copied, "console/tables.py", 'MISSING = "-"', 'MISSING = "?"')
    assert not edit(copied, "tracking/ui.py", "port: int = 5000", "port: int = 5001")
