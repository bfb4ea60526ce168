"""Days and stocks of a region, and rankings judged on them by daily metrics and by the book of a portfolio."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.ranking.baselines import static_order
from tsladder.ranking.metrics import DailyMetrics, daily_metrics, judged_stocks, quantile_metrics, scored_days
from tsladder.ranking.portfolio import Book, book_of
from tsladder.ranking.ranks import Mask


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RankedRegion:
    """Data of a region that do not depend on a forecast: D consecutive sessions and S stocks.

    return_DS         label: log return from close t + entry_lag over `horizon` sessions, NaN where there is none
    entry_return_DS   simple return of the first session after the entry; see `portfolio.entry_returns`
    member_DS         stocks that are ranked at the close of each day
    label_DS          transformed label that models are trained on; needed where its quantiles are forecast
    fingerprint       hash of samples and labels
    train_base_rate   share of the training labels above 0
    """

    dates_D: NDArray[np.datetime64]
    symbols: tuple[str, ...]
    return_DS: NDArray[np.floating]
    entry_return_DS: NDArray[np.floating]
    member_DS: Mask
    horizon: int
    entry_lag: int
    fingerprint: str
    train_base_rate: float
    label_DS: NDArray[np.floating] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Ranking:
    """One forecast of a region: scores, and optionally quantiles.

    `quantile_DSQ`: quantiles of `RankedRegion.label_DS` at `metrics.QUANTILE_LEVELS`.
    """

    score_DS: NDArray[np.floating]
    quantile_DSQ: NDArray[np.floating] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JudgedRanking:
    """Daily metrics and book of one forecast."""

    daily: DailyMetrics
    book: Book


def judge(region: RankedRegion, ranking: Ranking) -> JudgedRanking:
    """Compute the daily metrics and the book of one forecast.

    Raises ValueError where a member has no finite score, and for quantiles in a region without `label_DS`.
    """
    daily = daily_metrics(ranking.score_DS, region.return_DS, region.member_DS, horizon=region.horizon)
    if ranking.quantile_DSQ is not None:
        if region.label_DS is None:
            raise ValueError("quantiles are judged against transformed labels, and the region has no label_DS")
        kept_D = scored_days(region.return_DS, region.member_DS)
        judged_NS = judged_stocks(region.return_DS, region.member_DS)[kept_D]
        pinball_N, coverage_N = quantile_metrics(ranking.quantile_DSQ[kept_D], region.label_DS[kept_D], judged_NS)
        daily = dataclasses.replace(daily, pinball_N=pinball_N, coverage_90_N=coverage_N)
    book = book_of(ranking.score_DS, region.entry_return_DS, region.member_DS, horizon=region.horizon)
    return JudgedRanking(daily=daily, book=book)


def judge_baselines(region: RankedRegion, baselines: Mapping[str, NDArray[np.floating]]) -> dict[str, JudgedRanking]:
    """Judge the baselines of `fit_baselines` (name -> score_DS) and `own_static_order`."""
    own = static_order(region.return_DS, judged_stocks(region.return_DS, region.member_DS))
    every = dict(baselines) | {OWN_STATIC_ORDER: own}
    return {name: judge(region, Ranking(score_DS=score_DS)) for name, score_DS in every.items()}
