"""Days as counts since 1970 in UTC: seconds, milliseconds, microseconds or nanoseconds, distinguished by their size."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Days from 1973 to 2100, and as far before 1966, have 9 or 10 digits as seconds, and three more in each finer unit.
_LEAST, _BEYOND = 10**8, 4_102_444_800
_UNITS = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
_PER = dict(_UNITS)
_COUNT = re.compile(r"(-?[0-9]{1,19})(?:\.[0-9]*)?")


def epoch_unit(cell: str) -> str | None:
    """Return the unit of a count since 1970; None for a text that is not a count, or a count too small to tell its
    unit."""
    match = _COUNT.fullmatch(cell)
    if match is None:
        return None
    size = abs(int(match[1]))
    return next((unit for unit, per in _UNITS if _LEAST * per <= size < _BEYOND * per), None)


def epoch_seconds(cells: Sequence[str], common: str) -> NDArray[np.float64]:
    """Convert counts to whole seconds since 1970; NaN for a cell that is not a count.

    The unit is determined for every cell: Binance went from milliseconds to microseconds. Counts near 1970 are too
    small for that, and are read in the `common` unit if the column is then monotonic.
    """
    seconds = np.full(len(cells), np.nan)
    small: list[int] = []
    for place, cell in enumerate(cells):
        match = _COUNT.fullmatch(cell)
        if match is None:
            continue
        unit = epoch_unit(cell)
        seconds[place] = int(match[1]) // _PER[unit or common]
        if unit is None:
            small.append(place)
    if small:
        steps = np.diff(seconds[~np.isnan(seconds)])
        if not ((steps >= 0).all() or (steps <= 0).all()):
            seconds[small] = np.nan
    return seconds
