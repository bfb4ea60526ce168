"""Weights of days by the volatility of the market: against numpy by hand, and without a look ahead."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tsladder.panel.day_weights import TERCILE_WEIGHTS, VOLATILITY_SESSIONS, day_weights, trailing_volatility

Floats = NDArray[np.float64]
DAYS, STOCKS = 400, 9


def returns_and_members(seed: int = 0) -> tuple[Floats, NDArray[np.bool_]]:
    """Returns whose spread changes over time; some are missing, some stocks are no members."""
    rng = np.random.default_rng(seed)
    spread_T1 = 0.01 * np.exp(np.sin(np.arange(DAYS) / 40.0))[:, None]
    return_TS = spread_T1 * (rng.normal(size=(DAYS, 1)) + rng.normal(size=(DAYS, STOCKS)))
    return_TS[rng.random(return_TS.shape) < 0.05] = np.nan
    return return_TS, rng.random(return_TS.shape) > 0.2


def test_the_volatility_is_that_of_the_members_mean_return_over_the_last_sessions() -> None:
    return_TS, member_TS = returns_and_members()
    found_T = trailing_volatility(return_TS, member_TS)
    market_T = np.array([np.nanmean(row[among]) for row, among in zip(return_TS, member_TS, strict=True)])
    assert np.isnan(found_T[: VOLATILITY_SESSIONS - 1]).all()
    for day in range(VOLATILITY_SESSIONS - 1, DAYS):
        expected = np.std(market_T[day - VOLATILITY_SESSIONS + 1 : day + 1], ddof=1)
        assert found_T[day] == pytest.approx(expected, rel=1e-12)


def test_later_returns_later_members_and_stocks_that_are_no_members_change_nothing() -> None:
    return_TS, member_TS = returns_and_members()
    found_T, day = trailing_volatility(return_TS, member_TS), 250
    other_TS, others_TS = return_TS.copy(), member_TS.copy()
    other_TS[~member_TS] = 7.0
    other_TS[day + 1 :] *= -3.0
    others_TS[day + 1 :] = ~others_TS[day + 1 :]
    again_T = trailing_volatility(other_TS, others_TS)
    np.testing.assert_array_equal(again_T[: day + 1], found_T[: day + 1])
    assert (again_T[day + 1 :] != found_T[day + 1 :]).all()


def test_a_session_without_a_member_leaves_the_volatility_unknown_while_it_is_in_the_window() -> None:
    return_TS, member_TS = returns_and_members()
    member_TS[100] = False
    unknown_T = np.isnan(trailing_volatility(return_TS, member_TS))
    assert np.flatnonzero(unknown_T[VOLATILITY_SESSIONS:]).tolist() == list(range(79, 100))


def test_a_third_of_the_training_days_each_has_the_weight_of_its_tercile() -> None:
    volatility_T = np.random.default_rng(2).permutation(600) + 1.0
    train_T = np.arange(600) < 300
    weight_T = day_weights(volatility_T, train_T)
    assert weight_T[train_T].mean() == pytest.approx(1.0, abs=1e-15)
    order_N = np.argsort(volatility_T[train_T])
    for place, weight in enumerate(TERCILE_WEIGHTS):
        np.testing.assert_allclose(weight_T[train_T][order_N[100 * place : 100 * place + 100]], weight, rtol=1e-12)


def test_thresholds_are_those_of_the_training_days_alone() -> None:
    volatility_T = np.random.default_rng(2).random(600)
    train_T = np.arange(600) < 300
    weight_T = day_weights(volatility_T, train_T)
    other_T = volatility_T.copy()
    other_T[450:] *= 100.0
    np.testing.assert_array_equal(day_weights(other_T, train_T)[:450], weight_T[:450])
    assert (day_weights(other_T, train_T)[450:] == weight_T.max()).mean() > 0.9


def test_a_session_without_a_volatility_weighs_as_a_usual_one() -> None:
    volatility_T = np.random.default_rng(2).random(300)
    volatility_T[:30] = np.nan
    weight_T = day_weights(volatility_T, np.ones(300, bool))
    usual = np.unique(weight_T)[1]
    assert (weight_T[:30] == usual).all()
    assert weight_T.mean() == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(ValueError, match="no volatility is known on any of the 30 training days"):
        day_weights(volatility_T, np.arange(300) < 30)


def test_days_of_equal_volatility_all_weigh_one() -> None:
    np.testing.assert_array_equal(day_weights(np.full(50, 0.01), np.ones(50, bool)), 1.0)
