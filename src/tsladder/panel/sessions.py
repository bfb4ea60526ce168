"""Sessions of an exchange, from the package `exchange_calendars`, which is an optional extra."""

from __future__ import annotations

import datetime

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

# Exchanges are open on about 250 days a year, on few years on less than 200.
_DAYS_A_SESSION = 2
_MORE_DAYS = 60


def sessions_between(calendar: str, first: str, last: str) -> NDArray[np.datetime64]:
    """Return the days on which the exchange `calendar` (its code, like XNYS) was open, `first` and `last` included."""
    from exchange_calendars import get_calendar

    sessions = get_calendar(calendar, start=first, end=last).sessions
    return np.asarray(sessions.to_numpy(), dtype="datetime64[ns]")


def last_sessions(calendar: str, last: datetime.date, count: int) -> NDArray[np.datetime64]:
    """Return the `count` sessions that end with the day `last`.

    Raises BadInput where the package is missing, the exchange is unknown, `last` is no session of it, or its calendar
    does not reach back that far.
    """
    bound = _first_known(calendar)
    if bound is not None and last < bound:
        raise BadInput(f"--last-day {last} lies before the first day known of {calendar}, {bound}")
    first = last - datetime.timedelta(days=_DAYS_A_SESSION * count + _MORE_DAYS)
    try:
        days_T = sessions_between(calendar, max(first, bound or first).isoformat(), last.isoformat())
    except ValueError as error:
        raise BadInput(f"--sessions {calendar} --last-day {last}: {' '.join(str(error).split())[:200]}") from None
    days_T = days_T.astype("datetime64[D]")
    if len(days_T) == 0 or days_T[-1] != np.datetime64(last):
        before = f"; the one before it is {days_T[-1]}" if len(days_T) else ""
        raise BadInput(f"--last-day {last} is no session of {calendar}{before}: give the day of the last row")
    if len(days_T) < count:
        raise BadInput(
            f"--sessions {calendar}: {count} rows have to be dated, and {len(days_T)} sessions are known from "
            f"{days_T[0]} to {last}: leave the first rows out of the file"
        )
    return days_T[len(days_T) - count :]


def _first_known(calendar: str) -> datetime.date | None:
    """Return the first day that can be asked for, None where there is no bound."""
    try:
        from exchange_calendars import errors, get_calendar
    except ImportError as error:
        raise BadInput(
            f"--sessions {calendar} needs the package exchange_calendars, which cannot be imported ({error}): pip "
            "install 'tsladder[panels]', or bring a table that has a column of dates"
        ) from None
    try:
        bound = get_calendar(calendar).bound_min()
    except errors.InvalidCalendarName:
        raise BadInput(
            f"--sessions {calendar}: exchange_calendars has no exchange of that code; codes are those of ISO 10383, "
            "like XNYS (New York), XLON (London), XTKS (Tokyo)"
        ) from None
    return None if bound is None else datetime.date(bound.year, bound.month, bound.day)
