"""The strategies of the search, one module each: it is called like its module and offers it as STRATEGY."""

from __future__ import annotations

import importlib

from tsladder.search.decisions import Strategy


def load(name: str) -> Strategy:
    """The strategy called `name`. Raises ModuleNotFoundError for an unknown one."""
    strategy: Strategy = importlib.import_module(f"{__name__}.{name}").STRATEGY
    return strategy
