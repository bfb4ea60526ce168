from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tsladder.patience import Patience, step

LOSSES = st.lists(st.floats(0.0, 10.0), min_size=1, max_size=60)


def run(losses: list[float], limit: int | None, min_delta: float) -> list[Patience]:
    states = [Patience(limit=limit, min_delta=min_delta)]
    for number, loss in enumerate(losses, start=1):
        states.append(step(states[-1], loss, number))
    return states


@given(losses=LOSSES, min_delta=st.floats(0.0, 1.0))
def test_the_best_is_the_earliest_minimum_whatever_min_delta(losses: list[float], min_delta: float) -> None:
    last = run(losses, 3, min_delta)[-1]
    assert last.best == min(losses)
    assert last.best_step == losses.index(min(losses)) + 1


@given(losses=LOSSES)
def test_without_a_limit_patience_is_never_exhausted(losses: list[float]) -> None:
    assert not any(state.exhausted for state in run(losses, None, 0.0))


def test_gains_below_min_delta_do_not_renew_patience_but_move_the_best() -> None:
    states = run([1.0, 0.9995, 0.999, 0.9985], 3, 0.001)
    assert [state.exhausted for state in states] == [False, False, False, False, False]
    assert states[-1].best == 0.9985
    # 1.0 -> 0.9985 is a gain above min_delta against the reference, so it counts once.
    assert states[-1].since_improvement == 0
    flat = run([1.0, 0.9999, 0.9998, 0.9997], 3, 0.001)
    assert flat[-1].exhausted
    assert flat[-1].best_step == 4


def test_a_single_improvement_renews_patience() -> None:
    states = run([1.0, 1.1, 1.1, 0.5, 0.6, 0.6, 0.6], 3, 0.0)
    assert [state.exhausted for state in states].index(True) == 7
