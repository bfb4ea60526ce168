"""The model families, one module each, named like the family and defining it as FAMILY.

A new file in this folder is a new family; families are listed nowhere. `parts` holds what families share. No module
imports all families: each is loaded by its name, so the code of other families is never run and makes nothing stale.
Imports no torch.
"""

from __future__ import annotations

import importlib
import pkgutil

from tsladder.errors import BadInput
from tsladder.families.parts.family import Family


def names() -> tuple[str, ...]:
    """Return the names of all families, sorted: the modules of this folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def load(name: str) -> Family:
    """Load the family called `name`. Raises BadInput for an unknown one."""
    path = f"{__name__}.{name}"
    try:
        family: Family = importlib.import_module(path).FAMILY
    except (ModuleNotFoundError, AttributeError) as error:
        if name in names():
            # The file exists, and its own import fails.
            raise
        raise BadInput(f"model.family must be one of {', '.join(names())}, got {name!r}") from error
    return family
