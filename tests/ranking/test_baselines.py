"""Baselines of a ranking: what they read, what they may not read, and where a missing value stands."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize

from tsladder.ranking.baselines import (
    BOOSTED_TREES,
    BY_COLUMN,
    NO_ORDER,
    RIDGE,
    RIDGE_PENALTY,
    STATIC_ORDER,
    StockTable,
    fit_baselines,
    static_order,
)
from tsladder.ranking.metrics import daily_metrics
from tsladder.ranking.ranks import centred_ranks

DAYS, STOCKS = 400, 25
TRAIN = np.arange(DAYS) < 250


def table(seed: int = 0, slope: float = 0.5) -> StockTable:
    """Returns that rise with `ret_21` and fall with `vol_63`; two stocks in twenty-five are no members."""
    rng = np.random.default_rng(seed)
    names = ("ret_1", "ret_5", "ret_21", "momentum_252_21", "vol_63")
    columns = {name: rng.normal(size=(DAYS, STOCKS)) for name in names}
    member = np.ones((DAYS, STOCKS), bool)
    member[:, :2] = False
    returns = slope * (columns["ret_21"] - columns["vol_63"]) + rng.normal(size=(DAYS, STOCKS))
    past = 0.01 * rng.normal(size=(DAYS, STOCKS))
    return StockTable(columns=columns, return_DS=0.01 * returns, past_return_DS=past, member_DS=member)


def fitted(found: StockTable) -> dict[str, np.ndarray]:
    return fit_baselines(found, train_D=TRAIN, history_D=TRAIN)


def rank_ic(score_DS: np.ndarray, found: StockTable, days_D: np.ndarray) -> float:
    daily = daily_metrics(score_DS[days_D], found.return_DS[days_D], found.member_DS[days_D], horizon=1)
    return float(daily.rank_ic_N.mean())


def test_every_baseline_scores_every_member_of_every_day() -> None:
    found = table()
    scores = fitted(found)
    assert set(scores) == {NO_ORDER, STATIC_ORDER, RIDGE, BOOSTED_TREES, *BY_COLUMN}
    for score_DS in scores.values():
        assert np.isfinite(score_DS[found.member_DS]).all()


def test_signs_are_fixed_a_fall_is_bought_and_low_volatility_too() -> None:
    found = table()
    scores = fitted(found)
    member = found.member_DS
    for name, column, sign in (
        ("reversal_1", "ret_1", -1),
        ("reversal_5", "ret_5", -1),
        ("momentum_252_21", "momentum_252_21", 1),
        ("low_volatility_63", "vol_63", -1),
    ):
        daily = daily_metrics(scores[name], sign * found.columns[column], member, horizon=1)
        np.testing.assert_allclose(daily.rank_ic_N, 1.0)


def test_fitted_baselines_find_what_the_columns_tell() -> None:
    found = table()
    scores = fitted(found)
    # The best order has a correlation of sqrt(1/3) with the return; its Spearman value is about .56.
    assert rank_ic(scores[RIDGE], found, ~TRAIN) > 0.5
    assert rank_ic(scores[BOOSTED_TREES], found, ~TRAIN) > 0.4
    assert rank_ic(scores[NO_ORDER], found, ~TRAIN) == 0.0


def test_no_label_outside_the_training_days_is_read() -> None:
    found = table()
    other = dataclasses.replace(
        found,
        return_DS=np.where(TRAIN[:, None], found.return_DS, np.nan),
        past_return_DS=np.where(TRAIN[:, None], found.past_return_DS, 9.0),
    )
    another = fitted(other)
    for name, one in fitted(found).items():
        np.testing.assert_array_equal(one, another[name], err_msg=name)


def test_neither_labels_nor_columns_of_those_that_are_no_members_are_read() -> None:
    found = table()
    outside = ~found.member_DS
    other = StockTable(
        columns={name: np.where(outside, 1e6, value_DS) for name, value_DS in found.columns.items()},
        return_DS=np.where(outside, 1e6, found.return_DS),
        past_return_DS=found.past_return_DS,
        member_DS=found.member_DS,
    )
    another = fitted(other)
    for name, one in fitted(found).items():
        np.testing.assert_array_equal(one[found.member_DS], another[name][found.member_DS], err_msg=name)


def test_the_order_of_the_stocks_is_only_their_order() -> None:
    found = table()
    order = np.random.default_rng(3).permutation(STOCKS)
    other = StockTable(
        columns={name: value_DS[:, order] for name, value_DS in found.columns.items()},
        return_DS=found.return_DS[:, order],
        past_return_DS=found.past_return_DS[:, order],
        member_DS=found.member_DS[:, order],
    )
    another = fitted(other)
    for name, one in fitted(found).items():
        if name != BOOSTED_TREES:  # sums of floats in another order can move a threshold
            np.testing.assert_allclose(one[:, order], another[name], atol=1e-10, err_msg=name)


def test_the_ridge_minimises_its_penalised_squared_error_on_ranks() -> None:
    found = table(slope=0.1)
    one_column = dataclasses.replace(found, columns=dict.fromkeys(found.columns, found.columns["ret_21"]))
    score = fitted(one_column)[RIDGE]
    x = centred_ranks(found.columns["ret_21"], found.member_DS)[TRAIN][:, 2:].ravel()
    y = centred_ranks(found.return_DS, found.member_DS)[TRAIN][:, 2:].ravel()
    # Five equal columns share one slope b evenly, so their penalty is b^2 / 5.
    best = minimize(lambda b: np.sum((y - b * x) ** 2) + RIDGE_PENALTY * b**2 / 5, x0=0.0, tol=1e-12).x[0]
    np.testing.assert_allclose(score[TRAIN][:, 2:].ravel(), best * x, atol=1e-6)


def test_values_of_a_day_that_differ_by_rounding_alone_are_ties() -> None:
    values = np.array([[0.3, 0.1 + 0.2, 0.4, -0.1, 1e6]])
    among = np.array([[True, True, True, True, False]])
    np.testing.assert_allclose(
        centred_ranks(values, among), np.sqrt(12.0) * (np.array([[2.0, 2.0, 3.5, 0.5, np.nan]]) / 4 - 0.5)
    )


def test_a_member_without_the_column_stands_in_the_middle() -> None:
    found = table()
    holed = found.columns["ret_5"].copy()
    holed[300, 5] = np.nan
    scores = fitted(dataclasses.replace(found, columns=dict(found.columns) | {"ret_5": holed}))
    others = np.delete(scores["reversal_5"][300, 2:], 3)
    assert (others > scores["reversal_5"][300, 5]).sum() == (others < scores["reversal_5"][300, 5]).sum()


def test_the_static_order_is_that_of_mean_training_returns() -> None:
    returns = np.array([[0.01, 0.03, np.nan], [0.03, np.nan, np.nan], [9.0, 9.0, 9.0]])
    # The third stock has no known return: between the two.
    found = static_order(returns, np.array([[True], [True], [False]]))
    np.testing.assert_allclose(found, np.tile([0.02, 0.03, 0.025], (3, 1)))
    assert not static_order(returns, np.zeros((3, 3), bool)).any()


def test_training_days_without_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="training days"):
        fit_baselines(table(), train_D=np.zeros(DAYS, bool), history_D=TRAIN)
