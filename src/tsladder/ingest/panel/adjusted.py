"""Adjust prices for splits and dividends, by the adjusted prices of the files or by their factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.headers import PRICES
from tsladder.ingest.names import Role, bare
from tsladder.ingest.panel.joined import Joined
from tsladder.panel.panel import Returns

CLOSE_RAW = "CloseRaw"
_ADJUSTED = {Role.OPEN: Role.ADJ_OPEN, Role.HIGH: Role.ADJ_HIGH, Role.LOW: Role.ADJ_LOW}
# Headings of closes adjusted for splits alone; all others (such as Yahoo's Adj Close) are adjusted for dividends too.
_FOR_SPLITS = frozenset(map(bare, ("AdjustmentClose", "AdjC")))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Adjusted:
    """Adjusted columns of a panel, by name.

    `how`: the adjustment in words, None if nothing was adjusted. `returns`: the kind of return that changes of Close
    measure, None if the files do not say.
    """

    columns: Mapping[str, NDArray[np.float64]]
    how: str | None
    returns: Returns | None


def adjusted(table: Joined, titles: Mapping[Role, str]) -> Adjusted:
    """Return the columns of `table`, adjusted. `titles`: role -> heading of its column.

    Raises BadInput for factors of unknown meaning.
    """
    values = table.values
    if Role.ADJ_CLOSE in values:
        return _by_adjusted_close(values, titles)
    if Role.FACTOR in values:
        return _by_factor(table, titles[Role.FACTOR])
    return Adjusted(columns=_columns(values), how=None, returns=None)


def _columns(values: Mapping[Role, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    return {str(role): values[role] for role in (*PRICES, Role.VOLUME, Role.TURNOVER) if role in values}


def _by_adjusted_close(values: Mapping[Role, NDArray[np.float64]], titles: Mapping[Role, str]) -> Adjusted:
    title = titles[Role.ADJ_CLOSE]
    returns = Returns.PRICE if bare(title) in _FOR_SPLITS else Returns.TOTAL
    columns = _columns(values)
    columns["Close"] = values[Role.ADJ_CLOSE]
    if Role.CLOSE not in values:
        for role in (Role.OPEN, Role.HIGH, Role.LOW):
            columns.pop(str(role), None)
        return Adjusted(columns=columns, how=f"Close is {title!r}; no raw close beside it", returns=returns)
    factor_R = values[Role.ADJ_CLOSE] / values[Role.CLOSE]
    columns[CLOSE_RAW] = values[Role.CLOSE]
    for role, own in _ADJUSTED.items():
        if own in values:
            columns[str(role)] = values[own]
        elif role in values:
            columns[str(role)] = values[role] * factor_R
    if Role.ADJ_VOLUME in values:
        columns["Volume"] = values[Role.ADJ_VOLUME]
    how = f"Close is {title!r}, CloseRaw is {titles[Role.CLOSE]!r}"
    return Adjusted(columns=columns, how=how, returns=returns)


def _by_factor(table: Joined, title: str) -> Adjusted:
    """Adjust prices and volumes by the factors in the column `title`.

    A factor of CRSP divides the price of its own day. A factor of J-Quants stands on the day of a split alone, and
    multiplies the prices of all days before it.
    """
    factor_R = table.values[Role.FACTOR]
    if bare(title).startswith(("cfac", "dlycfac")):
        scale_R = 1.0 / factor_R
        how = f"Close is divided by {title!r}, CloseRaw is as it was"
    else:
        scale_R = _of_later_splits(table, title)
        how = f"Close is multiplied by every later {title!r}, CloseRaw is as it was"
    columns = _columns(table.values)
    columns[CLOSE_RAW] = columns["Close"]
    for role in PRICES:
        if str(role) in columns:
            columns[str(role)] = columns[str(role)] * scale_R
    if "Volume" in columns:
        columns["Volume"] = columns["Volume"] / scale_R
    return Adjusted(columns=columns, how=how, returns=Returns.PRICE)


def _of_later_splits(table: Joined, title: str) -> NDArray[np.float64]:
    """Return the product of the factors of all later days of the same stock. A missing factor counts as 1."""
    factor_R = np.where(np.isnan(table.values[Role.FACTOR]), 1.0, table.values[Role.FACTOR])
    starts_R = table.starts_R
    repeated = np.flatnonzero((factor_R[1:] != 1) & (factor_R[1:] == factor_R[:-1]) & ~starts_R[1:]) + 1
    if len(repeated):
        place = int(repeated[0])
        raise BadInput(
            f"{table.where(place)}: {title!r} must hold a factor on the day of a split alone, and is "
            f"{factor_R[place]:g} on the day before too: bring an adjusted close (--column 'Adj Close=NAME'), or leave "
            "the factors out with --column Factor="
        )
    log_R = np.log(factor_R)
    total_R = np.cumsum(log_R)
    ends = np.flatnonzero(np.append(starts_R[1:], True))
    at_end_R = total_R[ends][np.cumsum(starts_R) - 1]
    changed = bool((log_R != 0).any())
    return np.exp(at_end_R - total_R) if changed else np.ones(len(factor_R))
