"""The tasks, one module each: what is forecast for a day, how a model of it is trained and how it is scored.

A new file in this folder is a new task; no list names them. A module offers TASKS, name -> task: `direction` offers the
task of that name, `threshold` those of every name that begins with `threshold_`. `parts` holds the port and the code
that tasks share. No module imports all tasks: each is loaded by its name, so the code of one makes nothing of another
stale. Importing a task imports neither numpy nor torch, so that params.yaml can be checked against what the task
declares.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.errors import BadInput

if TYPE_CHECKING:
    from tsladder.tasks.parts.task import Task


def names() -> tuple[str, ...]:
    """Return the names of all tasks, module by module."""
    return tuple(name for module in sorted(_modules()) for name in _tasks_of(module))


def is_known(name: str) -> bool:
    """Check whether there is a task called `name`. Loads no module of another name."""
    module = _module_of(name)
    return module is not None and name in _tasks_of(module)


def load(name: str) -> Task:
    """Load the task called `name`. Raises BadInput for an unknown one."""
    return _tasks_of(module_of(name))[name]


def module_of(name: str) -> str:
    """Return the module of this folder that offers the task called `name`. Raises BadInput for an unknown one."""
    module = _module_of(name)
    if module is None or name not in _tasks_of(module):
        raise BadInput(f"target.task must be one of {', '.join(names())}, got {name!r}")
    return module


def task_with_metric(metric: str) -> Task | None:
    """Return the first task whose loss is called `metric`, for records that name no task; None if no task has that
    loss."""
    return next((task for name in names() if (task := load(name)).metric == metric), None)


def loss_words(metric: str) -> str:
    """Return the common name of the loss `metric`: "log loss"."""
    task = task_with_metric(metric)
    return metric.replace("_", " ") if task is None else task.words.loss


def loss_unit(metric: str) -> str:
    """Return the unit of the loss `metric`: "nats"."""
    task = task_with_metric(metric)
    return "units of the loss" if task is None else task.words.unit


def _modules() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg}


def _module_of(name: str) -> str | None:
    """Return the module called `name`, or the one with the longest name that `name` begins with, followed by an
    underscore."""
    fitting = (module for module in _modules() if name == module or name.startswith(f"{module}_"))
    return max(fitting, key=len, default=None)


def _tasks_of(module: str) -> Mapping[str, Task]:
    tasks: Mapping[str, Task] = importlib.import_module(f"{__name__}.{module}").TASKS
    return tasks
