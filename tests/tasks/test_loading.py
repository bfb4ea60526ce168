"""Tasks are found by name, and code reaches one without the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsladder import tasks
from tsladder.errors import BadInput
from tsladder.planning.fingerprint import import_closure, number_makers
from tsladder.tasks import is_known, load, loss_unit, loss_words, module_of, names, task_with_metric
from tsladder.tasks.threshold import PERCENTS, name_of

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
FOLDER = SOURCE / "tsladder" / "tasks"
MODULES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def test_every_module_offers_names_that_begin_with_its_own() -> None:
    assert {"direction", "regression", "threshold_1pct"} <= set(names())
    assert sorted({module_of(name) for name in names()}) == MODULES
    assert all(name == module_of(name) or name.startswith(f"{module_of(name)}_") for name in names())


@pytest.mark.parametrize("name", ["", "threshold", "threshold_7pct", "Direction", "parts", "parts.task", "../models"])
def test_an_unknown_task_is_refused_with_the_names_of_the_known_ones(name: str) -> None:
    assert not is_known(name)
    for ask in (load, module_of):
        with pytest.raises(BadInput, match=f"target.task must be one of {', '.join(names())}, got"):
            ask(name)


def test_a_longer_module_name_comes_before_a_shorter_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "direction_weekly.py").write_text(
        "from tsladder.tasks.direction import TASKS as PLAIN\nTASKS = {'direction_weekly': PLAIN['direction']}\n"
    )
    monkeypatch.setattr(tasks, "__path__", [*tasks.__path__, str(tmp_path)])
    assert module_of("direction_weekly") == "direction_weekly"
    assert module_of("direction") == "direction"


@pytest.mark.parametrize("module", MODULES)
def test_a_task_is_made_by_its_own_code_and_what_tasks_share(module: str) -> None:
    reached = set(number_makers([f"tsladder.tasks.{module}"], SOURCE))
    assert reached & {f"tsladder.tasks.{other}" for other in MODULES} == {f"tsladder.tasks.{module}"}


@pytest.mark.parametrize("start", sorted(path.name for path in (ROOT / "stages").glob("*.py")))
def test_no_stage_imports_a_task(start: str) -> None:
    reached = set(import_closure(ROOT / "stages" / start, SOURCE))
    assert reached & {f"tsladder.tasks.{module}" for module in MODULES} == set()


def test_a_threshold_is_called_by_its_percentage() -> None:
    assert [name_of(percent) for percent in PERCENTS] == [name for name in names() if name.startswith("threshold_")]
    assert load("threshold_1pct").alternatives == (
        *("threshold_0.5pct", "threshold_2pct", "threshold_3pct", "threshold_5pct"),
        "direction",
    )


def test_a_loss_is_named_as_its_task_names_it_or_by_its_metric() -> None:
    assert (loss_words("log_loss"), loss_unit("log_loss")) == ("log loss", "nats")
    assert loss_words("huber") == "Huber loss"
    assert task_with_metric("rank_error") is None
    assert loss_words("rank_error") == "rank error"
