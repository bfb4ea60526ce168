"""Tasks are found by name, and code reaches one without the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tsladder import tasks
from tsladder.errors import BadInput
from tsladder.planning.fingerprint import import_closure, number_makers
from tsladder.planning.stage_code import task_module
from tsladder.tasks import (
    is_known,
    load,
    load_any,
    load_ranking,
    loss_unit,
    loss_words,
    module_of,
    names,
    panel_names,
    task_with_metric,
)
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
    every = (*names(), *panel_names())
    for ask, known in ((load, names()), (load_ranking, panel_names()), (load_any, every), (module_of, every)):
        with pytest.raises(BadInput, match=f"target.task must be one of {', '.join(known)}, got"):
            ask(name)


def test_a_task_of_a_panel_is_found_beside_those_of_a_series_and_is_none_of_them() -> None:
    assert panel_names() == ("rank",)
    assert not set(panel_names()) & set(names())
    assert not is_known("rank")
    assert load_any("rank") is load_ranking("rank")
    assert load_any("direction") is load("direction")
    with pytest.raises(BadInput, match=f"target.task must be one of {', '.join(names())}, got 'rank'"):
        load("rank")


def test_the_code_of_a_task_is_found_in_its_own_folder() -> None:
    assert task_module("rank") == "tsladder.tasks.panel.rank"
    assert task_module("threshold_1pct") == "tsladder.tasks.threshold"


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


def test_a_ranking_is_made_by_its_own_code_without_that_of_a_series() -> None:
    reached = set(number_makers([task_module("rank")], SOURCE, "hpo"))
    assert {"tsladder.tasks.parts.ranking_losses", "tsladder.ranking.metrics"} <= reached
    assert not reached & {f"tsladder.tasks.{module}" for module in MODULES}
    assert not [name for name in reached if name.endswith(("_words", "_faults"))]


STAGES = sorted(path.relative_to(ROOT / "stages").as_posix() for path in (ROOT / "stages").rglob("*.py"))


@pytest.mark.parametrize("start", STAGES)
def test_no_stage_imports_a_task(start: str) -> None:
    reached = set(import_closure(ROOT / "stages" / start, SOURCE))
    assert reached & {"tsladder.tasks.panel.rank", *(f"tsladder.tasks.{module}" for module in MODULES)} == set()


def test_a_threshold_is_called_by_its_percentage() -> None:
    assert [name_of(percent) for percent in PERCENTS] == [name for name in names() if name.startswith("threshold_")]
    assert load("threshold_1pct").alternatives == (
        *("threshold_0.5pct", "threshold_2pct", "threshold_3pct", "threshold_5pct"),
        "direction",
    )


def test_a_loss_is_named_as_its_task_names_it_or_by_its_metric() -> None:
    assert (loss_words("log_loss"), loss_unit("log_loss")) == ("log loss", "nats")
    assert loss_words("huber") == "Huber loss"
    assert task_with_metric("rank_error") is load_ranking("rank")
    assert (loss_words("rank_error"), loss_unit("rank_error")) == ("rank error", "1 - RankIC")
    assert task_with_metric("nothing_known") is None
    assert (loss_words("nothing_known"), loss_unit("nothing_known")) == ("nothing known", "units of the loss")
