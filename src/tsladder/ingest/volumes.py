"""Choice of the volume by its values, with tick volume in place of zeros, and removal of CRSP's minus signs from the
Close."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tsladder.ingest.headers import NOT_OF_THE_BARS, Columns
from tsladder.ingest.names import Role, bare
from tsladder.ingest.sheet import Sheet

_MAY_BE_VOLUME = re.compile(r"vol|shares|qty|quantit|contracts|lots|成交|出来高|거래|объ|量", re.IGNORECASE)
_NO_VOLUME = re.compile(
    r"adj|avg|average|mean|volat|prev|turnover|value|amount|额|額|金|대금|outstanding", re.IGNORECASE
)

CRSP_PRICES = ("prc", "dlyprc")
"""Bare names of CRSP's price, whose sign is a mark."""

Values = dict[Role, NDArray[np.float64]]


def traded_volume(values: Mapping[Role, NDArray[np.float64]]) -> tuple[Values, str | None, str | None]:
    """Choose the traded volume, or the tick volume in its place.

    Returns the values without Tick Volume; why Volume was left aside, and a note if ticks stand in its place, None for
    each if it does not apply. A volume that is 0 throughout counts as missing, since brokers and indices write it so.
    """
    kept: Values = dict(values)
    kept.pop(Role.TICK_VOLUME, None)
    volume, ticks = values.get(Role.VOLUME), values.get(Role.TICK_VOLUME)
    ticked = ticks is not None and bool((np.nan_to_num(ticks) > 0).any())
    if volume is None:
        if ticked:
            kept[Role.VOLUME] = values[Role.TICK_VOLUME]
            return kept, None, "Volume counts ticks: changes of price, not what was traded"
        return kept, None, None
    nothing = np.isnan(volume).all() or (np.nan_to_num(volume) == 0).all()
    if not nothing:
        return kept, None, None
    why = "holds no value" if np.isnan(volume).all() else "is 0 on every day, which is no volume"
    if ticked:
        kept[Role.VOLUME] = values[Role.TICK_VOLUME]
        return kept, why, "Volume counts ticks: the column of real volume has none"
    del kept[Role.VOLUME]
    return kept, why, None


def possible_volume(columns: Columns) -> str | None:
    """Return a note on a column that was left aside and, by its name, may be the volume; None if there is none."""
    for title, why in columns.ignored.items():
        if why == NOT_OF_THE_BARS and _MAY_BE_VOLUME.search(title) and not _NO_VOLUME.search(title):
            return f"no column is taken as Volume; where {title!r} is it, say --column 'Volume={title}'"
    return None


def without_crsp_signs(
    sheet: Sheet, title: str, values: Mapping[Role, NDArray[np.float64]]
) -> tuple[Values, str | None]:
    """Remove the minus sign by which CRSP marks a PRC that is the midpoint of bid and ask, on a day without a trade.

    Returns the values, and a note if a sign was removed.
    """
    close_R = values[Role.CLOSE]
    marked_R = close_R < 0
    if bare(title) not in CRSP_PRICES or not marked_R.any():
        return dict(values), None
    first = int(sheet.rows_R[int(np.flatnonzero(marked_R)[0])])
    count = int(marked_R.sum())
    told = (
        f"{title} is negative on {count} day{'s' if count > 1 else ''} (first in row {first}): CRSP marks the middle "
        "of bid and ask of a day without a trade so; taken without the sign"
    )
    return {**values, Role.CLOSE: np.abs(close_R)}, told
