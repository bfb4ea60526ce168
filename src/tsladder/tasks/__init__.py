"""The tasks, one module each: what is forecast for a day, how a model of it is trained and how it is scored.

A new file in this folder is a new task; no list names them. A module offers TASKS, name -> task: `direction` offers the
task of that name, `threshold` those of every name that begins with `threshold_`. `panel` holds the tasks of a panel of
stocks, found by the functions whose names say so. `parts` holds the ports and the code that tasks share. No module
imports all tasks: each is loaded by its name, so the code of one makes nothing of another stale. Importing a task
imports neither numpy nor torch, so that params.yaml can be checked against what the task declares.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tsladder.errors import BadInput

if TYPE_CHECKING:
    from tsladder.tasks.parts.task import AnyTask, RankingTask, Task

_IN_PANEL = "panel."


def names() -> tuple[str, ...]:
    """Return the names of all tasks of a series, module by module."""
    return tuple(name for module in sorted(_modules()) for name in _tasks_of(module))


def panel_names() -> tuple[str, ...]:
    """Return the names of all tasks of a panel, module by module."""
    return tuple(name for module in sorted(_panel_modules()) for name in _panel_tasks_of(module))


def is_known(name: str) -> bool:
    """Check whether there is a task of a series called `name`. Loads no module of another name."""
    return _series_module_of(name) is not None


def load(name: str) -> Task:
    """Load the task of a series called `name`. Raises BadInput for an unknown one."""
    module = _series_module_of(name)
    if module is None:
        raise _unknown(name, names())
    return _tasks_of(module)[name]


def load_ranking(name: str) -> RankingTask:
    """Load the task of a panel called `name`. Raises BadInput for an unknown one."""
    module = _panel_module_of(name)
    if module is None:
        raise _unknown(name, panel_names())
    return _panel_tasks_of(module)[name]


def load_any(name: str) -> AnyTask:
    """Load the task called `name`, of a series or of a panel. Raises BadInput for an unknown one."""
    return load_ranking(name) if module_of(name).startswith(_IN_PANEL) else load(name)


def module_of(name: str) -> str:
    """Return the module, below this folder, of the task called `name`: "direction", or "panel.rank" for a task of a
    panel. Raises BadInput for an unknown one."""
    if (module := _series_module_of(name)) is not None:
        return module
    if (module := _panel_module_of(name)) is not None:
        return f"{_IN_PANEL}{module}"
    raise _unknown(name, (*names(), *panel_names()))


def task_with_metric(metric: str) -> AnyTask | None:
    """Return the first task whose loss is called `metric`, for records that name no task; None if no task has that
    loss."""
    return next((task for name in (*names(), *panel_names()) if (task := load_any(name)).metric == metric), None)


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


def _panel_modules() -> set[str]:
    folders = importlib.import_module(f"{__name__}.panel").__path__
    return {module.name for module in pkgutil.iter_modules(folders)}


def _series_module_of(name: str) -> str | None:
    """Return the module that offers the task of a series called `name`; None for an unknown one."""
    module = _module_of(name, _modules())
    return module if module is not None and name in _tasks_of(module) else None


def _panel_module_of(name: str) -> str | None:
    """Return the module of the folder `panel` that offers the task called `name`; None for an unknown one."""
    module = _module_of(name, _panel_modules())
    return module if module is not None and name in _panel_tasks_of(module) else None


def _unknown(name: str, known: Sequence[str]) -> BadInput:
    return BadInput(f"target.task must be one of {', '.join(known)}, got {name!r}")


def _module_of(name: str, modules: set[str]) -> str | None:
    """Return the module called `name`, or the one with the longest name that `name` begins with, followed by an
    underscore."""
    fitting = (module for module in modules if name == module or name.startswith(f"{module}_"))
    return max(fitting, key=len, default=None)


def _tasks_of(module: str) -> Mapping[str, Task]:
    tasks: Mapping[str, Task] = importlib.import_module(f"{__name__}.{module}").TASKS
    return tasks


def _panel_tasks_of(module: str) -> Mapping[str, RankingTask]:
    tasks: Mapping[str, RankingTask] = importlib.import_module(f"{__name__}.{_IN_PANEL}{module}").TASKS
    return tasks
