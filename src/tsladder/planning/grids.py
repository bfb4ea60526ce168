"""Grids of this process, each built once: one takes tens of milliseconds, and a study asks for each several times."""

from __future__ import annotations

import functools

from tsladder.models.spec import Geometry
from tsladder.planning.grid import Grid, build_grid


@functools.cache
def grid_of(geometry: Geometry, budget: str) -> Grid:
    """Return the grid of `budget`. Raises BadInput when it is empty."""
    return build_grid(geometry, budget)
