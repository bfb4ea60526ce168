"""The bar that complete trials set, and who cannot reach it any more."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tsladder.params import PruningParams
from tsladder.training.pruning import Bar, build_bar

RULE = PruningParams(min_cohort=3, min_steps=20, goal=0.4, reach=0.5)
STEPS = (10, 20, 30, 40)


def curve(*losses: float) -> list[tuple[int, float]]:
    return list(zip(STEPS, losses, strict=False))


# They end at 0.4, 0.5 and 0.7; from step 20 on they improve by 0.1, 0.1 and 0.2, from 30 on by 0, 0.1 and 0.
COHORT = [curve(0.9, 0.5, 0.4, 0.4), curve(0.9, 0.6, 0.6, 0.5), curve(0.9, 0.9, 0.7)]


def bar_of(*curves: list[tuple[int, float]], **changes: float) -> Bar:
    values: dict[str, float] = {"min_cohort": 3, "min_steps": 20, "goal": 0.4, "reach": 0.5}
    bar = build_bar(PruningParams(**(values | changes)), curves)  # type: ignore[arg-type]
    assert bar is not None
    return bar


def test_the_bar_is_the_goal_plus_what_others_still_improved_by() -> None:
    bar = bar_of(*COHORT)
    assert bar.steps == (20, 30, 40)
    # The goal is the second of three ends, 0.5: 0.4 of three trials are two of them.
    assert [round(loss, 9) for loss in bar.losses] == [0.6, 0.5, 0.5]
    assert [round(loss, 9) for loss in bar_of(*COHORT, goal=0.1, reach=1.0).losses] == [0.6, 0.5, 0.4]


def test_there_is_none_while_too_few_trials_are_complete() -> None:
    assert build_bar(RULE, COHORT[:2]) is None
    assert build_bar(RULE, [*COHORT[:2], []]) is None


def test_a_trial_above_the_bar_is_hopeless_and_none_is_before_the_first_steps() -> None:
    bar = bar_of(*COHORT)
    assert not bar.is_hopeless([])
    assert not bar.is_hopeless(curve(9.0))
    assert bar.is_hopeless(curve(9.0, 0.61))
    assert not bar.is_hopeless(curve(9.0, 0.59))


def test_a_trial_that_was_good_once_is_judged_by_its_best() -> None:
    assert not bar_of(*COHORT).is_hopeless(curve(0.3, 0.9, 0.9, 0.9))


def test_losses_that_fall_late_are_waited_for_and_losses_that_settle_early_are_not() -> None:
    late = bar_of(curve(0.9, 0.9, 0.9, 0.4), curve(0.9, 0.9, 0.8, 0.5), curve(0.9, 0.8, 0.8, 0.6))
    early = bar_of(curve(0.9, 0.4, 0.4, 0.4), curve(0.9, 0.5, 0.5, 0.5), curve(0.9, 0.6, 0.6, 0.6))
    middling = curve(0.9, 0.75)
    assert not late.is_hopeless(middling)
    assert early.is_hopeless(middling)


@given(st.lists(st.lists(st.floats(0.1, 2.0), min_size=1, max_size=4), min_size=3, max_size=9))
def test_a_trial_already_at_the_best_end_is_never_hopeless(losses: list[list[float]]) -> None:
    curves = [curve(*values) for values in losses]
    bar = build_bar(RULE, curves)
    best = min(min(values) for values in losses)
    if bar is not None:
        assert all(not bar.is_hopeless([(step, best)]) for step in STEPS)


@given(st.lists(st.lists(st.floats(0.1, 2.0), min_size=4, max_size=4), min_size=3, max_size=9))
def test_a_wider_reach_waits_longer_and_a_lower_goal_asks_for_more(losses: list[list[float]]) -> None:
    curves = [curve(*values) for values in losses]
    narrow, wide = (bar_of(*curves, reach=share) for share in (0.3, 0.9))
    assert all(a <= b for a, b in zip(narrow.losses, wide.losses, strict=True))
    strict, lenient = (bar_of(*curves, goal=share) for share in (0.1, 0.9))
    assert all(a <= b for a, b in zip(strict.losses, lenient.losses, strict=True))
    assert all(math.isfinite(loss) for loss in strict.losses)
