"""What is forecast is asked of the port `Task`: no module beside tasks/ knows one of them by its name."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from tests.contracts.trees import FILES, PACKAGE, ROOT, nodes, text

from tsladder.tasks import load, names

NAMES = frozenset(names())
METRICS = {load(name).metric for name in NAMES}
CONSTANTS = {"LOG_LOSS", "HUBER"}

MADE_UP = {"execution/probe.py"}
"""Trains made-up windows of two classes, to measure memory."""


def named(source: str) -> Iterator[int]:
    """Lines that name a task in a text, ask for `.regression`, or compare with the loss of one."""
    for node in nodes(source):
        if isinstance(node, ast.Attribute) and node.attr == "regression":
            yield node.lineno
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split()
            if len(words) == 1 and (node.value in NAMES or node.value.startswith("threshold_")):
                yield node.lineno
        if isinstance(node, ast.Compare):
            for part in ast.walk(node):
                of_loss = isinstance(part, ast.Name) and part.id in CONSTANTS
                if of_loss or (isinstance(part, ast.Constant) and part.value in METRICS):
                    yield node.lineno


def test_no_module_beside_tasks_asks_for_a_task_by_name() -> None:
    faults = []
    for file in FILES:
        if file.is_relative_to(PACKAGE / "tasks"):
            continue
        if file.is_relative_to(PACKAGE) and file.relative_to(PACKAGE).as_posix() in MADE_UP:
            continue
        faults += [f"{file.relative_to(ROOT)}:{line}" for line in named(text(file))]
    assert faults == [], "ask the task that tsladder.tasks.load gives; its port is tasks/parts/task.py"


@pytest.mark.parametrize(
    "source",
    [
        "if target.regression: pass",
        "if task == 'direction': pass",
        "if task in ('direction', 'other'): pass",
        "task.startswith('threshold_')",
        "{'threshold_1pct': 1}",
        "if metric == HUBER: pass",
        "if 'log_loss' in mean: pass",
    ],
)
def test_such_a_question_is_seen(source: str) -> None:
    assert list(named(source))


def test_other_words_are_not() -> None:
    assert not list(named("'a logistic regression'; x = threshold_percent; {'log_loss': 1}"))
