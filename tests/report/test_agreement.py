"""The best trials against all: planted agreement is found, none is invented."""

import itertools

import numpy as np
import pytest
from tests.report.cohorts import cohort, random_cohort

from tsladder.report.patterns.agreement import Scatter, agreements, scaled_coordinates, spread_of
from tsladder.vocabulary import Cell

CELL = Cell("12k", 1)
RUNGS = ("12k", "30k", "80k", "200k", "750k")


def one(of_cell):
    (found,), _ = agreements({CELL: of_cell}, level=0.05, seed=1)
    return found


def planted(n, *, tight):
    """The best quarter lies together where `tight`, at the corners where not."""
    rng = np.random.default_rng(0)
    scores = -np.arange(n, dtype=float)
    best = n // 4
    corners = np.tile([0.0, 1.0], n)[:best]
    units = {}
    for name in ("learning_rate", "weight_decay", "dropout"):
        units[name] = rng.uniform(0.0, 1.0, n)
        units[name][:best] = 0.5 + 0.02 * rng.normal(size=best) if tight else rng.permutation(corners)
    order = rng.permutation(n)
    return cohort(
        np.full(n, 5),
        scores[order],
        learning_rate=np.exp(3.0 * units["learning_rate"] - 9.0)[order],
        weight_decay=np.exp(3.0 * units["weight_decay"] - 9.0)[order],
        dropout=(0.1 + 0.2 * units["dropout"])[order],
    )


def test_best_trials_that_lie_together_are_stable_and_clustered():
    found = one(planted(32, tight=True))
    assert found.best == 8
    assert found.stable
    assert found.scatter is Scatter.CLUSTERED
    assert max(found.ranges.values()) < 0.15


def test_best_trials_at_the_corners_are_scattered_and_not_stable():
    found = one(planted(32, tight=False))
    assert not found.stable
    assert found.scatter is Scatter.SCATTERED
    assert found.distance > 1.2


def test_a_range_and_its_p_by_hand():
    """Of five trials the best three span 1 of 4 learning rates, as one of the ten triples does at least as tightly:
    {0, 1, 2}, {1, 2, 3} and {2, 3, 4} span 2, the rest more."""
    found = one(cohort([5] * 5, [9, 8, 7, 1, 0], learning_rate=np.exp([0.0, 1.0, 2.0, 3.0, 4.0])))
    assert found.best == 3
    assert found.ranges == {"learning_rate": pytest.approx(0.5)}
    assert found.p_stable == pytest.approx(3 / 10)


def test_a_distance_and_its_p_are_those_of_all_subsets():
    rng = np.random.default_rng(8)
    of_cell = random_cohort(rng, 7)
    points = np.stack(list(scaled_coordinates(of_cell.trials).values()), axis=1)

    def mean(members):
        return np.mean([np.linalg.norm(points[a] - points[b]) for a, b in itertools.combinations(members, 2)])

    best = [trial.number for trial in of_cell.best_first[:3]]
    every = np.array([mean(subset) for subset in itertools.combinations(range(7), 3)])
    as_low, as_high = np.mean(every <= mean(best) + 1e-9), np.mean(every >= mean(best) - 1e-9)
    found = one(of_cell)
    assert found.distance == pytest.approx(mean(best) / mean(range(7)))
    assert found.p_scatter == pytest.approx(min(1.0, 2.0 * min(as_low, as_high)))


def test_the_spread_is_what_the_median_lies_behind_the_best():
    assert spread_of(cohort([1, 2, 3, 4], [-0.40, -0.42, -0.46, -0.80])) == pytest.approx(0.1)
    assert spread_of(cohort([1, 2, 3, 4, 5], [0.8, 0.7, 0.6, 0.5, 0.4])) == pytest.approx(0.25)


def test_fewer_than_four_trials_say_nothing():
    found = one(cohort([1, 2, 3], [1, 2, 3], dropout=[0.1, 0.2, 0.3]))
    assert (found.best, found.spread, found.p_stable, found.distance) == (0, None, None, None)
    assert found.scatter is Scatter.TOO_FEW
    assert not found.stable


def test_a_setting_that_never_varied_or_is_not_on_record_is_left_out():
    found = one(cohort([5] * 4, [4, 3, 2, 1], dropout=[0.1, 0.2, 0.3, 0.1], learning_rate=[1e-3] * 4))
    assert set(found.ranges) == {"dropout"}


def test_a_weight_decay_of_zero_has_a_place():
    scaled = scaled_coordinates(cohort([5] * 3, [1, 2, 3], weight_decay=[0.0, 0.01, 0.005]).trials)
    assert scaled["weight_decay"].tolist() == [0.0, 1.0, 0.5]


def test_equal_scores_take_the_earlier_trials_as_the_search_does():
    (first, second, third, _) = cohort([5] * 4, [1, 2, 2, 2]).best_first
    assert [trial.number for trial in (first, second, third)] == [1, 2, 3]


@pytest.mark.parametrize(("n", "studies"), [pytest.param(7, 80, marks=pytest.mark.slow), (16, 20)])
def test_of_cells_whose_settings_do_not_matter_at_most_one_study_in_twenty_claims_something(n, studies):
    rng = np.random.default_rng(n)
    stable = scattered = stable_together = scattered_together = 0
    for _ in range(studies):
        found, together = agreements({Cell(rung, 1): random_cohort(rng, n) for rung in RUNGS}, level=0.05, seed=1)
        stable += any(item.stable for item in found)
        scattered += any(item.scatter is not Scatter.LIKE_ALL for item in found)
        stable_together += together.p_stable <= 0.05
        scattered_together += together.p_scatter <= 0.05
    for false in (stable, scattered, stable_together, scattered_together):
        assert false <= 0.05 * studies + 3.0 * np.sqrt(0.05 * 0.95 * studies)


def test_weak_agreement_in_every_cell_shows_over_the_cells():
    rng = np.random.default_rng(6)
    cohorts = {}
    for rung in RUNGS:
        for horizon in (1, 3, 5):
            rate = rng.uniform(-1.0, 1.0, 8)
            scores = -(rate**2) + 0.3 * rng.normal(size=8)
            cohorts[Cell(rung, horizon)] = cohort(rng.integers(1, 99, 8), scores, learning_rate=np.exp(rate))
    found, together = agreements(cohorts, level=0.05, seed=1)
    assert not any(item.stable for item in found)
    assert together.p_stable <= 0.05
