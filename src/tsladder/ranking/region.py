"""The days and stocks of a region, and its rankings judged on them: daily metrics and a book each."""

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
    """D consecutive sessions of a region and its S stocks, apart from any forecast.

    return_DS         label: log return from close t + entry_lag over `horizon` sessions, NaN: none
    entry_return_DS   simple return of the first session after the entry; see `portfolio.entry_returns`
    member_DS         stocks that are ranked at the close of each day
    label_DS          the label as a model is trained on it, where quantiles of it are forecast
    fingerprint       of samples and labels
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
    """What one forecast says of a region. `quantile_DSQ`: of `RankedRegion.label_DS`, at `metrics.QUANTILE_LEVELS`."""

    score_DS: NDArray[np.floating]
    quantile_DSQ: NDArray[np.floating] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class JudgedRanking:
    """One forecast's daily metrics and its book."""

    daily: DailyMetrics
    book: Book


def judge(region: RankedRegion, ranking: Ranking) -> JudgedRanking:
    """Daily metrics and book of one forecast. Raises ValueError where a member has no finite score."""
    daily = daily_metrics(ranking.score_DS, region.return_DS, region.member_DS, horizon=region.horizon)
    if ranking.quantile_DSQ is not None:
        if region.label_DS is None:
            raise ValueError("quantiles are judged by the labels that the model was trained on, and there are none")
        kept_D = scored_days(region.return_DS, region.member_DS)
        judged_NS = judged_stocks(region.return_DS, region.member_DS)[kept_D]
        pinball_N, coverage_N = quantile_metrics(ranking.quantile_DSQ[kept_D], region.label_DS[kept_D], judged_NS)
        daily = dataclasses.replace(daily, pinball_N=pinball_N, coverage_90_N=coverage_N)
    book = book_of(ranking.score_DS, region.entry_return_DS, region.member_DS, horizon=region.horizon)
    return JudgedRanking(daily=daily, book=book)


def judge_baselines(region: RankedRegion, baselines: Mapping[str, NDArray[np.floating]]) -> dict[str, JudgedRanking]:
    """Those of `fit_baselines` (name -> score_DS) and `own_static_order`."""
    own = static_order(region.return_DS, judged_stocks(region.return_DS, region.member_DS))
    every = dict(baselines) | {OWN_STATIC_ORDER: own}
    return {name: judge(region, Ranking(score_DS=score_DS)) for name, score_DS in every.items()}
