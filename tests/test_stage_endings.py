"""What a stage of a cell says of its own ending: a failure of its own is taken up again, an inherited one is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.small_records import search_plan
from tests.studies import DEFAULT_PARAMS, environment
from tsladder.artifacts.plans import TrainPlan, write_plan
from tsladder.artifacts.store import write_json, write_text
from tsladder.places import Places
from tsladder.planning.endings import AS_PLANNED, WITHOUT_RESULT, write_endings
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
STAGE = """
import sys
from tsladder.errors import WorkFailed
from tsladder.artifacts.store import write_json
from tsladder.stage import run_cell_stage

def build(places, params, cell, plan):
    if {status!r} is None:
        raise WorkFailed("too hot")
    record = {{"hpo": places.choice(cell), "train": places.models(cell) / "status.json"}}[{stage!r}]
    write_json(record, {{"status": {status!r}, "reason": "said by the test"}})

sys.exit(run_cell_stage({stage!r}, build))
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path, tmp_path)
    write_text(made.params, DEFAULT_PARAMS.read_text())
    search = search_plan(CELL)
    write_plan(made.search_plan(CELL), search)
    write_plan(made.train_plan(CELL), TrainPlan(question=search.question, seeds=3, code={}))
    write_endings(made, [CELL])
    return made


def run(places: Places, stage: str, status: str | None) -> int:
    script = places.root / "stage.py"
    script.write_text(STAGE.format(stage=stage, status=status))
    command = [sys.executable, str(script), "--cell", str(CELL)]
    return subprocess.run(command, cwd=places.root, env=environment(), capture_output=True, check=False).returncode


def ending_of(places: Places, stage: str) -> str:
    plans: dict[str, Any] = {"hpo": places.search_plan, "train": places.train_plan}
    return places.ending(plans[stage](CELL)).read_text()


def test_a_search_that_failed_says_so_until_one_ends_with_a_winner(places: Places) -> None:
    assert run(places, "hpo", "failed") == 0
    assert ending_of(places, "hpo") == WITHOUT_RESULT
    assert ending_of(places, "train") == AS_PLANNED
    assert run(places, "hpo", "done") == 0
    assert ending_of(places, "hpo") == AS_PLANNED


def test_a_training_behind_a_failed_search_only_hands_that_on(places: Places) -> None:
    write_json(places.choice(CELL), {"status": "failed", "reason": "it does not fit"})
    assert run(places, "train", "done") == 0
    assert ending_of(places, "train") == AS_PLANNED


def test_a_training_that_failed_by_itself_is_retried(places: Places) -> None:
    write_json(places.choice(CELL), {"status": "done"})
    assert run(places, "train", "failed") == 0
    assert ending_of(places, "train") == WITHOUT_RESULT


def test_a_stage_that_ends_with_an_error_leaves_its_ending_as_planned(places: Places) -> None:
    assert run(places, "hpo", None) == 1
    assert ending_of(places, "hpo") == AS_PLANNED
