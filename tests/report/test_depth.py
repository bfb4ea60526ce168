"""Depth against width: planted preferences are found, none is invented, and what cannot be said is not."""

import numpy as np
import pytest
from tests.report.cohorts import cohort, random_cohort

from tsladder.report.patterns.depth import Preference, Trend, depth_patterns, halves_of
from tsladder.vocabulary import Cell

RUNGS = ("12k", "30k", "80k", "200k", "750k")


def one(of_cell):
    (pattern,), _ = depth_patterns({Cell("12k", 1): of_cell}, level=0.05, seed=1)
    return pattern


@pytest.mark.parametrize(("sign", "preference"), [(1.0, Preference.DEEPER), (-1.0, Preference.WIDER)])
def test_a_planted_order_is_found_with_its_sign(sign, preference):
    ratios = [5, 40, 9, 1, 70, 22, 3, 150]
    pattern = one(cohort(ratios, sign * np.log(ratios)))
    assert pattern.preference is preference
    assert pattern.rho == pytest.approx(sign)
    assert pattern.p == pytest.approx(2 / 40320)
    assert pattern.halves.ahead * sign > 0.0


def test_eight_trials_by_hand():
    """The best deep trial has 8, the best wide one 5, so that three trials lie above 5. Chance parts the halves by as
    much where all three share one: (5 choose 1) of (8 choose 4) ways for either half."""
    halves = halves_of(cohort([1, 2, 3, 4, 5, 6, 7, 8], [0.0, 0.0, 0.0, 5.0, 8.0, 7.8, 7.0, 0.0]), 0)
    assert (halves.deep, halves.wide, halves.at_median) == (4, 4, 0)
    assert (halves.best_deep, halves.best_wide, halves.ahead) == (8.0, 5.0, 3.0)
    assert halves.p == pytest.approx(2 * 5 / 70)


def test_trials_at_the_median_belong_to_neither_half():
    halves = halves_of(cohort([1, 2, 4, 4, 4, 8, 9], [1, 2, 9, 9, 9, 4, 3]), 0)
    assert (halves.deep, halves.wide, halves.at_median) == (2, 2, 3)
    assert (halves.best_deep, halves.best_wide) == (4.0, 2.0)


@pytest.mark.parametrize(("ratios", "deep", "wide"), [([1, 1, 1, 2], 1, 3), ([1, 2, 2, 2], 3, 1)])
def test_trials_at_the_median_fill_a_half_that_were_empty(ratios, deep, wide):
    halves = halves_of(cohort(ratios, [1, 2, 3, 4]), 0)
    assert (halves.deep, halves.wide, halves.at_median) == (deep, wide, 0)


def test_fewer_than_four_trials_are_too_few_to_say():
    pattern = one(cohort([1, 2, 3], [1, 2, 3]))
    assert pattern.preference is Preference.TOO_FEW
    assert (pattern.rho, pattern.p, pattern.halves) == (None, None, None)


def test_no_trial_at_all_is_too_few_to_say():
    assert one(cohort([], [])).preference is Preference.TOO_FEW


def test_trials_of_one_ratio_say_nothing_of_it():
    pattern = one(cohort([3, 3, 3, 3, 3], [1, 2, 3, 4, 5]))
    assert pattern.preference is Preference.ONE_RATIO
    assert (pattern.rho, pattern.halves) == (None, None)


def test_equal_scores_are_no_pattern():
    pattern = one(cohort([1, 2, 3, 4, 5], [2, 2, 2, 2, 2]))
    assert pattern.preference is Preference.NO_PATTERN
    assert pattern.rho is None
    assert pattern.halves.p == 1.0


def test_a_p_is_corrected_over_all_cells():
    rng = np.random.default_rng(0)
    cohorts = {Cell(rung, 1): random_cohort(rng, 8) for rung in RUNGS}
    ratios = [1, 2, 3, 4, 5, 6, 7, 8]
    cohorts[Cell("12k", 1)] = cohort(ratios, [1, 2, 3, 4, 5, 7, 8, 6])
    cells, _ = depth_patterns(cohorts, level=0.05, seed=1)
    first = cells[0]
    assert first.p_holm == pytest.approx(5 * first.p)


@pytest.mark.parametrize("n", [8, pytest.param(20, marks=pytest.mark.slow)])
def test_of_cells_without_a_pattern_at_most_one_study_in_twenty_claims_one(n):
    """Any claim among five cells: after Holm, in 5 % of studies."""
    rng = np.random.default_rng(n)
    studies = 60
    false_cells = false_horizons = false_trends = 0
    for _ in range(studies):
        cohorts = {Cell(rung, 1): random_cohort(rng, n) for rung in RUNGS}
        cells, (horizon,) = depth_patterns(cohorts, level=0.05, seed=1)
        false_cells += any(cell.preference is not Preference.NO_PATTERN for cell in cells)
        false_horizons += horizon.preference is not Preference.NO_PATTERN
        false_trends += horizon.change is not Trend.NO_TREND
    for false in (false_cells, false_horizons, false_trends):
        # 5 % and three standard deviations of a count.
        assert false <= 0.05 * studies + 3.0 * np.sqrt(0.05 * 0.95 * studies)


def test_a_weak_preference_at_every_rung_shows_over_the_rungs():
    rng = np.random.default_rng(2)
    cohorts = {}
    for rung in RUNGS:
        ratios = rng.permutation([1, 2, 4, 8, 16, 32, 64, 128])
        cohorts[Cell(rung, 3)] = cohort(ratios, 0.6 * np.log(ratios) / np.log(128) * 2 + 0.6 * rng.normal(size=8))
    cells, (horizon,) = depth_patterns(cohorts, level=0.05, seed=1)
    assert all(cell.preference is Preference.NO_PATTERN for cell in cells)
    assert horizon.preference is Preference.DEEPER
    assert (horizon.rungs, horizon.deeper + horizon.wider) == (5, 5)
    assert horizon.rho == pytest.approx(np.mean([cell.rho for cell in cells]))


def test_all_of_five_rungs_on_one_side_is_what_a_coin_does_in_one_of_sixteen():
    cohorts = {Cell(rung, 1): cohort([1, 2, 3, 4], [1, 3, 2, 4]) for rung in RUNGS}
    _, (horizon,) = depth_patterns(cohorts, level=0.05, seed=1)
    assert (horizon.deeper, horizon.same_side) == (5, pytest.approx(1 / 16))


def test_a_preference_that_turns_with_size_is_a_trend_and_no_leaning():
    ratios = [1, 2, 3, 4, 5, 6, 7, 8]
    orders = (
        [8, 7, 6, 5, 4, 3, 2, 1],
        [8, 7, 5, 6, 2, 4, 1, 3],
        [4, 1, 7, 8, 2, 3, 5, 6],
        [1, 3, 2, 4, 6, 5, 8, 7],
        ratios,
    )
    cohorts = {Cell(rung, 1): cohort(ratios, scores) for rung, scores in zip(RUNGS, orders, strict=True)}
    _, (horizon,) = depth_patterns(cohorts, level=0.05, seed=1)
    assert horizon.preference is Preference.NO_PATTERN
    assert horizon.trend == pytest.approx(1.0)
    assert horizon.trend_p_holm == pytest.approx(2 / 120)
    assert horizon.change is Trend.DEEPER


def test_three_rungs_are_too_few_for_a_trend():
    cohorts = {Cell(rung, 1): cohort([1, 2, 3, 4], [1, 3, 2, 4]) for rung in RUNGS[:3]}
    _, (horizon,) = depth_patterns(cohorts, level=0.05, seed=1)
    assert (horizon.change, horizon.trend) == (Trend.TOO_FEW, None)
