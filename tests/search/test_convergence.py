"""When a search has converged, and when that says little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsladder.params import StopParams
from tsladder.search.convergence import converged

RULE = StopParams(min_trials=6, top=3, spread=0.02)
CLOSE = [0.70, 0.69, 0.685, 0.5, 0.5, 0.5]


def test_it_waits_for_the_minimum_of_trials() -> None:
    assert converged(CLOSE[:5], RULE, metric="val_auc", noise=None) is None
    finished = converged(CLOSE, RULE, metric="val_auc", noise=None)
    assert finished is not None
    assert finished.reason == ("converged: the best 3 of 6 complete trials differ by 0.0150 in val_auc, at most 0.02")
    assert finished.warning is None


def test_pruned_trials_count_as_tried_and_never_among_the_best() -> None:
    finished = converged(CLOSE[:4], RULE, metric="val_auc", noise=None, pruned=2)
    assert finished is not None
    assert "beside 2 pruned ones" in finished.reason
    assert converged(CLOSE[:2], RULE, metric="val_auc", noise=None, pruned=9) is None


def test_it_continues_while_the_best_differ() -> None:
    assert converged([0.75, *CLOSE], RULE, metric="val_auc", noise=None) is None


@pytest.mark.parametrize(("noise", "warned"), [(0.019, False), (0.021, True)])
def test_a_stop_below_the_noise_of_the_metric_is_warned_of(noise: float, warned: bool) -> None:
    finished = converged(CLOSE, RULE, metric="val_auc", noise=noise)
    assert finished is not None
    assert (finished.warning is not None) == warned
    if warned:
        assert "decided by luck" in (finished.warning or "")


@given(st.lists(st.floats(0, 1), min_size=6, max_size=30), st.randoms())
def test_the_order_of_the_trials_does_not_matter(scores: list[float], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert converged(scores, RULE, metric="m", noise=0.1) == converged(shuffled, RULE, metric="m", noise=0.1)
