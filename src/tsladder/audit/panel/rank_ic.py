"""RankIC of scores on a set of days, and how far it strays from 0 by chance alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.panel.learner import Floats, Mask
from tsladder.ranking.metrics import daily_metrics, judged_stocks, scored_days


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RankIC:
    """Daily RankICs. `rank_ic_N`: NaN on a day that cannot be scored. `sum` and `variance`: of all `days` that can be,
    the variance that the sum has where scores and labels have nothing to do with each other: 1 / (S - 1) a day of S
    stocks (Kendall and Gibbons 1990), ties or not."""

    rank_ic_N: Floats
    sum: float
    variance: float
    days: int

    @property
    def mean(self) -> float:
        """Mean over days; 0 where no day can be scored."""
        return self.sum / self.days if self.days else 0.0


def rank_ic(score_NS: NDArray[np.floating], return_NS: NDArray[np.floating], member_NS: Mask) -> RankIC:
    """Judge `score_NS` by the labels `return_NS` of the members."""
    scored_N = scored_days(return_NS, member_NS)
    rank_ic_N = np.full(len(return_NS), np.nan)
    rank_ic_N[scored_N] = daily_metrics(score_NS, return_NS, member_NS, horizon=1).rank_ic_N
    stocks_N = judged_stocks(return_NS, member_NS).sum(axis=1)[scored_N]
    return RankIC(
        rank_ic_N=rank_ic_N,
        sum=float(rank_ic_N[scored_N].sum()),
        variance=float((1.0 / (stocks_N - 1.0)).sum()),
        days=int(scored_N.sum()),
    )
