"""The bar that complete trials set, and who stays above it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tsladder.params import PruningParams
from tsladder.training.pruning import Bar, build_bar

RULE = PruningParams(min_cohort=3, min_steps=20, quantile=0.5, patience=2)
STEPS = (10, 20, 30, 40)


def curve(*losses: float) -> list[tuple[int, float]]:
    return list(zip(STEPS, losses, strict=False))


COHORT = [curve(0.9, 0.5, 0.4, 0.4), curve(0.9, 0.6, 0.6, 0.5), curve(0.9, 0.8, 0.7)]


def test_the_bar_is_the_median_of_the_best_losses_so_far_from_the_first_steps_on() -> None:
    bar = build_bar(RULE, COHORT)
    assert bar == Bar(steps=(20, 30, 40), losses=(0.6, 0.6, 0.5), patience=2)


def test_there_is_none_while_too_few_trials_are_complete() -> None:
    assert build_bar(RULE, COHORT[:2]) is None
    assert build_bar(RULE, [*COHORT[:2], []]) is None


def test_a_trial_is_hopeless_after_as_many_epochs_above_the_bar_as_patience_says() -> None:
    bar = build_bar(RULE, COHORT)
    assert bar is not None
    assert not bar.is_hopeless(curve(9.0, 0.9))
    assert bar.is_hopeless(curve(9.0, 0.9, 0.8))
    assert not bar.is_hopeless(curve(9.0, 0.9, 0.55))


def test_a_trial_that_was_good_once_is_judged_by_its_best() -> None:
    bar = build_bar(RULE, COHORT)
    assert bar is not None
    assert not bar.is_hopeless(curve(0.3, 0.9, 0.9, 0.9))


@given(st.lists(st.lists(st.floats(0.1, 2.0), min_size=1, max_size=4), min_size=3, max_size=9))
def test_the_best_of_the_cohort_is_never_hopeless(losses: list[list[float]]) -> None:
    curves = [curve(*values) for values in losses]
    bar = build_bar(RULE, curves)
    if bar is not None:
        best = min(curves, key=lambda c: [min(loss for _, loss in c[: i + 1]) for i in range(len(c))][-1])
        always_best = [(step, min(loss for c in curves for scored, loss in c if scored <= step)) for step, _ in best]
        assert not bar.is_hopeless(always_best)
