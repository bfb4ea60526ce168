"""Century of two-digit years: the one under which the days form a trading week."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.weekdays import FEW, spans_a_week, week_in_words, weekend_share

CENTURIES = (20, 19, 18)


def full_years(
    short: NDArray[np.int64],
    days_under: Callable[[NDArray[np.int64]], NDArray[np.datetime64]],
    cells: Sequence[str],
    source: str,
    *,
    century: int | None,
    today: datetime.date,
) -> tuple[NDArray[np.int64], str]:
    """Convert two-digit years to four digits; return them and how the century was determined.

    `days_under` builds the days from a choice of years. A shift by a hundred years moves the days of the week, so
    usually only one of the readings that lie before today has no weekends. Raises BadInput if none or several are
    possible and `century` does not choose one.
    """
    if century is not None:
        return 100 * century + short, f"as told, {100 * century} to {100 * century + 99}"
    recent = np.where(2000 + short <= today.year, 2000 + short, 1900 + short)
    readings = {"the years up to today": recent} | {f"{100 * c} to {100 * c + 99}": 100 * c + short for c in CENTURIES}
    possible: dict[str, NDArray[np.int64]] = {}
    unlikely: dict[str, NDArray[np.int64]] = {}
    last = np.datetime64(today)
    for words, years in readings.items():
        days = days_under(years)
        days = days[~np.isnat(days)]
        if len(days) == 0 or days.max() > last:
            continue
        if any(np.array_equal(years, other) for other in (*possible.values(), *unlikely.values())):
            continue
        trades = spans_a_week(days) and weekend_share(days) <= FEW
        (possible if trades else unlikely)[words] = years
    if len(possible) == 1:
        words, years = next(iter(possible.items()))
        return years, f"{words}: no other century gives these days a trading week"
    shown = []
    for words, years in (possible | unlikely).items():
        days = days_under(years)
        known = days[~np.isnat(days)]
        option = f" (--century {int(years[0]) // 100})" if len(set((years // 100).tolist())) == 1 else ""
        week = week_in_words(known)
        shown.append(f"as {words}: {cells[0]!r} is {days[0]}, and the bars run over {week}{option}")
    raise BadInput(
        f"{source}: years of two digits leave their century open, and the days of the week do not tell it; say which, "
        "or write years of four digits:",
        shown,
    )
