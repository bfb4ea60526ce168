"""Rules that every row of a panel satisfies by itself, whatever other rows contain."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.ingest.headers import PRICES
from tsladder.ingest.names import Role
from tsladder.ingest.schema import FIRST_DAY, NOT_NEGATIVE, POSITIVE
from tsladder.ingest.sheet import Fault

_ROUNDING = 1e-9  # as `data.bars` allows High and Low
_POSITIVE = (*PRICES, Role.ADJ_CLOSE, Role.ADJ_OPEN, Role.ADJ_HIGH, Role.ADJ_LOW, Role.FACTOR)
_NOT_NEGATIVE = (Role.VOLUME, Role.ADJ_VOLUME, Role.TURNOVER)


def row_faults(
    values: Mapping[Role, NDArray[np.float64]],
    days_R: NDArray[np.datetime64],
    symbols_R: Sequence[str],
    *,
    returns: bool,
    today: datetime.date,
) -> list[Fault]:
    """Return every broken rule as (row, words).

    A row without any price means that the stock was not traded, and is no fault. With `returns`, Close holds returns.
    """
    faults = [(place, "Symbol is missing") for place, symbol in enumerate(symbols_R) if not symbol]
    faults += [
        (int(place), f"Date is {days_R[place]}; it lies after today, {today}")
        for place in np.flatnonzero(days_R > np.datetime64(today))
    ]
    faults += [
        (int(place), f"Date is {days_R[place]}; it lies before {FIRST_DAY}")
        for place in np.flatnonzero(days_R < np.datetime64(FIRST_DAY))
    ]
    positive = [role for role in _POSITIVE if role in values and not (returns and role is Role.CLOSE)]
    for roles, words in ((positive, POSITIVE), (_NOT_NEGATIVE, NOT_NEGATIVE)):
        for role in (role for role in roles if role in values):
            column_R = values[role]
            low_R = column_R <= 0 if words is POSITIVE else column_R < 0
            faults += [
                (int(place), f"{role} is {column_R[place]:g}; {words}")
                for place in np.flatnonzero(low_R | np.isinf(column_R))
            ]
    if returns:
        column_R = values[Role.CLOSE]
        faults += [
            (int(place), f"the return is {column_R[place]:g}; it must be above -1 and finite")
            for place in np.flatnonzero((column_R <= -1) | np.isinf(column_R))
        ]
    faults += _missing_closes(values)
    return faults + _range_faults(values)


def _missing_closes(values: Mapping[Role, NDArray[np.float64]]) -> list[Fault]:
    """Find rows without Close or Adj Close on which another price or the volume shows that the stock was traded."""
    closes = [role for role in (Role.CLOSE, Role.ADJ_CLOSE) if role in values]
    lacking = {role: np.isnan(values[role]) for role in closes}
    traded_R = ~np.logical_and.reduce(list(lacking.values()))
    for role in (Role.OPEN, Role.HIGH, Role.LOW):
        if role in values:
            traded_R |= ~np.isnan(values[role])
    if Role.VOLUME in values:
        traded_R |= values[Role.VOLUME] > 0
    return [
        (int(place), f"{role} is missing")
        for role, lacking_R in lacking.items()
        for place in np.flatnonzero(traded_R & lacking_R)
    ]


def _range_faults(values: Mapping[Role, NDArray[np.float64]]) -> list[Fault]:
    """Find rows whose Open or Close lies outside of Low to High; a missing price breaks no rule."""
    faults: list[Fault] = []
    slack_R = _ROUNDING * values[Role.CLOSE] if Role.CLOSE in values else None
    if slack_R is None or Role.HIGH not in values or Role.LOW not in values:
        return faults
    high_R, low_R = values[Role.HIGH], values[Role.LOW]
    crossed_R = high_R < low_R - slack_R
    faults += [
        (int(place), f"High {high_R[place]:g} is below Low {low_R[place]:g}") for place in np.flatnonzero(crossed_R)
    ]
    for role in (Role.OPEN, Role.CLOSE):
        if role not in values:
            continue
        price_R = values[role]
        faults += [
            (int(place), f"Low {low_R[place]:g} is above {role} {price_R[place]:g}")
            for place in np.flatnonzero(~crossed_R & (price_R < low_R - slack_R))
        ]
        faults += [
            (int(place), f"High {high_R[place]:g} is below {role} {price_R[place]:g}")
            for place in np.flatnonzero(~crossed_R & (price_R > high_R + slack_R))
        ]
    return faults
