"""Distinguish returns from prices by their sizes, and compute prices from returns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput

# Values of which some are negative and whose median absolute value is below this are returns, not prices.
_SIZE_OF_RETURNS = 0.2
# Daily returns of stocks have a median absolute value below this.
_LARGE_RETURN = 0.1


def refuse_returns_as_prices(close_R: NDArray[np.float64], source: str) -> None:
    """Raise BadInput for a column of prices that holds returns."""
    known = close_R[~np.isnan(close_R)]
    if len(known) and (known < 0).any() and (middle := float(np.median(np.abs(known)))) < _SIZE_OF_RETURNS:
        raise BadInput(
            f"{source}: prices must be positive, and these look like returns: {int((known < 0).sum())} of {len(known)} "
            f"are below 0, and the median absolute value is {middle:.2g}: bring prices, or a table with one column of "
            "returns per stock and --field return"
        )


def refuse_prices_as_returns(returns_R: NDArray[np.float64], source: str) -> None:
    """Raise BadInput for a column of returns that holds prices, ratios of prices or percentages."""
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
            else "prices: use --field close"
        )
    else:
        words = "percentages: write 1.2 % as 0.012"
    raise BadInput(
        f"{source}: --field return is for daily returns, and the median absolute value is {middle:.3g}; these look "
        f"like {words}"
    )


def close_of_returns(returns_R: NDArray[np.float64], starts_R: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the value of 1 invested before the first row of each stock; NaN where the return is missing.

    Rows are sorted by stock and day; `starts_R` is True at the first row of each stock.
    """
    log_R = np.log1p(np.where(np.isnan(returns_R), 0.0, returns_R))
    total_R = np.cumsum(log_R)
    number_R = np.cumsum(starts_R) - 1
    before_S = (total_R - log_R)[starts_R]
    return np.where(np.isnan(returns_R), np.nan, np.exp(total_R - before_S[number_R]))
