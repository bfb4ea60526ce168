"""Columns (features) of a panel, by tier.

A value uses only rows up to its day, and does not depend on the scale of a stock's prices. Time is counted in sessions,
the same ones for all stocks. On a session without a trade a stock keeps its last price, for at most 21 sessions, so
that its return falls on the day on which it is traded again; after a longer pause its history begins anew. Columns have
values on traded days only. The market return of a session is the equal-weighted mean return of the listed stocks.

``r`` is a stock's one-day log return, ``m`` the market's, ``C O H L`` are prices, ``V`` is the turnover in currency (0
on a session without a trade). Means, sums and standard deviations are over the last n sessions:

======================= ============================================================
ret_n                   ln C(t) - ln C(t-n)
momentum_252_21         ln C(t-21) - ln C(t-252)
vol_n                   standard deviation of r
beta_63                 slope of the regression of r on m
idio_vol_63             standard deviation of the residuals of that regression
residual_n              ret_n - beta_63(t-1) * sum of m
sma_distance_n          ln of C over the mean C
max_21                  largest r
high_distance_252       ln of C over the highest C
turnover_shock_n        ln of the mean V of n days over that of 63
log_turnover_63         ln of the mean V
illiquidity_21          mean of |r| / V over the days with turnover (Amihud 2002)
turnover_vol_21         standard deviation of V over its mean
return_turnover_corr_21 correlation of r and V
overnight, intraday     ln O(t) - ln C(t-1), ln C - ln O
parkinson_n             root of the mean of ln(H/L)^2 / (4 ln 2) (Parkinson 1980)
close_location          (C - L) / (H - L), 1/2 where H equals L
gap_share_21            sum of |overnight| over that of |overnight| + |intraday|
======================= ============================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.panel import rolling
from tsladder.panel.panel import BoolTS, FloatTS, Panel
from tsladder.panel.universe import Universe

PAUSE = 21
"""Largest number of sessions without a trade over which a stock keeps its last price."""
_BETA_DAYS = 63

S9 = (
    "ret_1",
    "ret_5",
    "ret_21",
    "vol_21",
    "momentum_252_21",
    "vol_63",
    "high_distance_252",
    "sma_distance_20",
    "idio_vol_63",
)
C21 = (
    *(f"ret_{days}" for days in (1, 2, 3, 5, 10, 21, 63, 126)),
    "momentum_252_21",
    *(f"vol_{days}" for days in (5, 21, 63)),
    *("beta_63", "idio_vol_63", "residual_5", "residual_21"),
    *(f"sma_distance_{days}" for days in (20, 60, 200)),
    *("max_21", "high_distance_252"),
)
V27 = (
    *C21,
    *("turnover_shock_1", "turnover_shock_5", "log_turnover_63", "illiquidity_21", "turnover_vol_21"),
    "return_turnover_corr_21",
)
O33 = (*V27, "overnight", "intraday", "parkinson_5", "parkinson_21", "close_location", "gap_share_21")
TIERS: Mapping[str, tuple[str, ...]] = {"s9": S9, "c21": C21, "v27": V27, "o33": O33}
"""Tier -> names of its columns, in order."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ColumnValues:
    """Values of the columns `names`; NaN where a stock was not traded or a column has no value yet."""

    names: tuple[str, ...]
    values_TSF: NDArray[np.float64]


def build_columns(
    panel: Panel, universe: Universe, names: tuple[str, ...], lags: Mapping[str, int] | None = None
) -> ColumnValues:
    """Compute the columns `names`. `lags` maps a column to the number of sessions by which it is delayed.

    Raises BadInput for an unknown column, for a lag below 0 or of a column that is not in `names`, and where the panel
    lacks the data that a column is computed from.
    """
    late = dict(lags or {})
    _refuse_names(panel, names, late)
    basis = _Basis(panel=panel, universe=universe)
    traded_TS = panel.traded_TS
    values_TSF = np.empty((*panel.close_TS.shape, len(names)))
    for place, name in enumerate(names):
        column_TS = _FORMULAS[name](basis)
        if late.get(name, 0) > 0:
            column_TS = rolling.lag(column_TS, late[name])
        values_TSF[..., place] = np.where(traded_TS, column_TS, np.nan)
    return ColumnValues(names=names, values_TSF=values_TSF)


def simple_returns(panel: Panel) -> FloatTS:
    """Return C(t) / C(t-1) - 1 of every session and stock, for portfolios; NaN on sessions without trade.

    After a pause of at most `PAUSE` sessions the return since the last price falls on the session of the next trade.
    """
    last_TS = kept_close(panel)
    return np.where(panel.traded_TS, last_TS / rolling.lag(last_TS, 1) - 1.0, np.nan)


def kept_close(panel: Panel) -> FloatTS:
    """Return Close; the last one on a session without a trade, NaN after more than `PAUSE` such sessions."""
    age_TS = _age(panel)
    rows_TS = np.arange(len(panel.dates_T))[:, None] - age_TS
    kept_TS = np.take_along_axis(panel.close_TS, np.maximum(rows_TS, 0), axis=0)
    return np.where(age_TS <= PAUSE, kept_TS, np.nan)


def _age(panel: Panel) -> NDArray[np.int64]:
    """Return the sessions since the last trade, 0 on a traded session; more than `PAUSE` before the first trade."""
    rows_T1 = np.arange(len(panel.dates_T))[:, None]
    last_TS = np.maximum.accumulate(np.where(panel.traded_TS, rows_T1, -(PAUSE + 1)), axis=0)
    return np.asarray(rows_T1 - last_TS)


def _refuse_names(panel: Panel, names: tuple[str, ...], lags: Mapping[str, int]) -> None:
    unknown = [name for name in names if name not in _FORMULAS]
    if unknown:
        raise BadInput(f"no column of a panel is called {', '.join(unknown)}; there are {', '.join(_FORMULAS)}")
    for name, days in lags.items():
        if name not in names or days < 0:
            raise BadInput(
                f"data.lags: a lag is a number of sessions, 0 or more, of one of the columns {', '.join(names)}; got "
                f"{name}: {days}"
            )
    if panel.traded_value_TS is None and set(names) & set(V27[len(C21) :]):
        raise BadInput(
            f"data.tier: {panel.name} has neither Turnover nor Volume, which its columns need: choose s9 or c21, or "
            "bring one along"
        )
    if (panel.open_TS is None or panel.high_TS is None or panel.low_TS is None) and set(names) & set(O33[len(V27) :]):
        raise BadInput(
            f"data.tier: {panel.name} lacks Open, High or Low, which its columns need: choose s9, c21 or v27, or bring "
            "them along"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Basis:
    """Series that several columns are computed from, each computed once."""

    panel: Panel
    universe: Universe

    @cached_property
    def kept_TS(self) -> BoolTS:
        """True where a stock has a price: it was traded on this session or on one of the `PAUSE` sessions before."""
        return _age(self.panel) <= PAUSE

    @cached_property
    def close_TS(self) -> FloatTS:
        return kept_close(self.panel)

    @cached_property
    def log_TS(self) -> FloatTS:
        return np.log(self.close_TS)

    @cached_property
    def return_TS(self) -> FloatTS:
        return self.over(1)

    def over(self, days: int) -> FloatTS:
        return self.log_TS - rolling.lag(self.log_TS, days)

    @cached_property
    def market_T1(self) -> FloatTS:
        """Equal-weighted mean return of the listed stocks; NaN on a session without one.

        Returns are added one after another in the order of the stocks, so that an absent stock changes no bit of the
        sum.
        """
        there_TS = self.universe.listed_TS & np.isfinite(self.return_TS)
        sum_T = np.cumsum(np.where(there_TS, self.return_TS, 0.0), axis=1)[:, -1]
        count_T = there_TS.sum(axis=1)
        return np.asarray(np.where(count_T > 0, sum_T / np.maximum(count_T, 1), np.nan)[:, None])

    @cached_property
    def comovement_TS(self) -> FloatTS:
        """Sum of the products of the deviations of the stock's and the market's returns, over the window of beta."""
        return rolling.products(self.return_TS, self.market_T1, _BETA_DAYS)

    @cached_property
    def beta_TS(self) -> FloatTS:
        moves_TS = self.comovement_TS
        spread_T1 = rolling.spread(self.market_T1, _BETA_DAYS)
        return rolling.ratio(moves_TS / (_BETA_DAYS - 1), np.broadcast_to(spread_T1**2, moves_TS.shape))

    @cached_property
    def turnover_TS(self) -> FloatTS:
        """Turnover in currency; 0 on a session without a trade, NaN after more than `PAUSE` such sessions."""
        turnover_TS = _needed(self.panel.traded_value_TS)
        return np.where(self.panel.traded_TS, turnover_TS, np.where(self.kept_TS, 0.0, np.nan))

    @cached_property
    def overnight_TS(self) -> FloatTS:
        return self.on_traded(np.log(_needed(self.panel.open_TS)) - rolling.lag(self.log_TS, 1))

    @cached_property
    def intraday_TS(self) -> FloatTS:
        return self.on_traded(self.log_TS - np.log(_needed(self.panel.open_TS)))

    @cached_property
    def range_TS(self) -> FloatTS:
        return self.on_traded(np.log(_needed(self.panel.high_TS)) - np.log(_needed(self.panel.low_TS)))

    def on_traded(self, x_TS: FloatTS) -> FloatTS:
        """Return `x_TS` on traded sessions, 0 on up to `PAUSE` sessions without a trade, NaN after more of them."""
        return np.where(self.panel.traded_TS, x_TS, np.where(self.kept_TS, 0.0, np.nan))


def _needed(values_TS: FloatTS | None) -> FloatTS:
    if values_TS is None:
        raise ValueError("a column was asked for that the panel cannot make: `_refuse_names` lets none through")
    return values_TS


def _ret(days: int, basis: _Basis) -> FloatTS:
    return basis.over(days)


def _momentum(basis: _Basis) -> FloatTS:
    return rolling.lag(basis.log_TS, 21) - rolling.lag(basis.log_TS, 252)


def _vol(days: int, basis: _Basis) -> FloatTS:
    return rolling.spread(basis.return_TS, days)


def _beta(basis: _Basis) -> FloatTS:
    return basis.beta_TS


def _idio_vol(basis: _Basis) -> FloatTS:
    """Return the standard deviation of the residuals of the regression of a stock's return on the market's.

    The explained variance is subtracted; a remainder as small as the rounding error of a perfect fit counts as 0.
    """
    explained_TS = basis.beta_TS * basis.comovement_TS
    variance_TS = rolling.products(basis.return_TS, basis.return_TS, _BETA_DAYS)
    left_TS = np.where(variance_TS - explained_TS <= 1e-12 * variance_TS, 0.0, variance_TS - explained_TS)
    return np.asarray(np.sqrt(left_TS / (_BETA_DAYS - 1)))


def _residual(days: int, basis: _Basis) -> FloatTS:
    return basis.over(days) - rolling.lag(basis.beta_TS, 1) * rolling.total(basis.market_T1, days)


def _sma_distance(days: int, basis: _Basis) -> FloatTS:
    return basis.log_TS - np.log(rolling.mean(basis.close_TS, days))


def _max(basis: _Basis) -> FloatTS:
    return rolling.highest(basis.return_TS, 21)


def _high_distance(basis: _Basis) -> FloatTS:
    return basis.log_TS - rolling.highest(basis.log_TS, 252)


def _log(x_TS: FloatTS) -> FloatTS:
    """Return the natural logarithm; NaN where `x_TS` is not above 0."""
    return np.log(np.where(x_TS > 0.0, x_TS, np.nan))


def _turnover_shock(days: int, basis: _Basis) -> FloatTS:
    return _log(rolling.mean(basis.turnover_TS, days)) - _log(rolling.mean(basis.turnover_TS, 63))


def _log_turnover(basis: _Basis) -> FloatTS:
    return _log(rolling.mean(basis.turnover_TS, 63))


def _illiquidity(basis: _Basis) -> FloatTS:
    impact_TS = rolling.ratio(np.abs(basis.return_TS), basis.turnover_TS)
    days_TS = np.where(np.isnan(impact_TS), np.nan, (basis.turnover_TS > 0.0).astype(np.float64))
    return rolling.ratio(rolling.total(impact_TS, 21), rolling.total(days_TS, 21), np.nan)


def _turnover_vol(basis: _Basis) -> FloatTS:
    return rolling.ratio(rolling.spread(basis.turnover_TS, 21), rolling.mean(basis.turnover_TS, 21))


def _return_turnover_correlation(basis: _Basis) -> FloatTS:
    return rolling.correlation(basis.return_TS, basis.turnover_TS, 21)


def _overnight(basis: _Basis) -> FloatTS:
    return basis.overnight_TS


def _intraday(basis: _Basis) -> FloatTS:
    return basis.intraday_TS


def _parkinson(days: int, basis: _Basis) -> FloatTS:
    return np.asarray(np.sqrt(rolling.mean(basis.range_TS**2, days) / (4.0 * np.log(2.0))))


def _close_location(basis: _Basis) -> FloatTS:
    high_TS, low_TS = _needed(basis.panel.high_TS), _needed(basis.panel.low_TS)
    return rolling.ratio(basis.panel.close_TS - low_TS, high_TS - low_TS, 0.5)


def _gap_share(basis: _Basis) -> FloatTS:
    gaps_TS, days_TS = (rolling.total(np.abs(x_TS), 21) for x_TS in (basis.overnight_TS, basis.intraday_TS))
    return rolling.ratio(gaps_TS, gaps_TS + days_TS, 0.5)


_FORMULAS: Mapping[str, Callable[[_Basis], FloatTS]] = {
    **{f"ret_{days}": partial(_ret, days) for days in (1, 2, 3, 5, 10, 21, 63, 126)},
    "momentum_252_21": _momentum,
    **{f"vol_{days}": partial(_vol, days) for days in (5, 21, 63)},
    "beta_63": _beta,
    "idio_vol_63": _idio_vol,
    **{f"residual_{days}": partial(_residual, days) for days in (5, 21)},
    **{f"sma_distance_{days}": partial(_sma_distance, days) for days in (20, 60, 200)},
    "max_21": _max,
    "high_distance_252": _high_distance,
    **{f"turnover_shock_{days}": partial(_turnover_shock, days) for days in (1, 5)},
    "log_turnover_63": _log_turnover,
    "illiquidity_21": _illiquidity,
    "turnover_vol_21": _turnover_vol,
    "return_turnover_corr_21": _return_turnover_correlation,
    "overnight": _overnight,
    "intraday": _intraday,
    **{f"parkinson_{days}": partial(_parkinson, days) for days in (5, 21)},
    "close_location": _close_location,
    "gap_share_21": _gap_share,
}
