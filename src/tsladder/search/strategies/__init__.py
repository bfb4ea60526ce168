"""Search strategies, one module each: a strategy has the name of its module, which defines it as STRATEGY."""

from __future__ import annotations

import importlib

from tsladder.search.decisions import Strategy


def load(name: str) -> Strategy:
    """Load the strategy called `name`. Raises ModuleNotFoundError for an unknown one."""
    strategy: Strategy = importlib.import_module(f"{__name__}.{name}").STRATEGY
    return strategy
