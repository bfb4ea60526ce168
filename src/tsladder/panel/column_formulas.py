"""Formulas of the columns of a panel in words, for lists and pages. The functions that compute them are in
`tsladder.panel.columns`, and a test compares the two."""

from __future__ import annotations

import re

from tsladder.panel.columns import C21, S9, V27

LETTERS = (
    "C, O, H, L: prices. V: turnover in currency. r: one-day log return of the stock. m: that of the market, the mean "
    "of the listed stocks. Means, sums and standard deviations are over the last n sessions, n being the last number "
    "in the column's name."
)

_OF_NAME = {
    "momentum_252_21": "ln C(t-21) - ln C(t-252)",
    "beta_63": "slope of the regression of r on m",
    "idio_vol_63": "standard deviation of the residuals of that regression",
    "max_21": "largest r",
    "high_distance_252": "ln of C over the highest C",
    "log_turnover_63": "ln of the mean V",
    "illiquidity_21": "mean of |r| / V over the days with turnover (Amihud 2002)",
    "turnover_vol_21": "standard deviation of V over its mean",
    "return_turnover_corr_21": "correlation of r and V",
    "overnight": "ln O(t) - ln C(t-1)",
    "intraday": "ln C - ln O",
    "close_location": "(C - L) / (H - L), 1/2 where H equals L",
    "gap_share_21": "sum of |overnight| over that of |overnight| + |intraday|",
}
_OF_KIND = {
    "ret": "ln C(t) - ln C(t-{n})",
    "vol": "standard deviation of r",
    "residual": "ret_{n} - beta_63(t-1) * sum of m",
    "sma_distance": "ln of C over the mean C",
    "turnover_shock": "ln of the mean V of {n} days over that of 63",
    "parkinson": "root of the mean of ln(H/L)^2 / (4 ln 2) (Parkinson 1980)",
}

NEEDS = {
    "s9": "Close",
    "c21": "Close",
    "v27": "Close, and Turnover or Volume",
    "o33": "Open, High, Low, Close, and Turnover or Volume",
}
"""Tier -> columns of the panel's file that it needs."""


def formula_of(column: str) -> str:
    """Return the formula of `column`. Raises KeyError for an unknown one."""
    if column in _OF_NAME:
        return _OF_NAME[column]
    kind, days = re.fullmatch(r"(\w+?)_(\d+)", column).groups()  # type: ignore[union-attr]
    return _OF_KIND[kind].format(n=days)


def column_needs(column: str) -> str:
    """Return the columns of the panel's file that `column` is computed from."""
    if column in C21 or column in S9:
        return NEEDS["c21"]
    return NEEDS["v27"] if column in V27 else "Open, High, Low, Close"
