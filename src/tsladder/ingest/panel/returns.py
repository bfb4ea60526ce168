"""Returns and prices told apart by their sizes, and prices made of returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

# Prices are seldom that small, and never below 0; half of the daily returns of stocks never that large.
_SIZE_OF_RETURNS = 0.2
_LARGE_RETURN = 0.1


def refuse_returns_as_prices(close_R: NDArray[np.float64], source: str) -> None:
    """Raises BadInput for a column of prices that holds returns."""
    known = close_R[~np.isnan(close_R)]
    if len(known) and (known < 0).any() and (middle := float(np.median(np.abs(known)))) < _SIZE_OF_RETURNS:
        raise BadInput(
            f"{source}: its prices are returns: {int((known < 0).sum())} of {len(known)} lie below 0, and half of them "
            f"within {middle:.2g} of it; bring prices, or returns in a table with a column for each stock and "
            "--field return"
        )


def refuse_prices_as_returns(returns_R: NDArray[np.float64], source: str) -> None:
    """Raises BadInput for a column of returns that holds prices, ratios of prices or percents."""
    known = returns_R[~np.isnan(returns_R)]
    if len(known) == 0:
        return
    middle = float(np.median(np.abs(known)))
    if middle < _LARGE_RETURN:
        return
    if (known > 0).all():
        words = (
            "ratios of prices: subtract 1"
            if abs(float(np.median(known)) - 1) < _LARGE_RETURN
            else "prices: say --field close"
        )
    else:
        words = "percents: 0.012 is needed where 1.2 % is meant"
    raise BadInput(
        f"{source}: --field return is for daily returns, and half of its values are {middle:.3g} or more in size; "
        f"these seem to be {words}"
    )


def close_of_returns(returns_R: NDArray[np.float64], starts_R: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The growth of 1 held since before the first row of each stock; NaN stays where no return is told.

    Rows are those of one stock after the other, each in the order of days; `starts_R` marks the first of each.
    """
    log_R = np.log1p(np.where(np.isnan(returns_R), 0.0, returns_R))
    total_R = np.cumsum(log_R)
    number_R = np.cumsum(starts_R) - 1
    before_S = (total_R - log_R)[starts_R]
    return np.where(np.isnan(returns_R), np.nan, np.exp(total_R - before_S[number_R]))
