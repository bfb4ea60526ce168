"""The model families, one module each, named like the family and defining it as FAMILY.

A new file in this folder is a new family of models of one series, one in `panel` of models that rank a panel of stocks;
families are listed nowhere. `parts` holds what families share. No module imports all families: each is loaded by its
name, so the code of other families is never run and makes nothing stale. Imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterable

from tsladder.errors import BadInput
from tsladder.families.parts.family import Family


def names() -> tuple[str, ...]:
    """Return the names of all families of one series, sorted: the modules of this folder."""
    return _modules(__path__)


def panel_names() -> tuple[str, ...]:
    """Return the names of all families of a panel of stocks, sorted: the modules of the folder `panel`."""
    return _modules(importlib.import_module(f"{__name__}.panel").__path__)


def is_of_panel(name: str) -> bool:
    """Check whether `name` is a family of a panel of stocks. Raises BadInput for an unknown one."""
    return module_of(name) == _in_panel(name)


def module_of(name: str) -> str:
    """Return the module that defines the family called `name`. Raises BadInput for an unknown one."""
    for path in (f"{__name__}.{name}", _in_panel(name)):
        # Costs of a model are asked for thousands of times, and reading a folder takes longer than counting them.
        if name.isidentifier() and hasattr(sys.modules.get(path), "FAMILY"):
            return path
    if name in names():
        return f"{__name__}.{name}"
    if name in panel_names():
        return _in_panel(name)
    raise BadInput(
        f"model.family must be one of {', '.join(names())}, got {name!r}; in a study of a panel one of "
        f"{', '.join(panel_names())}"
    )


def load(name: str) -> Family:
    """Load the family called `name`, of either kind. Raises BadInput for an unknown one."""
    family: Family = importlib.import_module(module_of(name)).FAMILY
    return family


def _in_panel(name: str) -> str:
    return f"{__name__}.panel.{name}"


def _modules(folders: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folders) if not module.ispkg))
