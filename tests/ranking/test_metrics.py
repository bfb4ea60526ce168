"""Daily metrics of a ranking: by hand, by scipy, by theory, and under what must not change them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, pearsonr, rankdata, spearmanr

from tsladder.ranking.metrics import (
    MEANS,
    QUANTILE_LEVELS,
    DailyMetrics,
    block_of_days,
    daily_metrics,
    mean_over_sd,
    quantile_metrics,
    scored_days,
)
from tsladder.ranking.ranks import average_ranks, centred_ranks


def metrics_of(score: object, returns: object, member: object = None, horizon: int = 1) -> DailyMetrics:
    """Of one day or of several; every stock is a member unless said otherwise."""
    score_DS, return_DS = np.atleast_2d(np.asarray(score, float)), np.atleast_2d(np.asarray(returns, float))
    member_DS = np.ones(return_DS.shape, bool) if member is None else np.atleast_2d(np.asarray(member, bool))
    return daily_metrics(score_DS, return_DS, member_DS, horizon=horizon)


def panel(days: int = 60, stocks: int = 17, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, returns of which a tenth is missing, members of which a tenth is not one."""
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(size=(days, stocks)), 1)
    returns = np.round(0.01 * (0.2 * score + rng.standard_t(4, (days, stocks))), 3)
    returns[rng.random(returns.shape) < 0.1] = np.nan
    return score, returns, rng.random(returns.shape) > 0.1


def test_a_perfect_ranking_has_an_ic_of_one_and_its_reverse_of_minus_one() -> None:
    _, returns, _ = panel()
    returns = np.where(np.isnan(returns), 0.123, returns)
    perfect, reverse = metrics_of(returns, returns), metrics_of(-returns, returns)
    np.testing.assert_allclose(perfect.rank_ic_N, 1.0)
    np.testing.assert_allclose(perfect.rank_error_N, 0.0, atol=1e-12)
    np.testing.assert_array_equal(perfect.hit_rate_N, 1.0)
    np.testing.assert_allclose(perfect.ic_N, 1.0)
    np.testing.assert_allclose(reverse.rank_ic_N, -1.0)
    np.testing.assert_array_equal(reverse.hit_rate_N, 0.0)
    np.testing.assert_allclose(reverse.quantile_spread_N, -perfect.quantile_spread_N)


@pytest.mark.parametrize(
    ("score", "returns", "expected"),
    [([3, 1, 2, 5, 4], [1, 2, 3, 4, 5], 0.6), ([1, 2, 2, 4], [1, 3, 2, 4], 0.9486833)],
)
def test_spearman_by_hand(score: list[float], returns: list[float], expected: float) -> None:
    assert metrics_of(score, returns).rank_ic_N[0] == pytest.approx(expected, abs=1e-7)


def test_a_constant_score_is_no_order() -> None:
    found = metrics_of([[7, 7, 7], [1, 2, 3]], [[0.01, 0.0, -0.02], [0.01, 0.0, -0.02]])
    assert found.rank_ic_N[0] == found.ic_N[0] == 0.0
    assert found.rank_error_N[0] == 1.0
    assert found.hit_rate_N[0] == 0.5
    assert found.quantile_spread_N[0] == pytest.approx(0.0)
    assert found.unordered_N.tolist() == [True, False]


def test_each_day_agrees_with_scipy_on_the_stocks_that_are_judged() -> None:
    score, returns, member = panel()
    found = daily_metrics(score, returns, member, horizon=1)
    judged = member & np.isfinite(returns)
    for day, judged_S in enumerate(judged):
        one, other = score[day, judged_S], returns[day, judged_S]
        assert found.rank_ic_N[day] == pytest.approx(spearmanr(one, other).statistic)
        assert found.ic_N[day] == pytest.approx(pearsonr(one, other).statistic)
        assert found.score_sd_N[day] == pytest.approx(one.std())
        np.testing.assert_allclose(average_ranks(score, judged)[day, judged_S], rankdata(one))


def test_the_hit_rate_leaves_out_stocks_at_a_median() -> None:
    # Medians 3 and 0: stock 3 by score, stock 4 by return; of stocks 1, 2 and 5 the first and the last are right.
    assert metrics_of([1, 2, 3, 4, 5], [-2, 1, -1, 0, 2]).hit_rate_N[0] == pytest.approx(2 / 3)


def test_the_hit_rate_of_a_guess_is_one_half() -> None:
    rng = np.random.default_rng(1)
    for stocks in (7, 8):
        hits_N = metrics_of(rng.normal(size=(4000, stocks)), rng.normal(size=(4000, stocks))).hit_rate_N
        assert hits_N.mean() == pytest.approx(0.5, abs=3 * hits_N.std() / math.sqrt(4000))


def test_the_spread_is_the_top_fifth_less_the_bottom_fifth_in_basis_points_a_day() -> None:
    # Eleven stocks: fifths of two.
    returns = 0.001 * np.arange(11.0) ** 2
    expected = 1e4 * (returns[[9, 10]].mean() - returns[[0, 1]].mean())
    assert metrics_of(np.arange(11), returns).quantile_spread_N[0] == pytest.approx(expected)
    assert metrics_of(np.arange(11), returns, horizon=5).quantile_spread_N[0] == pytest.approx(expected / 5)


def test_stocks_of_one_score_at_the_edge_of_a_fifth_share_its_places() -> None:
    # The top fifth of five stocks is one; two stocks have the highest score.
    returns = np.array([0.0, 0.01, 0.02, 0.03, 0.05])
    assert metrics_of([1, 2, 3, 4, 4], returns).quantile_spread_N[0] == pytest.approx(1e4 * 0.04)


@pytest.mark.parametrize("stocks", [20, pytest.param(431, marks=pytest.mark.slow)])
@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_the_rank_ic_of_normal_pairs_is_that_of_theory(stocks: int, rho: float) -> None:
    """Expected Spearman correlation of S normal pairs (Moran 1948); without correlation its variance is 1 / (S - 1)."""
    rng = np.random.default_rng(11)
    days = 4000
    one = rng.normal(size=(days, stocks))
    other = rho * one + math.sqrt(1.0 - rho**2) * rng.normal(size=(days, stocks))
    ic_N = metrics_of(one, other).rank_ic_N
    expected = 6.0 / (math.pi * (stocks + 1)) * (math.asin(rho) + (stocks - 2) * math.asin(rho / 2.0))
    if rho:
        assert expected == pytest.approx({20: 0.04548, 431: 0.04764}[stocks], abs=5e-6)
    sd = float(ic_N.std(ddof=1))
    assert ic_N.mean() == pytest.approx(expected, abs=3.0 * sd / math.sqrt(days))
    if not rho:
        assert 1.0 / math.sqrt(stocks - 1) == pytest.approx({20: 0.2294, 431: 0.0482}[stocks], abs=5e-5)
        assert sd == pytest.approx(1.0 / math.sqrt(stocks - 1), abs=3.0 * sd / math.sqrt(2.0 * days))


def test_pinball_losses_are_those_of_theory() -> None:
    """At the true quantiles: of a uniform label of width w, w q (1 - q) / 2; of a normal one, its density there."""
    stocks = 4001
    uniform = centred_ranks(np.arange(float(stocks))[None, :], np.ones((1, stocks), bool))
    normal = norm.ppf((np.arange(stocks) + 0.5) / stocks)[None, :]
    judged = np.ones((1, stocks), bool)
    levels = np.array(QUANTILE_LEVELS)
    for label, true_Q, expected in (
        (uniform, math.sqrt(12.0) * (levels - 0.5), 0.2494),
        (normal, norm.ppf(levels), 0.2482),
    ):
        pinball, coverage = quantile_metrics(np.broadcast_to(true_Q, (1, stocks, 5)), label, judged)
        assert pinball[0] == pytest.approx(expected, abs=1e-4)
        assert coverage[0] == pytest.approx(0.9, abs=1e-3)
    np.testing.assert_allclose(norm.pdf(norm.ppf(levels)), [0.1031, 0.3178, 0.3989, 0.3178, 0.1031], atol=5e-5)


def test_quantiles_are_judged_on_the_judged_stocks_alone() -> None:
    label = np.array([[0.0, 1.0, np.nan]])
    quantiles = np.array([[[-1.0, -0.5, 0.0, 0.5, 1.0], [2.0, 2.0, 2.0, 2.0, 2.0], [np.nan] * 5]])
    pinball, coverage = quantile_metrics(quantiles, label, np.array([[True, True, False]]))
    # Stock 1: (.05 + .125 + 0 + .125 + .05) / 5; stock 2, one too high everywhere: the mean of 1 - q.
    assert pinball[0] == pytest.approx((0.07 + 0.5) / 2)
    assert coverage[0] == 0.5
    with pytest.raises(ValueError, match="finite quantiles"):
        quantile_metrics(quantiles, label, np.ones((1, 3), bool))
    with pytest.raises(ValueError, match="judged stock"):
        quantile_metrics(quantiles, label, np.zeros((1, 3), bool))
    with pytest.raises(ValueError, match="days x stocks x 5"):
        quantile_metrics(quantiles[..., :4], label, np.ones((1, 3), bool))


@pytest.mark.parametrize("filling", [0.0, 99.0, np.nan])
def test_a_missing_stock_is_left_out_whatever_stands_in_its_place(filling: float) -> None:
    score, returns, member = panel()
    found = daily_metrics(score, returns, member, horizon=1)
    absent = ~(member & np.isfinite(returns))
    other_returns = np.where(member, returns, 5.0)
    filled = daily_metrics(np.where(absent, filling, score), other_returns, member, horizon=1)
    for metric in MEANS:
        np.testing.assert_array_equal(found.of(metric), filled.of(metric))


@given(st.integers(0, 10_000))
def test_the_order_of_the_stocks_changes_nothing(seed: int) -> None:
    score, returns, member = panel(days=5, stocks=9, seed=seed)
    order = np.random.default_rng(seed).permutation(9)
    one = daily_metrics(score, returns, member, horizon=1)
    other = daily_metrics(score[:, order], returns[:, order], member[:, order], horizon=1)
    for metric in ("rank_ic", "ic", "hit_rate", "quantile_spread", "score_sd"):
        np.testing.assert_allclose(one.of(metric), other.of(metric), atol=1e-10)


def test_ranks_do_not_depend_on_the_unit_of_the_score() -> None:
    score, returns, member = panel()
    one = daily_metrics(score, returns, member, horizon=1)
    for scale in (1e-200, 1e-3, 1e100):
        other = daily_metrics(scale * score, returns, member, horizon=1)
        np.testing.assert_array_equal(one.rank_ic_N, other.rank_ic_N)
        np.testing.assert_allclose(one.ic_N, other.ic_N, atol=1e-9)


def test_days_that_cannot_be_ranked_are_left_out() -> None:
    """No label, one stock, equal labels, no member; the last day can."""
    returns = np.array([[np.nan, np.nan], [0.1, np.nan], [0.1, 0.1], [0.1, 0.2], [0.1, 0.2]])
    member = np.ones((5, 2), bool)
    member[3] = False
    assert scored_days(returns, member).tolist() == [False, False, False, False, True]
    found = daily_metrics(np.tile([1.0, 2.0], (5, 1)), returns, member, horizon=1)
    assert found.rank_ic_N.tolist() == [1.0]
    # On a day that is left out, nobody is asked for a score.
    score = np.where(scored_days(returns, member)[:, None], np.ones((5, 2)), np.nan)
    assert daily_metrics(score, returns, member, horizon=1).unordered_N.tolist() == [True]


def test_one_stock_alone_is_never_ranked() -> None:
    assert metrics_of([[1.0], [2.0]], [[0.1], [0.2]]).rank_ic_N.size == 0


def test_a_panel_without_stocks_has_no_scored_day() -> None:
    assert scored_days(np.empty((3, 0)), np.empty((3, 0), bool)).tolist() == [False, False, False]


def test_a_member_with_a_label_needs_a_score() -> None:
    with pytest.raises(ValueError, match="finite score; 1 have none"):
        metrics_of([1.0, np.nan, 2.0], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="pair up"):
        metrics_of([1.0, 2.0], [0.1, 0.2, 0.3])


def test_blocks_are_never_shorter_than_the_horizon() -> None:
    error_N = 1.0 - 0.2 * np.random.default_rng(0).normal(size=400)
    assert block_of_days(error_N, 1) >= 10
    assert block_of_days(error_N, 20) == 20


def test_the_ratio_of_mean_and_deviation_is_undefined_without_variation() -> None:
    assert mean_over_sd(np.array([1.0, 3.0])) == pytest.approx(2.0 / math.sqrt(2.0))
    assert mean_over_sd(np.array([0.1, 0.1, 0.1])) is None
    assert mean_over_sd(np.array([0.1])) is None
    assert mean_over_sd(np.zeros(4)) is None
