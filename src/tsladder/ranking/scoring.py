"""Score the rankings of one region: the seeds of a model, the constants and the baselines, all with intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tsladder.artifacts.ranking_scores import (
    OWN_STATIC_ORDER,
    PortfolioScores,
    RankingRegionScores,
    RankingScores,
    RegionBaselines,
)
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.evaluation.skill import skill_scores, standard_error
from tsladder.params import EvaluationParams
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER
from tsladder.ranking.intervals import portfolio_intervals, ranking_intervals
from tsladder.ranking.metrics import block_of_days, judged_stocks, mean_or_none, mean_over_sd, scored_days
from tsladder.ranking.portfolio import score_book
from tsladder.ranking.region import JudgedRanking, RankedRegion

_CELL = "cell"


def score_baselines(
    region: RankedRegion,
    judged: Mapping[str, JudgedRanking],
    *,
    cost_bps: float,
    params: EvaluationParams,
    seed: int,
) -> RegionBaselines:
    """Score the constants and baselines that `judge_baselines` judged.

    `cost_bps`: costs in basis points of the traded amount. `seed`: seed of the bootstrap. Raises ValueError where no
    day is scored.
    """
    scored_D = scored_days(region.return_DS, region.member_DS)
    if not scored_D.any():
        raise ValueError("a region needs a day on which the labels of two stocks differ")
    losses = {name: one.daily.rank_error_N for name, one in judged.items()}
    stricter = min((NO_ORDER, STATIC_ORDER), key=lambda name: float(losses[name].mean()))
    block = block_of_days(losses[STATIC_ORDER], region.horizon)
    bootstrap: dict[str, Any] = {"block": block, "params": params, "seed": seed}
    metrics = ranking_intervals(
        {name: [one.daily] for name, one in judged.items()}, horizon=region.horizon, **bootstrap
    )
    returns = portfolio_intervals({name: [one.book] for name, one in judged.items()}, cost_bps=cost_bps, **bootstrap)
    dates_N = region.dates_D[scored_D]
    labels = np.asarray(region.return_DS)[judged_stocks(region.return_DS, region.member_DS) & scored_D[:, None]]
    return RegionBaselines(
        windows=int(scored_D.sum()),
        left_out_days=int((~scored_D).sum()),
        stock_days=labels.size,
        positives=int((labels > 0.0).sum()),
        base_rate=float((labels > 0.0).mean()),
        train_base_rate=region.train_base_rate,
        first_day=str(dates_N[0].astype("datetime64[D]")),
        last_day=str(dates_N[-1].astype("datetime64[D]")),
        windows_fingerprint=region.fingerprint,
        horizon=region.horizon,
        entry_lag=region.entry_lag,
        cost_bps=cost_bps,
        block=block,
        base_rate_loss=float(losses[NO_ORDER].mean()),
        own_rate_loss=float(losses[STATIC_ORDER].mean()),
        stricter=stricter,
        baselines={name: _scores([one], cost_bps) for name, one in judged.items()},
        baseline_intervals={name: metrics[name] | returns[name] for name in judged},
        baseline_advantage={
            name: mean_interval(
                losses[stricter] - loss_N,
                draws=params.bootstrap_draws,
                confidence=params.confidence,
                seed=seed,
                block=block,
            )
            for name, loss_N in losses.items()
        },
    )


def score_ranking_region(
    level: RegionBaselines,
    baselines: Mapping[str, JudgedRanking],
    by_seed: Mapping[int, JudgedRanking],
    *,
    params: EvaluationParams,
    seed: int,
) -> RankingRegionScores:
    """Score the seeds of one cell on the region of `level`, and compare them with its `baselines`.

    Metrics are averaged over seeds, never the forecast scores. Raises ValueError without a seed.
    """
    if not by_seed:
        raise ValueError("a region is scored with at least one trained seed")
    seeds = dict(sorted(by_seed.items()))
    losses = {name: one.daily.rank_error_N for name, one in baselines.items() if name != OWN_STATIC_ORDER}
    skills = skill_scores(
        [one.daily.rank_error_N for one in seeds.values()],
        constants={name: losses[name] for name in (NO_ORDER, STATIC_ORDER)},
        baselines=losses,
        unvarying=all(bool(one.daily.unordered_N.all()) for one in seeds.values()),
        params=params,
        seed=seed,
        block=level.block,
    )
    bootstrap: dict[str, Any] = {"block": level.block, "params": params, "seed": seed}
    daily = {_CELL: [one.daily for one in seeds.values()]}
    books = {_CELL: [one.book for one in seeds.values()]}
    of_seeds = {k: _scores([one], level.cost_bps) for k, one in seeds.items()}
    return RankingRegionScores(
        level=level,
        seeds=of_seeds,
        mean=_scores(list(seeds.values()), level.cost_bps),
        intervals=ranking_intervals(daily, horizon=level.horizon, **bootstrap)[_CELL]
        | portfolio_intervals(books, cost_bps=level.cost_bps, **bootstrap)[_CELL],
        rank_error_se=standard_error([one.rank_error for one in of_seeds.values()]),
        skill=skills.skill,
        advantage=skills.advantage,
        skill_against=skills.skill_against,
        beaten_by=skills.beaten_by,
        constant_predictor=skills.constant_predictor,
    )


def _scores(seeds: list[JudgedRanking], cost_bps: float) -> RankingScores:
    """Average the metrics over the seeds; None where one is undefined for a seed."""
    means = [one.daily.means() for one in seeds]
    books = [score_book(one.book, cost_bps=cost_bps) for one in seeds]
    figures: dict[str, Any] = {name: mean_or_none([mean[name] for mean in means]) for name in means[0]}
    portfolio: dict[str, Any] = {
        field.name: mean_or_none([getattr(book, field.name) for book in books])
        for field in dataclasses.fields(PortfolioScores)
    }
    return RankingScores(
        **figures,
        icir=mean_or_none([mean_over_sd(one.daily.rank_ic_N) for one in seeds]),
        unordered_days=float(np.mean([one.daily.unordered_N.sum() for one in seeds])),
        portfolio=PortfolioScores(**portfolio),
    )
