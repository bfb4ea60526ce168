"""Labels of a panel: when a position is entered, and what happens to those that cannot be held."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.panel.made_up import changed, made_up

from tsladder.errors import BadInput
from tsladder.panel.normalise import ranks, zscores
from tsladder.panel.panel import Panel
from tsladder.panel.targets import forward_returns, transform_labels
from tsladder.params import RankTargetParams


def with_closes(*columns: list[float]) -> Panel:
    return changed(made_up(days=len(columns[0]), stocks=len(columns), gaps=False), close_TS=np.array(columns).T)


@pytest.mark.parametrize(("lag", "horizon"), [(1, 1), (1, 5), (2, 3)])
def test_a_label_is_the_return_from_the_entry_to_as_many_sessions_later(lag: int, horizon: int) -> None:
    panel = made_up(days=40, gaps=False)
    labels = forward_returns(panel, RankTargetParams(entry_lag=lag), (horizon,))
    span = lag + horizon
    assert labels.spans_M == (span,)
    for row in range(40 - span):
        expected_S = np.log(panel.close_TS[row + span] / panel.close_TS[row + lag])
        np.testing.assert_allclose(labels.y_TSM[row, :, 0], expected_S, atol=1e-14)
    assert np.isnan(labels.y_TSM[40 - span :]).all()
    assert not labels.no_entry_TSM.any()
    assert not labels.left_early_TSM.any()


@settings(max_examples=25)
@given(row=st.integers(0, 30), lag=st.integers(1, 3), horizon=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_a_label_is_0_where_prices_stand_still_after_the_entry_whatever_was_earned_before_it(
    row: int, lag: int, horizon: int, seed: int
) -> None:
    panel = made_up(days=45, gaps=False, seed=seed)
    close_TS = panel.close_TS.copy()
    close_TS[row + lag + 1 :] = close_TS[row + lag]
    labels = forward_returns(changed(panel, close_TS=close_TS), RankTargetParams(entry_lag=lag), (horizon,))
    np.testing.assert_array_equal(labels.y_TSM[row, :, 0], 0.0)


@settings(max_examples=25)
@given(row=st.integers(0, 30), lag=st.integers(1, 3), horizon=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_a_label_is_made_of_the_sessions_from_its_entry_to_its_end_alone(
    row: int, lag: int, horizon: int, seed: int
) -> None:
    panel = made_up(days=45, seed=seed)
    target = RankTargetParams(entry_lag=lag)
    rng = np.random.default_rng(seed)
    close_TS = np.where(panel.traded_TS, rng.lognormal(3.0, 1.0, panel.close_TS.shape), np.nan)
    shown = slice(row + lag, row + lag + horizon + 1)
    close_TS[shown] = panel.close_TS[shown]
    before, after = (forward_returns(each, target, (horizon,)) for each in (panel, changed(panel, close_TS=close_TS)))
    np.testing.assert_array_equal(before.y_TSM[row], after.y_TSM[row])


def test_who_cannot_be_bought_has_no_label_and_who_leaves_early_has_his_last_price() -> None:
    nan = np.nan
    panel = with_closes(
        [10.0, 10.0, 11.0, 12.0, 13.0, 14.0],
        [10.0, nan, 11.0, 12.0, 13.0, 14.0],
        [10.0, 10.0, 11.0, nan, nan, nan],
        [10.0, 10.0, 11.0, nan, 13.0, 14.0],
    )
    target = RankTargetParams(entry_lag=1, delisting_return=-0.3)
    for delisting, factor in ((None, 1.0), (-0.3, 0.7)):
        labels = forward_returns(panel, dataclasses.replace(target, delisting_return=delisting), (2,))
        y_TS = labels.y_TSM[..., 0]
        expected = [np.log(1.2), nan, np.log(1.1 * factor), np.log(1.1)]
        np.testing.assert_allclose(y_TS[0], expected, atol=1e-14)
        # Bought at the last price there is: what the delisting costs is all that is earned.
        np.testing.assert_allclose(y_TS[1, 2], np.log(factor), atol=1e-14)
        assert np.isnan(y_TS[3:]).all()
    assert np.argwhere(labels.no_entry_TSM[..., 0]).tolist() == [[0, 1], [2, 2], [2, 3]]
    assert np.argwhere(labels.left_early_TSM[..., 0]).tolist() == [[0, 2], [0, 3], [1, 2]]


def test_a_loss_is_told_ranks_or_scores_of_the_labelled_members() -> None:
    panel = made_up(seed=1)
    y_TS = forward_returns(panel, RankTargetParams(), (1,)).y_TSM[..., 0]
    member_TS = np.random.default_rng(0).random(y_TS.shape) < 0.8
    among_TS = member_TS & np.isfinite(y_TS)
    for transform, way in (("rank", ranks), ("zscore", zscores)):
        told_TS = transform_labels(y_TS, member_TS, transform)  # type: ignore[arg-type]
        np.testing.assert_array_equal(np.isfinite(told_TS), among_TS)
        np.testing.assert_array_equal(told_TS[among_TS], way(np.where(among_TS, y_TS, np.nan), among_TS)[among_TS])


@pytest.mark.parametrize(
    ("target", "horizons", "words"),
    [
        (RankTargetParams(entry_lag=0), (1,), "target.entry_lag must be at least 1 session"),
        (RankTargetParams(entry_lag=-1, same_close=True), (1,), "target.entry_lag"),
        (RankTargetParams(), (0,), "each at least 1"),
        (RankTargetParams(), (), "each at least 1"),
        (RankTargetParams(), (59,), "needs more than 60 sessions"),
        (RankTargetParams(delisting_return=-1.0), (1,), "must be above -1"),
    ],
)
def test_rules_that_cannot_be_are_refused(target: RankTargetParams, horizons: tuple[int, ...], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        forward_returns(made_up(days=60), target, horizons)


def test_the_same_close_can_be_meant() -> None:
    panel = made_up(days=10, gaps=False)
    labels = forward_returns(panel, RankTargetParams(entry_lag=0, same_close=True), (1,))
    np.testing.assert_allclose(labels.y_TSM[:-1, :, 0], np.diff(np.log(panel.close_TS), axis=0))
