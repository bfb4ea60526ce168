"""Cells of a made-up panel study: rankings whose expected RankIC is known, scored and written as the stages do it.

Returns are normal, and a score is `rho` times the return plus noise, so that its expected RankIC on S stocks is
6 / (pi (S + 1)) (asin rho + (S - 2) asin(rho / 2)). A given share of the noise is common to all models: so much do
their daily RankICs correlate, as those of models trained on the same days do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from tsladder.artifacts.record import record_of
from tsladder.artifacts.scores import CellScores, ScoredRegion, write_scores
from tsladder.law.points import RungPoint, read_points
from tsladder.params import EvaluationParams
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER
from tsladder.ranking.frames import ranking_cell_frame
from tsladder.ranking.region import RankedRegion, Ranking, judge, judge_baselines
from tsladder.ranking.scoring import score_baselines, score_ranking_region
from tsladder.vocabulary import RANK_ERROR, parse_budget

PARAMS = EvaluationParams(bootstrap_draws=200, confidence=0.95)
LADDER = ("12k", "30k", "80k", "200k", "750k")
RIDGE_RANK_IC = 0.08


def expected_rank_ic(rho: float, stocks: int) -> float:
    """Moran (1948): Spearman's correlation expected of a sample of normal pairs with correlation `rho`."""
    return 6.0 / (math.pi * (stocks + 1)) * (math.asin(rho) + (stocks - 2) * math.asin(rho / 2.0))


def rho_of(rank_ic: float, stocks: int) -> float:
    return float(brentq(lambda rho: expected_rank_ic(rho, stocks) - rank_ic, -0.99, 0.99))


def write_study(
    scores: Path,
    rank_ics: Sequence[float],
    *,
    budgets: Sequence[str] = LADDER,
    days: int = 600,
    stocks: int = 24,
    shared: float = 0.9,
    seeds: int = 3,
    horizon: int = 1,
    seed: int = 1,
    static: float = 0.0,
    regions: Sequence[str] = ("test",),
) -> list[str]:
    """Write scores.json and predictions.parquet of one cell per budget, with the expected `rank_ics`; return the cells.

    `shared`: share of the noise that all models have in common. `static`: expected RankIC of the static order. All
    `regions` have the same days.
    """
    rng = np.random.default_rng(seed)
    # Returns over a horizon are sums of that many one-day returns: labels of neighbouring days overlap.
    of_days_DS = rng.normal(size=(days + horizon - 1, stocks))
    moving_DS = np.stack([of_days_DS[day : day + horizon].sum(axis=0) for day in range(days)]) / math.sqrt(horizon)
    tilt_S = rng.normal(size=stocks)
    rho = rho_of(static, stocks)
    return_DS = rho * tilt_S + math.sqrt(1.0 - rho**2) * moving_DS
    region = RankedRegion(
        dates_D=np.datetime64("1981-01-02") + np.arange(days).astype("timedelta64[D]"),
        symbols=tuple(f"S{place:03d}" for place in range(stocks)),
        return_DS=0.01 * return_DS,
        entry_return_DS=0.01 * of_days_DS[:days],
        member_DS=np.ones((days, stocks), dtype=bool),
        horizon=horizon,
        entry_lag=1,
        fingerprint="made up",
        train_base_rate=0.5,
    )
    common_DS = rng.normal(size=(days, stocks))

    def scores_of(rank_ic: float, share: float) -> np.ndarray:
        own_DS = rng.normal(size=(days, stocks))
        noise_DS = math.sqrt(share) * common_DS + math.sqrt(1.0 - share) * own_DS
        with_return = rho_of(rank_ic, stocks)
        return with_return * moving_DS + math.sqrt(1.0 - with_return**2) * noise_DS

    baselines = judge_baselines(
        region,
        {
            NO_ORDER: np.zeros((days, stocks)),
            STATIC_ORDER: np.tile(tilt_S, (days, 1)),
            "ridge": scores_of(RIDGE_RANK_IC, 0.5),
        },
    )
    level = score_baselines(region, baselines, cost_bps=5.0, params=PARAMS, seed=7)
    cells = []
    for budget, rank_ic in zip(budgets, rank_ics, strict=True):
        cell = f"{budget}-h{horizon}"
        by_seed = {k: judge(region, Ranking(score_DS=scores_of(rank_ic, shared))) for k in range(1, seeds + 1)}
        found = score_ranking_region(level, baselines, by_seed, params=PARAMS, seed=7)
        write_scores(scores / cell / "scores.json", _record(cell, budget, horizon, found.to_json(), regions))
        frames = [ranking_cell_frame(name, region, by_seed, baselines) for name in regions]
        pd.concat(frames).to_parquet(scores / cell / "predictions.parquet")
        cells.append(cell)
    return cells


def _record(cell: str, budget: str, horizon: int, region: Mapping[str, object], regions: Sequence[str]) -> CellScores:
    n_params = parse_budget(budget)
    return CellScores(
        cell=cell,
        budget=budget,
        horizon=horizon,
        key="k" * 64,
        precision="fp32",
        metric=RANK_ERROR,
        n_params=n_params,
        n_params_blocks=n_params * 6 // 10,
        n_params_body=n_params * 8 // 10,
        off_budget=False,
        n_data=2000,
        regions={name: record_of(ScoredRegion, region, source=cell) for name in regions},
    )


def rungs(scores: Path, cells: Sequence[str]) -> tuple[RungPoint, ...]:
    """The points of the cells, all of one horizon."""
    found, dropped = read_points(scores, cells, "test", RANK_ERROR)
    assert dropped == ()
    (points,) = found.values()
    return points
