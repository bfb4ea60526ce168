"""Calendar features, computed from the date alone; no later bar is read.

The remaining days of a month are its weekdays, holidays included.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import BOUNDED, UNITLESS, Fill, Indicator, declare
from tsladder.data.rolling import Column

Dates = NDArray[np.datetime64]

_FRIDAY = 4


def weekday(dates_T: Dates) -> NDArray[np.int64]:
    """Return 0 for Monday to 6 for Sunday."""
    # Day 0 of datetime64 is a Thursday.
    return np.asarray((dates_T.astype("datetime64[D]").astype(np.int64) + 3) % 7)


def month(dates_T: Dates) -> NDArray[np.int64]:
    """Return 0 for January to 11 for December."""
    return np.asarray(dates_T.astype("datetime64[M]").astype(np.int64) % 12)


def _month_days(dates_T: Dates) -> tuple[Dates, Dates]:
    """Return the first day of the month and the first day of the next."""
    months_T = dates_T.astype("datetime64[M]")
    return months_T.astype("datetime64[D]"), (months_T + 1).astype("datetime64[D]")


def month_passed(dates_T: Dates) -> Column:
    first_T, next_T = _month_days(dates_T)
    return np.asarray((dates_T - first_T).astype(np.int64) / ((next_T - first_T).astype(np.int64) - 1))


def weekdays_left(dates_T: Dates) -> Column:
    """Return the number of weekdays of the month after this day."""
    _, next_T = _month_days(dates_T)
    left_T: Column = np.busday_count(dates_T + 1, next_T).astype(np.float64)
    return left_T


def turn_of_month(dates_T: Dates) -> Column:
    """Return 1 on the last weekday of a month and the first three of the next (Lakonishok and Smidt 1988), else 0."""
    first_T, _ = _month_days(dates_T)
    begun_T = np.busday_count(first_T, dates_T + 1)
    return np.where((begun_T <= 3) | (weekdays_left(dates_T) == 0), 1.0, 0.0)


def expiry_week(dates_T: Dates) -> Column:
    """Return 1 in the week, Monday to Sunday, of the month's third Friday, on which options expire, else 0."""
    friday_T = dates_T - weekday(dates_T) + _FRIDAY
    first_T, _ = _month_days(friday_T)
    return np.where((friday_T - first_T).astype(np.int64) // 7 == 2, 1.0, 0.0)


def _nights(dates_T: Dates) -> Column:
    return np.concatenate([np.full(min(len(dates_T), 1), np.nan), np.diff(dates_T).astype(np.float64)])


def _around(part: Callable[[Dates], NDArray[np.int64]], length: int, wave: Callable[[Column], Column]) -> Fill:
    return lambda bars: wave(2.0 * np.pi / length * part(bars.dates_T).astype(np.float64))


def _wave(name: str, words: str, part: Callable[[Dates], NDArray[np.int64]], length: int) -> tuple[Indicator, ...]:
    """Declare sine and cosine of the date's place on a circle, so that the end of a cycle meets its beginning."""
    return tuple(
        declare(
            f"{name}_{wave.__name__}",
            BOUNDED,
            f"{function} of {words}, as an angle",
            0,
            "calendar",
            _around(part, length, wave),
        )
        for function, wave in (("sine", np.sin), ("cosine", np.cos))
    )


def _of_date(
    name: str, words: str, of_dates: Callable[[Dates], Column], *, look_back: int = 0, scale: float = 1.0
) -> Indicator:
    def fill(bars: Bars) -> Column:
        return of_dates(bars.dates_T.astype("datetime64[D]"))

    return declare(name, BOUNDED if scale != 1.0 else UNITLESS, words, look_back, "calendar", fill, scale=scale)


A100 = (
    *_wave("weekday", "the day of the week", weekday, 7),
    *_wave("month", "the month of the year", month, 12),
)
A200 = (
    _of_date("month_passed", "share of the month's days that have passed, 0 on the first, 1 on the last", month_passed),
    _of_date("turn_of_month", "1 on the last weekday of a month and the first three of the next", turn_of_month),
    _of_date("expiry_week", "1 in the week of the month's third Friday", expiry_week),
    _of_date("nights", "calendar days since the day before", _nights, look_back=1, scale=3.0),
)
