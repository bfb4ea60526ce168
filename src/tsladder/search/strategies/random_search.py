"""Random search, the baseline for the other strategies: every trial is drawn at random, whatever the earlier ones have
shown."""

from __future__ import annotations

from tsladder.planning.grid import Grid
from tsladder.search.decisions import Forced


class RandomSearch:
    """Strategy that forces nothing and never learns."""

    learns = False
    supplement = None

    def forced(self, grid: Grid) -> tuple[Forced, ...]:
        return ()


STRATEGY = RandomSearch()
