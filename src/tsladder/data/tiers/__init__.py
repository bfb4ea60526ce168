"""The feature tiers, one module each, named like the tier and defining it as TIER.

A new file in this folder is a new tier; tiers are listed nowhere, and a new one makes no trained cell stale. Loading a
tier imports no formula: its columns are declared when `indicators` is called.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.errors import BadInput

if TYPE_CHECKING:
    from tsladder.data.columns.declaration import Indicator


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """A feature tier without OHLCV, which `data.ohlcv` adds to every tier.

    `columns`: number of columns that `indicators` declares; `of_volume`: number of these that are made of the volume;
    `reads_vix`: some of them are made of VIX.
    """

    columns: int
    of_volume: int
    indicators: Callable[[], tuple[Indicator, ...]]
    reads_vix: bool = False


def names() -> tuple[str, ...]:
    """Return the names of all tiers, the smallest first."""
    return tuple(sorted(_modules(), key=lambda name: (load(name).columns, name)))


def is_known(name: str) -> bool:
    """Check whether a tier called `name` exists, without loading any."""
    return name in _modules()


def _modules() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg}


def load(name: str) -> Tier:
    """Load the tier called `name`. Raises BadInput for an unknown one."""
    if not is_known(name):
        raise BadInput(f"data.tier must be one of {', '.join(names())}, got {name!r}")
    tier: Tier = importlib.import_module(f"{__name__}.{name}").TIER
    return tier
