"""What a stage of a cell says of its own ending: a failure of its own is taken up again, an inherited one is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.small_records import search_plan
from tests.studies import DEFAULT_PARAMS, environment
from tsladder.artifacts.plans import NotPlanned, TrainPlan, write_plan
from tsladder.artifacts.store import json_text, write_json, write_text
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


# ------------------------------------------------------------------------------------------------------- not planned

SCRIPTS = Path(__file__).parents[1] / "stages"
ABOVE = Cell("2M", 1)
NOTHING = {"budget": "2M", "cell": "2M-h1", "horizon": 1, "status": "not_planned"}
OUTPUTS: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "hpo": ("2M-h1.json", {"hpo/2M-h1/choice.json": NOTHING}),
    "train": (
        "train/2M-h1.json",
        {"models/2M-h1/status.json": NOTHING, "timings/2M-h1.json": {"cell": "2M-h1", "seeds": {}}},
    ),
    "evaluate": ("evaluate/2M-h1.json", {"scores/2M-h1/scores.json": NOTHING}),
    "panel/hpo": ("2M-h1.json", {"hpo/2M-h1/choice.json": NOTHING}),
    "panel/train": (
        "train/2M-h1.json",
        {"models/2M-h1/status.json": NOTHING, "timings/2M-h1.json": {"cell": "2M-h1", "seeds": {}}},
    ),
    "panel/evaluate": ("evaluate/2M-h1.json", {"scores/2M-h1/scores.json": NOTHING}),
    "panel/pretrain": ("pretrain/2M-h1.json", {"pretrain/2M-h1/pretraining.json": NOTHING}),
}
"""Stage of a cell -> its plan file, and the content of its outputs where nothing is planned."""

RUN_SCRIPT = """
import json, runpy, sys
script, *arguments = sys.argv[1:]
sys.argv = [script, *arguments]
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as ending:
    print(json.dumps([ending.code, sorted(sys.modules)]))
"""


def run_script(folder: Path, stage: str, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a stage's own script, and the modules that it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_SCRIPT, str(SCRIPTS / f"{stage}.py"), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stdout)
    return code, set(modules)


@pytest.mark.parametrize("stage", OUTPUTS)
def test_a_stage_of_a_cell_that_is_not_planned_writes_its_ending_and_nothing_else(tmp_path: Path, stage: str) -> None:
    """It needs no params.yaml, neither library nor records of plans, and leaves the table of results as it is."""
    plan, outputs = OUTPUTS[stage]
    write_plan(tmp_path / "artifacts" / "plans" / plan, NotPlanned(cell="2M-h1", budget="2M", horizon=1))
    before = set(tmp_path.rglob("*"))
    code, modules = run_script(tmp_path, stage, "--cell", str(ABOVE))
    assert code == 0
    written = {path for path in set(tmp_path.rglob("*")) - before if path.is_file() and "logs" not in path.parts}
    assert written == {tmp_path / "artifacts" / name for name in outputs}
    for name, content in outputs.items():
        assert (tmp_path / "artifacts" / name).read_text() == json_text(content)
    assert not modules & {"yaml", "numpy", "multiprocessing", "tsladder.params", "tsladder.artifacts.plans"}


def test_the_reason_of_a_stage_that_was_not_asked_for_is_handed_on(tmp_path: Path) -> None:
    plan = NotPlanned(cell="2M-h1", budget="2M", horizon=1, reason="search.pretraining is null")
    write_plan(tmp_path / "artifacts" / "plans" / "pretrain" / "2M-h1.json", plan)
    assert run_script(tmp_path, "panel/pretrain", "--cell", str(ABOVE))[0] == 0
    written = (tmp_path / "artifacts" / "pretrain" / "2M-h1" / "pretraining.json").read_text()
    assert written == json_text(NOTHING | {"reason": "search.pretraining is null"})


@pytest.mark.parametrize("arguments", [["--cell=2M-h1"], ["--ce", "2M-h1"]])
def test_a_cell_may_be_named_in_any_way_that_a_command_line_allows(tmp_path: Path, arguments: list[str]) -> None:
    write_plan(tmp_path / "artifacts" / "plans" / "2M-h1.json", NotPlanned(cell="2M-h1", budget="2M", horizon=1))
    assert run_script(tmp_path, "hpo", *arguments)[0] == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"planned": false, "horizon": "one"}', None])
def test_a_plan_file_that_is_damaged_or_missing_ends_the_stage_with_1_and_writes_nothing(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        write_text(tmp_path / "artifacts" / "plans" / "2M-h1.json", content)
    assert run_script(tmp_path, "hpo", "--cell", str(ABOVE))[0] == 1
    assert not (tmp_path / "artifacts" / "hpo").exists()
