from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.evaluation.baselines import baselines, ewma_volatility
from tsladder.evaluation.metrics import score_classifier


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
    found = {f.name: f.p_N for f in baselines(train, scored, close, noise[50:1000], noise[1050:1490])}
    assert list(found) == ["base_rate", "own_rate", "volatility_logistic", "last_day_ratio_logistic"]
    assert np.unique(found["base_rate"]) == pytest.approx(train.y_N.mean())
    assert np.unique(found["own_rate"]) == pytest.approx(scored.y_N.mean())
    loss = {name: score_classifier(scored.y_N, p_N).log_loss for name, p_N in found.items()}
    assert loss["volatility_logistic"] < loss["own_rate"] < loss["base_rate"] + 1e-12


def test_labels_of_the_scored_region_change_no_forecast_but_the_one_that_may_cheat():
    close, y, rng = market()
    train, scored = split(y)
    x = rng.normal(size=(y.size, 3))
    flipped = FewWindows(scored.ends_N, 1 - scored.y_N)
    before = baselines(train, scored, close, x[50:1000], x[1050:1490])
    after = baselines(train, flipped, close, x[50:1000], x[1050:1490])
    for a, b in zip(before, after, strict=True):
        assert np.array_equal(a.p_N, b.p_N) == (a.name != "own_rate")


def test_the_ratio_logistic_finds_a_linear_signal_whatever_its_unit_and_ignores_constant_columns():
    close, _, rng = market()
    x = rng.normal(size=(1500, 3))
    y = (x[:, 0] + 0.3 * rng.normal(size=1500) > 0).astype(np.float32)
    x[:, 2] = 4.0
    train, scored = split(y)
    plain = baselines(train, scored, close, x[50:1000], x[1050:1490])[-1]
    scaled = baselines(train, scored, close, 1e6 * x[50:1000] + 5, 1e6 * x[1050:1490] + 5)[-1]
    assert score_classifier(scored.y_N, plain.p_N).auc > 0.95
    np.testing.assert_allclose(plain.p_N, scaled.p_N, atol=1e-6)


def test_training_labels_of_one_class_give_that_rate():
    close, y, rng = market()
    train, scored = split(y)
    x = rng.normal(size=(y.size, 2))
    only = FewWindows(train.ends_N, np.zeros_like(train.y_N))
    for forecast in baselines(only, scored, close, x[50:1000], x[1050:1490]):
        if forecast.name != "own_rate":
            assert (forecast.p_N == 0.0).all()
