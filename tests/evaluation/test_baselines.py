from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.evaluation.baselines import baselines, ewma_volatility
from tsladder.evaluation.metrics import score_classifier
from tsladder.evaluation.persistence import persistence


@dataclass
class FewWindows:
    ends_N: np.ndarray
    y_N: np.ndarray


def market(seed: int = 0, days: int = 1500):
    """A random walk whose volatility clusters, and labels that are a forecast of volatility."""
    rng = np.random.default_rng(seed)
    log_vol = np.zeros(days)
    for t in range(1, days):
        log_vol[t] = 0.98 * log_vol[t - 1] + 0.15 * rng.normal()
    returns = 0.01 * np.exp(log_vol) * rng.normal(size=days)
    close = 100 * np.exp(np.cumsum(returns))
    y = np.r_[returns[1:] > 0.01, False].astype(np.float32)
    return close, y, rng


def split(y):
    return (
        FewWindows(np.arange(50, 1000), y[50:1000]),
        FewWindows(np.arange(1050, 1490), y[1050:1490]),
    )


def forecasts(train, scored, close, x, y, horizon=1):
    """All baselines, with the rows `x` as each day's features and `y` as each day's label."""
    return baselines(
        train,
        scored,
        close,
        x[train.ends_N],
        x[scored.ends_N],
        y_T=np.where(np.arange(y.size) < y.size - horizon, y, np.nan),
        horizon=horizon,
    )


def named(found, name):
    return next(forecast for forecast in found if forecast.name == name)


def test_the_volatility_of_a_second_symbol_knows_nothing_of_the_first():
    """A hundredfold of the first symbol's prices is a huge step at the border, and no return of anybody."""
    close, y, rng = market(days=1500)
    x = rng.normal(size=(close.size, 2))
    rows = np.r_[50:900, 920:1000]
    train, scored = FewWindows(rows, y[rows]), split(y)[1]
    dear = close * np.where(np.arange(close.size) < 900, 100.0, 1.0)
    found = [
        named(
            baselines(
                train, scored, prices, x[train.ends_N], x[scored.ends_N], y_T=y, horizon=1, first_rows=first_rows
            ),
            "volatility_logistic",
        ).p_N
        for prices, first_rows in ((close, (0, 900)), (dear, (0, 900)), (dear, (0,)))
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
    assert np.abs(found[0] - found[2]).max() > 1e-3


def test_volatility_equals_the_weighted_mean_of_squared_returns():
    close, _, _ = market(days=200)
    squared = pd.Series(np.log(close)).diff() ** 2
    expected = np.sqrt(squared.ewm(alpha=1 - 0.94, adjust=True).mean()).to_numpy()
    np.testing.assert_allclose(ewma_volatility(close), expected, rtol=1e-10)


@settings(max_examples=40, deadline=None)
@given(day=st.integers(2, 118), factor=st.floats(0.2, 5.0))
def test_volatility_of_a_day_never_knows_a_later_price(day, factor):
    close, _, _ = market(days=120)
    changed = close.copy()
    changed[day + 1 :] *= factor
    np.testing.assert_array_equal(ewma_volatility(close)[: day + 1], ewma_volatility(changed)[: day + 1])


def test_volatility_forecast_has_skill_on_a_volatility_target():
    close, y, rng = market()
    train, scored = split(y)
    noise = rng.normal(size=(y.size, 3))
    found = {f.name: f.p_N for f in forecasts(train, scored, close, noise, y)}
    assert list(found) == [
        "base_rate",
        "volatility_logistic",
        "last_day_ratio_logistic",
        "gradient_boosted_trees",
        "own_rate",
        "persistence",
    ]
    assert np.unique(found["base_rate"]) == pytest.approx(train.y_N.mean())
    assert np.unique(found["own_rate"]) == pytest.approx(scored.y_N.mean())
    loss = {name: score_classifier(scored.y_N, p_N).log_loss for name, p_N in found.items()}
    assert loss["volatility_logistic"] < loss["own_rate"] < loss["base_rate"] + 1e-12


def test_labels_of_the_scored_region_change_no_forecast_but_the_one_that_may_cheat():
    close, y, rng = market()
    train, scored = split(y)
    x = rng.normal(size=(y.size, 3))
    flipped = FewWindows(scored.ends_N, 1 - scored.y_N)
    before = forecasts(train, scored, close, x, y)
    after = forecasts(train, flipped, close, x, y)
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a.p_N, b.p_N) == (a.name != "own_rate")


def test_the_ratio_logistic_finds_a_linear_signal_whatever_its_unit_and_ignores_constant_columns():
    close, _, rng = market()
    x = rng.normal(size=(1500, 3))
    y = (x[:, 0] + 0.3 * rng.normal(size=1500) > 0).astype(np.float32)
    x[:, 2] = 4.0
    train, scored = split(y)
    plain = named(forecasts(train, scored, close, x, y), "last_day_ratio_logistic")
    scaled = named(forecasts(train, scored, close, 1e6 * x + 5, y), "last_day_ratio_logistic")
    assert score_classifier(scored.y_N, plain.p_N).auc > 0.95
    np.testing.assert_allclose(plain.p_N, scaled.p_N, atol=1e-6)


def test_training_labels_of_one_class_give_that_rate():
    close, y, rng = market()
    train, scored = split(y)
    x = rng.normal(size=(y.size, 2))
    only = FewWindows(train.ends_N, np.zeros_like(train.y_N))
    for forecast in forecasts(only, scored, close, x, y):
        if forecast.name != "own_rate":
            assert (forecast.p_N == 0.0).all()


def test_boosted_trees_find_what_no_line_separates_and_repeat_themselves():
    close, _, rng = market()
    x = rng.normal(size=(1500, 3))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.float32)
    train, scored = split(y)
    found = forecasts(train, scored, close, x, y)
    trees, line = named(found, "gradient_boosted_trees"), named(found, "last_day_ratio_logistic")
    assert score_classifier(scored.y_N, trees.p_N).auc > 0.9
    assert score_classifier(scored.y_N, line.p_N).auc < 0.6
    np.testing.assert_array_equal(trees.p_N, named(forecasts(train, scored, close, x, y), "gradient_boosted_trees").p_N)


def test_persistence_finds_a_label_that_clings_to_itself():
    rng = np.random.default_rng(1)
    y = np.zeros(1500, dtype=np.float32)
    for day in range(1, 1500):
        y[day] = y[day - 1] if rng.random() < 0.9 else rng.random() < 0.3
    train, scored = split(y)
    p_N = persistence(train.ends_N, train.y_N, scored.ends_N, y.astype(float), 1)
    assert score_classifier(scored.y_N, p_N).auc > 0.85
    assert (
        score_classifier(scored.y_N, p_N).log_loss
        < 0.6 * score_classifier(scored.y_N, np.full(scored.y_N.size, train.y_N.mean())).log_loss
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=30, max_size=60), st.integers(1, 6), st.integers(0, 8))
def test_persistence_equals_a_count_by_hand(labels, horizon, first):
    y_T = np.r_[labels, np.full(horizon, np.nan)]
    train_ends = np.r_[first : first + 8, first + 10 : 20]
    ends = np.r_[0:3, 20 : y_T.size - horizon]
    rate = np.mean([y_T[t] for t in train_ends])
    expected = []
    for t in ends:
        if t - horizon < 0:
            expected.append(rate)
            continue
        like = [y_T[s] for s in train_ends if s - horizon in train_ends and y_T[s - horizon] == y_T[t - horizon]]
        expected.append((sum(like) + rate) / (len(like) + 1))
    np.testing.assert_allclose(persistence(train_ends, y_T[train_ends], ends, y_T, horizon), expected)


@settings(max_examples=40, deadline=None)
@given(day=st.integers(1050, 1480), horizon=st.integers(1, 5))
def test_persistence_of_a_day_reads_no_label_whose_horizon_has_not_passed(day, horizon):
    _, y, _ = market()
    train, scored = split(y)
    blanked = y.astype(float)
    blanked[day - horizon + 1 :] = np.nan
    scored_until = scored.ends_N[scored.ends_N <= day]
    before, after = (
        persistence(train.ends_N, train.y_N, scored_until, known, horizon) for known in (y.astype(float), blanked)
    )
    np.testing.assert_array_equal(before, after)
    flipped = y.astype(float)
    flipped[day - horizon] = 1.0 - flipped[day - horizon]
    assert persistence(train.ends_N, train.y_N, scored_until, flipped, horizon)[-1] != before[-1]
