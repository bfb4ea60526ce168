"""Rank correlations and their p against SciPy, counted orders and simulated searches."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test, rankdata, spearmanr

from tsladder.report.patterns.permutation_test import PermutationTest, blocks_of, permutations, pooled
from tsladder.report.patterns.ranks import rank_correlation, weakest_detectable


def permuted(x, y, **settings):
    """SciPy's test of Spearman's correlation, which is Pearson's of the ranks; these are ranked once, not for each of
    the orders."""
    ranks_y = rankdata(y) - rankdata(y).mean()

    def correlation(ranks_x, axis=-1):
        centred = ranks_x - ranks_x.mean(axis=axis, keepdims=True)
        norms = np.sqrt((centred**2).sum(axis=axis) * (ranks_y**2).sum())
        return (centred * ranks_y).sum(axis=axis) / norms

    found = permutation_test((rankdata(x),), correlation, permutation_type="pairings", vectorized=True, **settings)
    assert found.statistic == pytest.approx(spearmanr(x, y).statistic)
    return found


FEW = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=3, max_size=6)


@settings(max_examples=30)
@given(FEW)
def test_of_few_trials_correlation_and_p_are_those_of_scipy_over_all_orders(pairs):
    x, y = zip(*pairs, strict=True)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert rank_correlation(x, y, 0) is None
        return
    oracle = permuted(x, y, n_resamples=1000)
    found = rank_correlation(x, y, 0)
    assert found.value == pytest.approx(oracle.statistic)
    assert found.p_two_sided == pytest.approx(oracle.pvalue)


def test_four_trials_in_order_are_one_of_24_orders_and_in_reverse_another():
    found = rank_correlation([1, 2, 3, 4], [10, 20, 30, 40], 0)
    assert (found.value, found.p_high, found.p_low) == (pytest.approx(1.0), pytest.approx(1 / 24), 1.0)
    assert found.p_two_sided == pytest.approx(2 / 24)


@pytest.mark.parametrize("n", [9, 10, 11])
def test_of_more_trials_in_one_block_the_p_is_near_that_of_scipy(n):
    rng = np.random.default_rng(n)
    x = rng.normal(size=n)
    y = 0.6 * x + rng.normal(size=n)
    oracle = permuted(x, y, n_resamples=2000, rng=np.random.default_rng(1))
    found = rank_correlation(x, y, 0)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.p_two_sided == pytest.approx(oracle.pvalue, abs=4.0 * math.sqrt(oracle.pvalue / 2000))


@pytest.mark.parametrize(("n", "tabulated"), [(5, 1.0), (6, 0.886), (7, 0.786), (8, 0.738)])
def test_the_weakest_correlation_that_shows_is_the_tabulated_critical_value(n, tabulated):
    assert weakest_detectable(n, 0.05, 0) == pytest.approx(tabulated, abs=5e-4)


def test_four_trials_can_show_no_correlation_however_strong():
    assert weakest_detectable(4, 0.05, 0) is None


def test_drawn_orders_repeat_and_hold_every_trial_within_its_block():
    first, exact = permutations(30, 7)
    permutations.cache_clear()
    again, _ = permutations(30, 7)
    assert not exact
    assert np.array_equal(first, again)
    for block in blocks_of(30):
        assert np.array_equal(np.sort(first[:, block], axis=1), np.tile(np.arange(30)[block], (len(first), 1)))


@given(st.integers(1, 300))
def test_blocks_hold_every_trial_once_and_are_about_equal(n):
    blocks = blocks_of(n)
    assert [i for block in blocks for i in range(n)[block]] == list(range(n))
    sizes = [block.stop - block.start for block in blocks]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) < 12


def test_a_p_from_drawn_orders_is_never_zero():
    chance = PermutationTest(value=9.0, null=np.zeros(999), exact=False)
    assert chance.p_high == pytest.approx(1 / 1000)


def test_a_drift_over_the_trials_is_no_correlation():
    """Later trials are better and deeper, as a sampler makes them, and neither for the other's sake."""
    rng = np.random.default_rng(3)
    falsely = {"within blocks": 0, "at once": 0}
    for _ in range(100):
        drift = np.linspace(0.0, 2.0, 40)
        deep, better = drift + rng.normal(size=40), drift + rng.normal(size=40)
        falsely["within blocks"] += rank_correlation(deep, better, 0).p_two_sided <= 0.05
        falsely["at once"] += spearmanr(deep, better).pvalue <= 0.05
    assert falsely["at once"] > 25
    # 5 % of 100 and three standard deviations; the drift within a block adds a little.
    assert falsely["within blocks"] <= 11


def test_several_weak_correlations_show_together():
    rng = np.random.default_rng(5)
    parts = []
    for _ in range(12):
        x = rng.normal(size=8)
        parts.append(rank_correlation(x, 0.5 * x + rng.normal(size=8), 0))
    together = pooled(parts, 0)
    assert together.value == pytest.approx(np.mean([part.value for part in parts]))
    assert together.p_two_sided < 0.01
    assert np.median([part.p_two_sided for part in parts]) > 0.05


def test_the_mean_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        pooled([], 0)
