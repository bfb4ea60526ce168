"""From a probability to a yes or no."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from tsladder.evaluation.decision import choose_on_validation, choose_threshold, decide

forecasts = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 20)), min_size=2, max_size=60)


@settings(max_examples=50, deadline=None)
@given(forecasts)
def test_no_threshold_has_a_better_balanced_accuracy(pairs: list[tuple[float, int]]) -> None:
    y, p = np.array(pairs).T
    p = p / 20
    found = choose_threshold(y, {0: p})
    if y.min() == y.max():
        assert found is None
        return
    assert found is not None
    reached = oracle.balanced_accuracy_score(y, p >= found)
    best = max(oracle.balanced_accuracy_score(y, p >= t) for t in np.r_[0.0, np.unique(p), 1.5])
    assert reached == pytest.approx(best)


@settings(max_examples=40, deadline=None)
@given(forecasts, st.sampled_from([0.0, 0.125, 0.5, 0.8, 1.1]))
def test_every_score_equals_scikit_learn(pairs: list[tuple[float, int]], threshold: float) -> None:
    y, p = np.array(pairs).T
    yes = p / 20 >= threshold
    found = decide(y, {0: p / 20}, threshold)
    assert found.accuracy == pytest.approx(oracle.accuracy_score(y, yes))
    assert (found.precision is None) == (yes.sum() == 0)
    assert (found.recall is None) == (y.sum() == 0)
    assert (found.f1 is None) == (y.sum() == yes.sum() == 0)
    assert (found.precision or 0.0) == pytest.approx(oracle.precision_score(y, yes, zero_division=0))
    assert (found.recall or 0.0) == pytest.approx(oracle.recall_score(y, yes, zero_division=0))
    assert (found.f1 or 0.0) == pytest.approx(oracle.f1_score(y, yes, zero_division=0))
    if found.balanced_accuracy is not None:
        assert found.balanced_accuracy == pytest.approx(oracle.balanced_accuracy_score(y, yes))


def test_of_equally_good_thresholds_the_one_nearest_to_the_base_rate_is_taken() -> None:
    # Thresholds in (.1, .3] and (.7, .9] both reach .75; the base rate is .5, the middles are .2 and .8.
    y = np.array([0.0, 1.0, 0.0, 1.0])
    p = np.array([0.1, 0.3, 0.7, 0.9])
    assert choose_threshold(y, {0: p}) == pytest.approx(0.2)
    # One more negative day below moves the rate down to .4 and both gaps stay as good as each other no more.
    assert choose_threshold(np.r_[y, 1.0, 1.0], {0: np.r_[p, 0.95, 0.99]}) == pytest.approx(0.8)


def test_seeds_are_pooled() -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(200) < 0.3).astype(float)
    seeds = {k: np.clip(0.3 * y + 0.5 * rng.random(200), 0, 1) for k in range(3)}
    together = choose_threshold(y, seeds)
    assert together == choose_threshold(np.tile(y, 3), {0: np.concatenate(list(seeds.values()))})
    assert together is not None
    each = [decide(y, {0: p}, together).balanced_accuracy or 0.0 for p in seeds.values()]
    assert decide(y, seeds, together).balanced_accuracy == pytest.approx(np.mean(each))


@pytest.mark.parametrize("edge", [0.0, 1.0])
def test_certain_forecasts_leave_a_threshold_that_can_be_met(edge: float) -> None:
    y = np.array([0.0, 0.0, 1.0, 1.0])
    found = choose_threshold(y, {0: np.array([0.0, edge, 1.0, 1.0])})
    assert found is not None
    assert 0.0 <= found <= 1.0 + 1e-12


def test_the_choices_of_one_class_alone_hold_no_threshold() -> None:
    assert choose_on_validation(np.zeros(5), {0: np.linspace(0.1, 0.3, 5)}).threshold is None
