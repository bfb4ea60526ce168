"""Figures of one ranking on the validation days, fast enough to compute after every trial of a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.validation_figures import MeanRankIC, ValidationFigures
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.ranking.metrics import (
    block_of_days,
    daily_metrics,
    judged_stocks,
    mean_over_sd,
    quantile_metrics,
    scored_days,
)
from tsladder.ranking.portfolio import book_of, score_book
from tsladder.ranking.ranks import Mask

DRAWS = 200
CONFIDENCE = 0.95


def validation_figures(
    score_DS: NDArray[np.floating],
    return_DS: NDArray[np.floating],
    member_DS: Mask,
    entry_return_DS: NDArray[np.floating],
    *,
    horizon: int,
    cost_bps: float,
    quantile_DSQ: NDArray[np.floating] | None = None,
    label_DS: NDArray[np.floating] | None = None,
    draws: int = DRAWS,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> ValidationFigures:
    """Compute the figures of `score_DS` on D consecutive sessions; a session that is no sample has no member.

    `return_DS`: log return over `horizon` sessions, NaN where there is none. `entry_return_DS`: see
    `portfolio.entry_returns`. `cost_bps`: costs in basis points of the traded amount. `quantile_DSQ`: quantiles of the
    transformed labels `label_DS`, None where only scores were forecast. `draws`, `seed`: of the bootstrap, whose mean
    block is estimated from the ranking's own daily loss and at least `horizon`.

    Raises ValueError where no day can be ranked, and where a member has no finite score or quantile.
    """
    scored_D = scored_days(return_DS, member_DS)
    if not scored_D.any():
        raise ValueError("validation needs a day on which the labels of two stocks differ")
    daily = daily_metrics(score_DS, return_DS, member_DS, horizon=horizon)
    interval = mean_interval(
        daily.rank_ic_N,
        draws=draws,
        confidence=confidence,
        seed=seed,
        block=block_of_days(daily.rank_error_N, horizon),
    )
    portfolio = score_book(book_of(score_DS, entry_return_DS, member_DS, horizon=horizon), cost_bps=cost_bps)
    return ValidationFigures(
        rank_error=float(daily.rank_error_N.mean()),
        rank_ic=MeanRankIC(value=interval.value, low=max(interval.low, -1.0), high=min(interval.high, 1.0)),
        ic=float(daily.ic_N.mean()),
        icir=mean_over_sd(daily.rank_ic_N),
        hit_rate=float(daily.hit_rate_N.mean()),
        sharpe_gross=portfolio.sharpe_gross,
        sharpe_net=portfolio.sharpe_net,
        turnover=portfolio.turnover,
        pinball=_pinball(quantile_DSQ, label_DS, judged_stocks(return_DS, member_DS), scored_D),
    )


def _pinball(
    quantile_DSQ: NDArray[np.floating] | None, label_DS: NDArray[np.floating] | None, judged_DS: Mask, scored_D: Mask
) -> float | None:
    """Return the mean pinball loss over the scored days; None without quantiles."""
    if quantile_DSQ is None:
        return None
    if label_DS is None:
        raise ValueError("quantiles are judged against transformed labels, and label_DS is None")
    pinball_N, _ = quantile_metrics(quantile_DSQ[scored_D], label_DS[scored_D], judged_DS[scored_D])
    return float(pinball_N.mean())
