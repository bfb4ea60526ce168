"""The rank test of shuffled targets against independent oracles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm
from tests.audit.leaks import with_step

from tsladder.audit.permutation import label_among_inputs, permute
from tsladder.audit.shuffled import LIMIT, PERMUTATIONS
from tsladder.audit.subject import Floats, Subject
from tsladder.tasks import load
from tsladder.vocabulary import Region

rank = load("direction").label_audit.rank


def halves(n: int, rng: np.random.Generator) -> Floats:
    return rng.permutation((np.arange(n) % 2).astype(float))


def test_z_of_one_deal_is_that_of_mann_and_whitney() -> None:
    rng = np.random.default_rng(0)
    y_N, p_N = halves(301, rng), rng.random(301)
    oracle = mannwhitneyu(
        p_N[y_N == 1], p_N[y_N == 0], alternative="greater", method="asymptotic", use_continuity=False
    )
    found = rank([y_N], [p_N])
    assert norm.sf(found.z) == pytest.approx(oracle.pvalue, rel=1e-9)
    assert found.value == pytest.approx(oracle.statistic / (150 * 151))


def test_pooled_z_is_standard_normal_where_nothing_is_known() -> None:
    rng = np.random.default_rng(1)
    zs = [
        rank([halves(60, rng) for _ in range(PERMUTATIONS)], [rng.random(60) for _ in range(PERMUTATIONS)]).z
        for _ in range(1500)
    ]
    assert np.mean(zs) == pytest.approx(0.0, abs=0.1)
    assert np.std(zs) == pytest.approx(1.0, abs=0.07)


@pytest.mark.slow
def test_choosing_the_best_of_four_epochs_each_time_stays_far_below_the_limit() -> None:
    """The worst that the model's choice of an epoch can do: independent epochs, chosen by the very rank."""
    rng = np.random.default_rng(2)
    zs = []
    for _ in range(300):
        y_DN = [halves(100, rng) for _ in range(PERMUTATIONS)]
        best = [max((rng.random(100) for _ in range(4)), key=lambda p_N, y_N=y_N: rank([y_N], [p_N]).z) for y_N in y_DN]
        zs.append(rank(y_DN, best).z)
    assert np.mean(zs) == pytest.approx(2.06, abs=0.15)
    assert np.mean(zs) + 5 * np.std(zs) < LIMIT


def test_a_label_that_is_known_exceeds_the_limit_with_twenty_windows() -> None:
    y_DN = [halves(20, np.random.default_rng(k)) for k in range(PERMUTATIONS)]
    assert rank(y_DN, [0.2 + 0.6 * y_N for y_N in y_DN]).z > LIMIT


def test_one_class_alone_ranks_nothing() -> None:
    assert rank([np.ones(30)], [np.linspace(0.1, 0.9, 30)]).z == 0.0


def test_a_deal_changes_training_and_validation_alone_and_repeats(subject: Subject) -> None:
    real = subject.windows(subject.first_horizon)
    before, permuted = subject.labels(1), permute(subject, real, training=0, validation=0)
    held = {region: real.region(region).ends_N for region in Region}
    moved = np.flatnonzero(~((before == permuted) | (np.isnan(before) & np.isnan(permuted))))
    assert set(moved) <= set(held[Region.TRAIN]) | set(held[Region.VALIDATION])
    for region in (Region.TRAIN, Region.VALIDATION):
        assert permuted[held[region]].sum() == len(held[region]) // 2
    np.testing.assert_array_equal(permuted, permute(subject, real, training=0, validation=0))
    other = permute(subject, real, training=0, validation=1)
    np.testing.assert_array_equal(other[held[Region.TRAIN]], permuted[held[Region.TRAIN]])
    assert (other[held[Region.VALIDATION]] != permuted[held[Region.VALIDATION]]).any()


def test_labels_of_a_pipeline_that_keeps_them_are_not_overwritten_by_a_deal(subject: Subject) -> None:
    kept = subject.labels(1)
    keeping = with_step(subject, labels=lambda _table, _horizon: kept)
    before = kept.copy()
    permute(keeping, subject.windows(1), training=0, validation=0)
    np.testing.assert_array_equal(kept, before)


def test_a_window_among_whose_inputs_its_label_is_shows_it_on_its_last_day(subject: Subject) -> None:
    y_T = subject.labels(1)
    shown = label_among_inputs(subject.windows(1), subject.label_audit.encoded(y_T)).validation
    last_N = shown.batch(np.arange(len(shown)))[:, -1, 0]
    np.testing.assert_array_equal(last_N > 0, shown.y_N == 1.0)
