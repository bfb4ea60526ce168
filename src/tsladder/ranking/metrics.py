"""Daily metrics of a ranking, from scores and returns alone. A higher score means a better rank.

The judged stocks of a day are its members with a label. A day without labels, or whose labels are all equal, cannot be
ranked: it is left out for every forecast alike. A day whose scores are all equal is unordered: it is kept, with the
metrics of a random order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.bootstrap import shared_block_length
from tsladder.ranking.ranks import Floats, Mask, places

QUANTILE_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
BPS = 1e4

MEANS = {
    "rank_error": (0.0, 2.0),
    "rank_ic": (-1.0, 1.0),
    "ic": (-1.0, 1.0),
    "hit_rate": (0.0, 1.0),
    "quantile_spread": (-math.inf, math.inf),
    "score_sd": (0.0, math.inf),
    "pinball": (0.0, math.inf),
    "coverage_90": (0.0, 1.0),
}
"""Metric that is a mean over days -> its least and largest value."""

_FIFTHS = 5

_NO_VARIANCE = 1e-12
"""A standard deviation below this share of the largest value is rounding error."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DailyMetrics:
    """Metrics of one forecast on each of the N scored days, in time order.

    rank_ic_N           Spearman's correlation of score and return, equal values at average ranks; 0 if unordered
    ic_N                Pearson's correlation of score and return; 0 if unordered
    hit_rate_N          share of stocks on the same side of the day's median in score and in return, without those at
                        either median; 1 for a perfect ranking, 0 for its reverse, 1/2 if unordered
    quantile_spread_N   mean return of the fifth with the highest scores minus that of the lowest fifth, over the
                        horizon, in basis points per day; a fifth is n // 5 stocks, at least one
    score_sd_N          standard deviation of the scores
    unordered_N         True where all scores are equal
    pinball_N           mean pinball loss of the quantiles of QUANTILE_LEVELS, in units of the transformed label; None
                        if no quantiles were forecast
    coverage_90_N       share of labels between the outermost two quantiles; None if no quantiles were forecast
    """

    rank_ic_N: Floats
    ic_N: Floats
    hit_rate_N: Floats
    quantile_spread_N: Floats
    score_sd_N: Floats
    unordered_N: Mask
    pinball_N: Floats | None = None
    coverage_90_N: Floats | None = None

    @property
    def rank_error_N(self) -> Floats:
        """Daily loss 1 - rank_ic_N, to which scaling laws are fitted; 1 for an unordered day."""
        return 1.0 - self.rank_ic_N

    def of(self, metric: str) -> Floats | None:
        """Return the daily values of `metric`, one of MEANS; None if it was not forecast."""
        values_N: Floats | None = getattr(self, f"{metric}_N")
        return values_N

    def means(self) -> dict[str, float | None]:
        """Return the mean over days of each of MEANS; None for a metric that was not forecast."""
        daily = {metric: self.of(metric) for metric in MEANS}
        return {metric: None if values_N is None else float(values_N.mean()) for metric, values_N in daily.items()}


def judged_stocks(return_DS: NDArray[np.floating], member_DS: Mask) -> Mask:
    """Return True for members with a label."""
    return np.asarray(member_DS & np.isfinite(return_DS), dtype=np.bool_)


def scored_days(return_DS: NDArray[np.floating], member_DS: Mask) -> Mask:
    """Return scored_D: True on days on which the labels of the judged stocks differ."""
    return _vary(np.asarray(return_DS, dtype=np.float64), judged_stocks(return_DS, member_DS))


def daily_metrics(
    score_DS: NDArray[np.floating], return_DS: NDArray[np.floating], member_DS: Mask, *, horizon: int
) -> DailyMetrics:
    """Compute the metrics of `score_DS` on the `scored_days`.

    `return_DS`: raw return over `horizon` days, NaN where there is no label. Raises ValueError for arrays of different
    shapes, and where a judged stock has no finite score: two forecasts can only be compared on the same stocks.
    """
    if score_DS.shape != return_DS.shape or member_DS.shape != return_DS.shape or return_DS.ndim != 2:
        raise ValueError(
            f"scores, returns and members must pair up, days x stocks; got {score_DS.shape}, {return_DS.shape} and "
            f"{member_DS.shape}"
        )
    kept_D = scored_days(return_DS, member_DS)
    score_NS, return_NS = (np.asarray(values_DS, dtype=np.float64)[kept_D] for values_DS in (score_DS, return_DS))
    judged_NS = judged_stocks(return_DS, member_DS)[kept_D]
    if (missing := int((judged_NS & ~np.isfinite(score_NS)).sum())) > 0:
        raise ValueError(f"every member with a label needs a finite score; {missing} have none")
    count_N = judged_NS.sum(axis=1)
    below_NS, same_NS = places(score_NS, judged_NS)
    return_below_NS, return_same_NS = places(return_NS, judged_NS)
    return DailyMetrics(
        rank_ic_N=_correlation(below_NS + same_NS / 2.0, return_below_NS + return_same_NS / 2.0, judged_NS),
        ic_N=_correlation(score_NS, return_NS, judged_NS),
        hit_rate_N=_hit_rate(
            _side_of_median(below_NS, same_NS, count_N, judged_NS),
            _side_of_median(return_below_NS, return_same_NS, count_N, judged_NS),
        ),
        quantile_spread_N=BPS / horizon * _quantile_spread(below_NS, same_NS, return_NS, judged_NS),
        score_sd_N=np.sqrt((_deviations(score_NS, judged_NS) ** 2).sum(axis=1) / count_N),
        unordered_N=~_vary(score_NS, judged_NS),
    )


def quantile_metrics(
    quantile_DSQ: NDArray[np.floating], label_DS: NDArray[np.floating], judged_DS: Mask
) -> tuple[Floats, Floats]:
    """Return (pinball_D, coverage_90_D) of forecast quantiles of transformed labels, at QUANTILE_LEVELS.

    Both are means over the judged stocks of each day. Raises ValueError where a judged stock lacks quantiles or a
    label, and where a day has no judged stock.
    """
    quantiles, label = np.asarray(quantile_DSQ, dtype=np.float64), np.asarray(label_DS, dtype=np.float64)
    if quantiles.shape != (*label.shape, len(QUANTILE_LEVELS)):
        raise ValueError(f"quantiles must be days x stocks x {len(QUANTILE_LEVELS)}, got {quantiles.shape}")
    if not (np.isfinite(quantiles[judged_DS]).all() and np.isfinite(label[judged_DS]).all()):
        raise ValueError("every judged stock needs finite quantiles and a finite label")
    count_D = judged_DS.sum(axis=1)
    if not count_D.all():
        raise ValueError("every day needs a judged stock")
    level_Q = np.array(QUANTILE_LEVELS)
    over_DSQ = np.where(judged_DS, label, 0.0)[..., None] - np.where(judged_DS[..., None], quantiles, 0.0)
    loss_DS = np.maximum(level_Q * over_DSQ, (level_Q - 1.0) * over_DSQ).mean(axis=2)
    inside_DS = judged_DS & (over_DSQ[..., 0] >= 0.0) & (over_DSQ[..., -1] <= 0.0)
    return loss_DS.sum(axis=1) / count_D, inside_DS.sum(axis=1) / count_D


def block_of_days(static_error_N: NDArray[np.floating], horizon: int) -> int:
    """Return the mean block length of the bootstrap for all intervals on these days.

    It is estimated from the daily loss of the static order, and at least the horizon, over which labels overlap.
    """
    return max(horizon, shared_block_length(static_error_N))


def mean_over_sd(values_N: Floats) -> float | None:
    """Return mean over standard deviation of a daily series; None if it does not vary or has one day."""
    sd = float(np.std(values_N, ddof=1)) if values_N.size > 1 else 0.0
    return float(values_N.mean()) / sd if sd > _NO_VARIANCE * float(np.abs(values_N).max()) else None


def mean_or_none(values: Sequence[float | None]) -> float | None:
    """Return the mean over seeds; None if one of the values is undefined."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if len(defined) == len(values) else None


def _vary(values_DS: Floats, among_DS: Mask) -> Mask:
    """Return True on days on which the values of the stocks in `among_DS` differ."""
    highest_D = np.where(among_DS, values_DS, -np.inf).max(axis=1, initial=-np.inf)
    lowest_D = np.where(among_DS, values_DS, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(highest_D > lowest_D, dtype=np.bool_)


def _deviations(values_NS: Floats, judged_NS: Mask) -> Floats:
    """Return deviations from the day's mean; 0 for stocks that are not judged."""
    kept_NS = np.where(judged_NS, values_NS, 0.0)
    mean_N1 = kept_NS.sum(axis=1, keepdims=True) / judged_NS.sum(axis=1, keepdims=True)
    return np.where(judged_NS, kept_NS - mean_N1, 0.0)


def _correlation(one_NS: Floats, other_NS: Floats, judged_NS: Mask) -> Floats:
    """Return Pearson's correlation of each day; 0 where one of the two does not vary."""
    both = []
    for values_NS in (one_NS, other_NS):
        deviation_NS = _deviations(values_NS, judged_NS)
        size_N1 = np.abs(deviation_NS).max(axis=1, keepdims=True, initial=0.0)
        # Scaled by the largest deviation, so that no square underflows.
        both.append(deviation_NS / np.where(size_N1 > 0.0, size_N1, 1.0))
    a_NS, b_NS = both
    product_N = np.sqrt((a_NS**2).sum(axis=1) * (b_NS**2).sum(axis=1))
    varies_N = _vary(one_NS, judged_NS) & _vary(other_NS, judged_NS) & (product_N > 0.0)
    found_N = (a_NS * b_NS).sum(axis=1) / np.where(varies_N, product_N, 1.0)
    return np.where(varies_N, np.clip(found_N, -1.0, 1.0), 0.0)


def _side_of_median(below_NS: Floats, same_NS: Floats, count_N: NDArray[np.int64], judged_NS: Mask) -> Floats:
    """Return 1 above the day's median, -1 below it, 0 at it and for stocks that are not judged."""
    above_NS = count_N[:, None] - below_NS - same_NS
    # Above the median: no more than half of the stocks have this value or a higher one.
    half_N1 = count_N[:, None] / 2.0
    return np.where(judged_NS, (above_NS + same_NS <= half_N1) * 1.0 - (below_NS + same_NS <= half_N1) * 1.0, 0.0)


def _hit_rate(one_NS: Floats, other_NS: Floats) -> Floats:
    """Return the share of stocks on the same side of both medians, of those at neither; 1/2 if there are none."""
    sided_N = ((one_NS != 0.0) & (other_NS != 0.0)).sum(axis=1)
    hits_N = (one_NS * other_NS > 0.0).sum(axis=1)
    return np.where(sided_N > 0, hits_N / np.maximum(sided_N, 1), 0.5)


def _quantile_spread(below_NS: Floats, same_NS: Floats, return_NS: Floats, judged_NS: Mask) -> Floats:
    """Return the mean return of the top fifth minus that of the bottom fifth.

    Stocks with equal scores that straddle the edge of a fifth share its last places.
    """
    count_N1 = judged_NS.sum(axis=1, keepdims=True)
    fifth_N1 = np.maximum(count_N1 // _FIFTHS, 1)
    top_NS = np.clip((fifth_N1 - (count_N1 - below_NS - same_NS)) / same_NS, 0.0, 1.0)
    bottom_NS = np.clip((fifth_N1 - below_NS) / same_NS, 0.0, 1.0)
    held_NS = np.where(judged_NS, (top_NS - bottom_NS) * return_NS, 0.0)
    return np.asarray(held_NS.sum(axis=1) / fifth_N1[:, 0], dtype=np.float64)
