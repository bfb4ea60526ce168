"""Scores of rankings of one region: constants, baselines, seeds, intervals, and what others read of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RankingRegionScores, RegionBaselines
from tsladder.artifacts.store import read_json, write_json
from tsladder.errors import BadInput
from tsladder.evaluation.bootstrap import mean_interval
from tsladder.evaluation.confidence_set import model_confidence_set
from tsladder.evaluation.paired import compare_models
from tsladder.evaluation.predictions import read_predictions, scored_on
from tsladder.evaluation.region import Scores
from tsladder.law.points import read_points
from tsladder.params import EvaluationParams
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER
from tsladder.ranking.frames import day_labels, rank_predictions_frame, scores_by_stock_frame, seed_names
from tsladder.ranking.metrics import MEANS, daily_metrics
from tsladder.ranking.region import JudgedRanking, RankedRegion, Ranking, judge, judge_baselines
from tsladder.ranking.scoring import score_baselines, score_ranking_region
from tsladder.vocabulary import RANK_ERROR

PARAMS = EvaluationParams(bootstrap_draws=200, confidence=0.95)
DAYS, STOCKS = 260, 12
RNG = np.random.default_rng(8)
RETURNS = np.where(RNG.random((DAYS, STOCKS)) < 0.05, np.nan, 0.01 * RNG.standard_t(4, (DAYS, STOCKS)))
RETURNS_FILLED = np.nan_to_num(RETURNS)
REGION = RankedRegion(
    dates_D=np.datetime64("1981-01-02") + np.arange(DAYS).astype("timedelta64[D]"),
    symbols=tuple(f"S{place:02d}" for place in range(STOCKS)),
    return_DS=RETURNS,
    entry_return_DS=RETURNS_FILLED,
    member_DS=RNG.random((DAYS, STOCKS)) > 0.05,
    horizon=1,
    entry_lag=1,
    fingerprint="f1",
    train_base_rate=0.51,
)
ORDER = RNG.normal(size=STOCKS)
BASELINES = {
    NO_ORDER: np.zeros((DAYS, STOCKS)),
    STATIC_ORDER: np.tile(ORDER, (DAYS, 1)),
    "reversal_1": RNG.normal(size=(DAYS, STOCKS)),
}


def rankings(skill: float, seeds: int = 3) -> dict[int, Ranking]:
    """Seed -> scores that know a share of the return."""
    rng = np.random.default_rng(5)
    return {
        seed: Ranking(score_DS=skill * RETURNS_FILLED + 0.01 * rng.normal(size=RETURNS.shape)) for seed in range(seeds)
    }


def judged(by_seed: Mapping[int, Ranking], region: RankedRegion = REGION) -> dict[int, JudgedRanking]:
    return {seed: judge(region, ranking) for seed, ranking in by_seed.items()}


def scored(
    by_seed: Mapping[int, Ranking], baselines: Mapping[str, np.ndarray] = BASELINES, region: RankedRegion = REGION
) -> RankingRegionScores:
    beside = judge_baselines(region, baselines)
    level = score_baselines(region, beside, cost_bps=5.0, params=PARAMS, seed=1)
    return score_ranking_region(level, beside, judged(by_seed, region), params=PARAMS, seed=1)


@pytest.fixture(scope="module")
def skilled() -> RankingRegionScores:
    return scored(rankings(0.3))


def test_no_order_has_a_loss_of_one_and_skill_is_claimed_against_the_stricter_constant(skilled) -> None:
    level = skilled.level
    static = daily_metrics(BASELINES[STATIC_ORDER], RETURNS, REGION.member_DS, horizon=1).rank_error_N
    assert level.base_rate_loss == 1.0
    assert level.own_rate_loss == pytest.approx(static.mean())
    assert level.stricter == (NO_ORDER if static.mean() > 1.0 else STATIC_ORDER)
    assert skilled.skill == pytest.approx(1.0 - skilled.mean.rank_error / min(1.0, static.mean()))
    assert skilled.advantage.low > 0.0
    assert not skilled.constant_predictor
    assert skilled.beaten_by == ()


def test_a_static_order_with_skill_becomes_the_constant_to_beat() -> None:
    """What a ranking that never changes reaches is not counted as skill."""
    tilt = np.tile(ORDER, (DAYS, 1))
    region = dataclasses.replace(REGION, return_DS=RETURNS + 0.01 * tilt)
    found = scored({0: Ranking(score_DS=tilt)}, region=region)
    assert found.level.stricter == STATIC_ORDER
    assert found.mean.rank_ic > 0.1
    assert found.skill == pytest.approx(0.0)
    assert not found.advantage.low > 0.0
    assert found.skill_against[NO_ORDER].low is not None
    assert found.skill_against[NO_ORDER].low > 0.0
    assert found.level.baseline_advantage[STATIC_ORDER].value == 0.0


def test_skill_against_no_order_is_the_rank_ic(skilled) -> None:
    assert skilled.skill_against[NO_ORDER].skill == pytest.approx(skilled.mean.rank_ic)


def test_the_order_of_hindsight_is_shown_and_beats_nobody() -> None:
    found = scored({0: Ranking(score_DS=-RETURNS_FILLED)})
    assert OWN_STATIC_ORDER in found.level.baselines
    assert found.level.baselines[OWN_STATIC_ORDER].rank_ic > 0.0
    assert OWN_STATIC_ORDER not in found.skill_against
    assert NO_ORDER in found.beaten_by
    assert OWN_STATIC_ORDER not in found.beaten_by


def test_a_model_that_never_orders_is_named_a_constant_predictor_and_has_no_ratios() -> None:
    unordered = scored({0: Ranking(score_DS=np.ones((DAYS, STOCKS)))})
    assert unordered.constant_predictor
    assert unordered.mean.unordered_days == unordered.level.windows
    assert unordered.mean.icir is None
    assert unordered.mean.portfolio.sharpe_gross is None
    assert unordered.mean.portfolio.break_even_bps is None


def test_metrics_are_means_over_days_and_then_over_seeds(skilled) -> None:
    daily = [daily_metrics(one.score_DS, RETURNS, REGION.member_DS, horizon=1) for one in rankings(0.3).values()]
    for metric in ("rank_error", "rank_ic", "ic", "hit_rate", "quantile_spread", "score_sd"):
        assert getattr(skilled.mean, metric) == pytest.approx(np.mean([one.of(metric).mean() for one in daily]))
    ratios = [one.rank_ic_N.mean() / one.rank_ic_N.std(ddof=1) for one in daily]
    assert skilled.mean.icir == pytest.approx(np.mean(ratios))
    errors = [scores.rank_error for scores in skilled.seeds.values()]
    assert skilled.rank_error_se == pytest.approx(np.std(errors, ddof=1) / np.sqrt(3))


def test_intervals_are_those_of_the_block_bootstrap_and_the_block_is_at_least_the_horizon(skilled) -> None:
    daily = [daily_metrics(one.score_DS, RETURNS, REGION.member_DS, horizon=1) for one in rankings(0.3).values()]
    plain = mean_interval(
        np.mean([one.rank_ic_N for one in daily], axis=0), draws=200, confidence=0.95, seed=1, block=skilled.level.block
    )
    found = skilled.intervals["rank_ic"]
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))
    error = skilled.intervals["rank_error"]
    assert error is not None
    assert (error.low, error.high) == pytest.approx((1.0 - found.high, 1.0 - found.low))
    for metric in ("icir_h1", "sharpe_gross", "sharpe_net", "annual_return_gross", "annual_return_net"):
        interval = skilled.intervals[metric]
        assert interval is not None
        assert interval.low < interval.value < interval.high
    assert skilled.mean.portfolio.sharpe_net is not None
    assert skilled.intervals["sharpe_net"].value == pytest.approx(skilled.mean.portfolio.sharpe_net)
    longer = dataclasses.replace(REGION, horizon=40)
    assert scored(rankings(0.3, 1), region=longer).level.block == 40


def test_the_interval_of_a_sharpe_ratio_of_independent_days_is_about_that_of_theory() -> None:
    """Its standard error is the root of (1 + SR^2 / 2) / n a day (Lo 2002)."""
    region = dataclasses.replace(REGION, member_DS=np.ones((DAYS, STOCKS), bool))
    found = scored({0: Ranking(score_DS=BASELINES["reversal_1"])}, region=region).intervals["sharpe_gross"]
    assert found is not None
    daily = found.value / np.sqrt(252)
    assert found.se == pytest.approx(np.sqrt(252 * (1 + daily**2 / 2) / DAYS), rel=0.35)


def test_a_baseline_that_knows_more_is_named_as_beating_the_model() -> None:
    better = dict(BASELINES) | {"oracle": RETURNS_FILLED}
    found = scored(rankings(0.1), better)
    assert found.beaten_by == ("oracle",)
    assert found.level.baseline_advantage["oracle"].low > 0.0


def test_quantiles_are_scored_where_they_are_forecast() -> None:
    region = dataclasses.replace(REGION, label_DS=RETURNS)
    quantiles = np.tile(np.array([-0.02, -0.01, 0.0, 0.01, 0.02]), (DAYS, STOCKS, 1))
    found = scored({0: Ranking(score_DS=BASELINES["reversal_1"], quantile_DSQ=quantiles)}, region=region)
    valued = RETURNS[REGION.member_DS & np.isfinite(RETURNS)]
    assert found.mean.coverage_90 == pytest.approx(np.mean(np.abs(valued) <= 0.02), abs=0.01)
    assert found.intervals["pinball"] is not None
    assert found.level.baselines["reversal_1"].pinball is None
    with pytest.raises(ValueError, match="the region has no label_DS"):
        judge(REGION, Ranking(score_DS=BASELINES["reversal_1"], quantile_DSQ=quantiles))


@pytest.mark.parametrize("constant", [False, True])
def test_scores_go_to_json_and_back(constant: bool) -> None:
    made = scored({0: Ranking(score_DS=np.ones((DAYS, STOCKS)))}) if constant else scored(rankings(0.2))
    text = json.dumps(made.to_json(), sort_keys=True, allow_nan=False)
    assert RankingRegionScores.from_json(json.loads(text)) == made
    level = json.dumps(made.level.to_json(), allow_nan=False)
    assert RegionBaselines.from_json(json.loads(level)) == made.level
    plain = json.loads(text)
    assert set(plain["intervals"]) <= set(plain["mean"])
    assert "icir_h1" in plain["intervals"]
    assert plain["entry_lag"] == 1
    if constant:
        assert plain["mean"]["icir_h1"] is None
        assert plain["mean"]["sharpe_net"] is None


def test_a_region_without_a_seed_or_a_rankable_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trained seed"):
        scored({})
    empty = dataclasses.replace(REGION, return_DS=np.full((DAYS, STOCKS), np.nan))
    beside = judge_baselines(empty, BASELINES)
    with pytest.raises(ValueError, match="labels of two stocks differ"):
        score_baselines(empty, beside, cost_bps=5.0, params=PARAMS, seed=1)


@pytest.mark.parametrize("days", [1, 2])
def test_a_region_of_a_day_or_two_has_scores_and_what_is_unknown_of_it_is_none(days: int) -> None:
    short = dataclasses.replace(
        REGION,
        dates_D=REGION.dates_D[:days],
        return_DS=RETURNS[:days],
        entry_return_DS=RETURNS_FILLED[:days],
        member_DS=REGION.member_DS[:days],
    )
    ours = {0: Ranking(score_DS=BASELINES["reversal_1"][:days])}
    found = scored(ours, {name: score_DS[:days] for name, score_DS in BASELINES.items()}, short)
    assert found.level.windows == days
    assert (found.mean.icir is None) == (days == 1)
    json.dumps(found.to_json(), allow_nan=False)


def test_masks_and_scores_of_another_number_type_give_the_same_scores() -> None:
    """As a cube stores them: members as bytes, scores in single precision."""
    region = dataclasses.replace(REGION, member_DS=REGION.member_DS.astype(np.uint8))
    rounded = {0: Ranking(score_DS=BASELINES["reversal_1"].astype(np.float32))}
    plain = {0: Ranking(score_DS=BASELINES["reversal_1"].astype(np.float32).astype(np.float64))}
    assert scored(rounded, region=region) == scored(plain)


def test_a_ranking_tells_of_a_region_what_every_task_does(skilled) -> None:
    told: Scores = skilled
    plain = skilled.to_json()
    for name in ("windows", "positives", "base_rate", "first_day", "last_day", "stricter", "skill", "base_rate_loss"):
        assert getattr(told, name) == plain[name]
    assert told.own_rate_loss == plain["own_rate_loss"]
    valued = RETURNS[REGION.member_DS & np.isfinite(RETURNS)]
    assert (told.positives, plain["stock_days"]) == ((valued > 0).sum(), valued.size)
    assert told.base_rate == pytest.approx((valued > 0).mean())
    # What tests/tasks/contract.py asks of the scores of every task.
    assert {"train_base_rate", "windows_fingerprint", "seeds", "mean", "intervals", "baselines"} <= set(plain)
    for metrics in (plain["mean"], *plain["seeds"].values(), *plain["baselines"].values()):
        assert all(value is None or isinstance(value, float | int) for value in metrics.values())


def test_days_without_a_label_are_left_out_and_counted() -> None:
    returns = RETURNS.copy()
    returns[[3, 4]] = np.nan
    level = scored(rankings(0.2), region=dataclasses.replace(REGION, return_DS=returns)).level
    assert (level.windows, level.left_out_days) == (DAYS - 2, 2)
    assert level.stock_days == (REGION.member_DS & np.isfinite(returns)).sum()


# What the law and paired comparisons read.


def write_cell(folder: Path, cell: str, n_params: int, by_seed: Mapping[int, Ranking], region=REGION) -> None:
    beside = judge_baselines(region, BASELINES)
    level = score_baselines(region, beside, cost_bps=5.0, params=PARAMS, seed=1)
    ours = judged(by_seed, region)
    scores = score_ranking_region(level, beside, ours, params=PARAMS, seed=1)
    record = {
        "status": "done", "cell": cell, "budget": cell.split("-")[0], "horizon": 1, "precision": "fp32",
        "n_params": n_params, "n_params_blocks": n_params, "n_params_body": n_params, "off_budget": False,
        "regions": {"test": scores.to_json()},
    }  # fmt: skip
    write_json(folder / cell / "scores.json", record)
    frame = rank_predictions_frame("test", region, seed_names(ours) | beside)
    frame.to_parquet(folder / cell / "predictions.parquet")


def test_the_law_and_paired_comparisons_read_a_ranking_as_any_loss(tmp_path: Path) -> None:
    write_cell(tmp_path, "12k-h1", 12_000, rankings(0.1))
    write_cell(tmp_path, "30k-h1", 30_000, rankings(0.5))
    points, dropped = read_points(tmp_path, ["12k-h1", "30k-h1"], "test", metric=RANK_ERROR)
    assert dropped == ()
    small, large = points[1]
    assert large.loss < small.loss < 1.0
    assert small.base_rate_loss == 1.0
    assert small.has_skill
    assert small.baselines[NO_ORDER] == 1.0
    assert len(small.loss_N) == read_json(tmp_path / "12k-h1" / "scores.json")["regions"]["test"]["windows"]

    first, second = (read_predictions(tmp_path / cell / "predictions.parquet", "test") for cell in ("30k-h1", "12k-h1"))
    found = compare_models(first.trained("30k-h1"), second.trained("12k-h1"), params=PARAMS, seed=1)
    assert found.metric == RANK_ERROR
    assert found.low > 0.0
    assert found.difference == pytest.approx(small.loss - large.loss)
    against = compare_models(first.trained("30k-h1"), first.baseline(NO_ORDER), params=PARAMS, seed=1)
    assert against.second_loss == 1.0
    best = model_confidence_set(
        {name: one.loss_N for name, one in (("30k", first.trained("30k")), ("none", first.baseline(NO_ORDER)))},
        confidence=0.9, draws=200, seed=1,
    )  # fmt: skip
    assert best.members == ("30k",)


def test_models_of_other_returns_are_not_compared(tmp_path: Path) -> None:
    write_cell(tmp_path, "12k-h1", 12_000, rankings(0.1))
    changed = RETURNS.copy()
    stock = int(np.flatnonzero(REGION.member_DS[7] & np.isfinite(RETURNS[7]))[0])
    changed[7, stock] += 0.001
    write_cell(tmp_path, "30k-h1", 30_000, rankings(0.5), dataclasses.replace(REGION, return_DS=changed))
    one, other = (
        read_predictions(tmp_path / cell / "predictions.parquet", "test").trained(cell) for cell in ("12k-h1", "30k-h1")
    )
    with pytest.raises(BadInput, match="the labels differ on 1981-01-09"):
        compare_models(one, other, params=PARAMS, seed=1)
    assert scored_on(one.dates_N, one.y_N) != scored_on(other.dates_N, other.y_N)


def test_a_days_label_is_exact_in_float32_and_ignores_the_order_of_the_stocks_and_those_not_judged() -> None:
    judged_DS = REGION.member_DS & np.isfinite(RETURNS)
    labels = day_labels(REGION.symbols, RETURNS, judged_DS)
    np.testing.assert_array_equal(labels.astype(np.float32).astype(np.int64), labels)
    assert labels.min() >= 0
    assert len(set(labels.tolist())) > DAYS - 3
    order = np.random.default_rng(1).permutation(STOCKS)
    symbols = [REGION.symbols[place] for place in order]
    np.testing.assert_array_equal(day_labels(symbols, RETURNS[:, order], judged_DS[:, order]), labels)
    more = np.column_stack([np.where(judged_DS, RETURNS, 7.0), np.zeros(DAYS)])
    beside = np.column_stack([judged_DS, np.zeros(DAYS, bool)])
    np.testing.assert_array_equal(day_labels((*REGION.symbols, "A much longer symbol"), more, beside), labels)
    other = day_labels(("X", *REGION.symbols[1:]), RETURNS, judged_DS)
    assert (other != labels)[judged_DS[:, 0]].mean() > 0.99
    np.testing.assert_array_equal(other[~judged_DS[:, 0]], labels[~judged_DS[:, 0]])


def test_every_figure_can_be_computed_again_from_the_two_tables(skilled) -> None:
    by_seed = rankings(0.3)
    ours = judged(by_seed)
    predictions = rank_predictions_frame("test", REGION, seed_names(ours))
    by_stock = scores_by_stock_frame(REGION, {f"seed-{seed}": one for seed, one in by_seed.items()})
    of_seed = predictions[predictions["model"] == "seed-1"]
    # A reader takes the first column after these for the loss.
    assert list(of_seed.columns[:5]) == ["date", "region", "model", "label", RANK_ERROR]
    book = of_seed["gross_return"] - 5e-4 * of_seed["traded"]
    assert skilled.seeds[1].portfolio.sharpe_net == pytest.approx(np.sqrt(252) * book.mean() / book.std())
    assert skilled.seeds[1].rank_error == pytest.approx(of_seed[RANK_ERROR].mean())
    assert set(MEANS) - set(predictions.columns) == {"pinball", "coverage_90"}

    rows = by_stock[by_stock["model"] == "seed-1"].dropna()
    one_day = rows[rows["date"] == rows["date"].iloc[0]]
    ic = one_day["score"].rank().corr(one_day["return"].rank())
    assert of_seed["rank_ic"].iloc[0] == pytest.approx(ic)
    assert len(by_stock) == 3 * REGION.member_DS.sum()
    assert isinstance(by_stock["date"].iloc[0], pd.Timestamp)
