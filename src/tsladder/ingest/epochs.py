"""Days as counts since 1970 in UTC: seconds, milliseconds, microseconds or nanoseconds, told by their size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Days from 1973 to 2100 have 9 or 10 digits as seconds, and three more in each finer unit.
_LEAST, _BEYOND = 10**8, 4_102_444_800
_UNITS = (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))


def epoch_unit(cell: str) -> str | None:
    """The unit of a count since 1970; None for what is none."""
    whole, point, rest = cell.partition(".")
    if not (whole.isascii() and whole.isdigit()) or (point and not (rest.isdigit() or rest == "")):
        return None
    count = int(whole)
    return next((unit for unit, per in _UNITS if _LEAST * per <= count < _BEYOND * per), None)


def epoch_seconds(cells: Sequence[str], unit: str) -> NDArray[np.float64]:
    """Whole seconds since 1970; NaN where a cell is no count in `unit`."""
    per = dict(_UNITS)[unit]
    return np.array(
        [int(cell.partition(".")[0]) // per if epoch_unit(cell) == unit else np.nan for cell in cells],
        dtype=np.float64,
    )
