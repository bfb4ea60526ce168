"""Long-short portfolio of a ranking: stocks with a high score are held long, those with a low score short.

Positions in the stocks ranked at close t are entered at close t + g (g: entry lag) and closed h sessions later (h:
horizon). The book of a day is therefore the mean of the last h day-portfolios (Jegadeesh and Titman 1993): it earns one
return a day, and no day's return is counted twice. During the first h - 1 days the book is still being built up. The
drift of weights with prices between two closes is ignored, and closing the last book is not charged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.ranking_scores import PortfolioScores
from tsladder.ranking.metrics import BPS, mean_over_sd
from tsladder.ranking.ranks import Floats, Mask, average_ranks

TRADING_DAYS = 252.0
"""Trading days per year."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Book:
    """Daily returns and trades of the portfolio of one forecast, on D consecutive sessions.

    gross_D      simple return before costs
    traded_D     sum over stocks of the absolute change of weight, in units of the capital; the first day's is the entry
    unpriced     held positions (stock and day) without a return: they earn nothing that day
    """

    gross_D: Floats
    traded_D: Floats
    unpriced: int

    def net_D(self, cost_bps: float) -> Floats:
        """Return the simple return after costs of `cost_bps` basis points of the traded amount."""
        return self.gross_D - cost_bps / BPS * self.traded_D

    @property
    def turnover_D(self) -> Floats:
        """Half of the traded amount: the share of the capital that changes hands."""
        return self.traded_D / 2.0


def rank_weights(score_DS: NDArray[np.floating], member_DS: Mask) -> Floats:
    """Return weights proportional to each member's rank minus the mean rank.

    The absolute weights of a day sum to 1; all are 0 on a day whose scores are all equal. Raises ValueError where a
    member has no finite score.
    """
    scores, members = np.asarray(score_DS, dtype=np.float64), np.asarray(member_DS, dtype=np.bool_)
    if not np.isfinite(scores[members]).all():
        raise ValueError("every member needs a finite score to enter the portfolio")
    count_D1 = members.sum(axis=1, keepdims=True)
    distance_DS = np.where(members, average_ranks(scores, members) - (count_D1 + 1.0) / 2.0, 0.0)
    total_D1 = np.abs(distance_DS).sum(axis=1, keepdims=True)
    return np.asarray(distance_DS / np.where(total_D1 > 0.0, total_D1, 1.0), dtype=np.float64)


def entry_returns(return_TS: NDArray[np.floating], ends_D: NDArray[np.integer], entry_lag: int) -> Floats:
    """Return the first one-day return of each day-portfolio: that of row t + entry_lag + 1, NaN beyond the last row.

    `return_TS`: simple return of every row since the row before. `ends_D`: rows t.
    """
    rows_D = np.asarray(ends_D) + entry_lag + 1
    known_D = rows_D < len(return_TS)
    found_DS = np.asarray(return_TS, dtype=np.float64)[np.where(known_D, rows_D, 0)]
    return np.where(known_D[:, None], found_DS, np.nan)


def book_of(
    score_DS: NDArray[np.floating], entry_return_DS: NDArray[np.floating], member_DS: Mask, *, horizon: int
) -> Book:
    """Build the book of `score_DS` over D consecutive sessions; a day without members adds no position.

    `entry_return_DS`: see `entry_returns`. Row d of the book is held over the first session after the entry of row d.
    """
    weights_DS = rank_weights(score_DS, member_DS)
    held_DS = np.zeros_like(weights_DS)
    for age in range(min(horizon, len(weights_DS))):
        held_DS[age:] += weights_DS[: len(weights_DS) - age] / horizon
    priced_DS = np.isfinite(entry_return_DS)
    return Book(
        gross_D=(held_DS * np.where(priced_DS, entry_return_DS, 0.0)).sum(axis=1),
        traded_D=np.abs(np.diff(held_DS, axis=0, prepend=0.0)).sum(axis=1),
        unpriced=int(((held_DS != 0.0) & ~priced_DS).sum()),
    )


def score_book(book: Book, *, cost_bps: float) -> PortfolioScores:
    """Compute the figures of a book at costs of `cost_bps` basis points of the traded amount."""
    gross_D, net_D = book.gross_D, book.net_D(cost_bps)
    traded = float(book.traded_D.mean())
    return PortfolioScores(
        annual_return_gross=TRADING_DAYS * float(gross_D.mean()),
        annual_return_net=TRADING_DAYS * float(net_D.mean()),
        annual_sd_gross=_annual_sd(gross_D),
        annual_sd_net=_annual_sd(net_D),
        sharpe_gross=_sharpe(gross_D),
        sharpe_net=_sharpe(net_D),
        max_drawdown_gross=_max_drawdown(gross_D),
        max_drawdown_net=_max_drawdown(net_D),
        turnover=traded / 2.0,
        break_even_bps=BPS * float(gross_D.mean()) / traded if traded > 0.0 else None,
        unpriced=book.unpriced,
    )


def _annual_sd(returns_D: Floats) -> float | None:
    return math.sqrt(TRADING_DAYS) * float(np.std(returns_D, ddof=1)) if len(returns_D) > 1 else None


def _sharpe(returns_D: Floats) -> float | None:
    ratio = mean_over_sd(returns_D)
    return None if ratio is None else math.sqrt(TRADING_DAYS) * ratio


def _max_drawdown(returns_D: Floats) -> float:
    summed_D = np.concatenate([[0.0], np.cumsum(returns_D)])
    return float((summed_D - np.maximum.accumulate(summed_D)).min())
