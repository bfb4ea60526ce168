"""The feature tiers, one module each: a tier is called like its module, which offers it as TIER.

A new file in this folder is a new tier; nothing lists them, and another tier makes nothing stale that was trained.
Loading a tier imports no formula: its columns are declared when `indicators` is called.
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
    """A feature tier beside OHLCV, which `data.ohlcv` adds to every tier.

    `columns`: how many columns `indicators` declares, in their order; `of_volume`: how many of these are made of the
    volume; `reads_vix`: whether some are of VIX.
    """

    columns: int
    of_volume: int
    indicators: Callable[[], tuple[Indicator, ...]]
    reads_vix: bool = False


def names() -> tuple[str, ...]:
    """Names of all tiers, the smallest first."""
    return tuple(sorted(_modules(), key=lambda name: (load(name).columns, name)))


def is_known(name: str) -> bool:
    """Is there a tier called `name`? Loads none."""
    return name in _modules()


def _modules() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg}


def load(name: str) -> Tier:
    """Load the tier called `name`. Raises BadInput for an unknown one."""
    if not is_known(name):
        raise BadInput(f"data.tier must be one of {', '.join(names())}, got {name!r}")
    tier: Tier = importlib.import_module(f"{__name__}.{name}").TIER
    return tier
