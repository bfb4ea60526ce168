"""Labels against a plain loop over the definition."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.targets import horizon_of, labels
from tsladder.errors import BadInput
from tsladder.params import DataParams, TargetParams

PERCENTS = {"threshold_0.5pct": 0.5, "threshold_1pct": 1, "threshold_2pct": 2, "threshold_3pct": 3, "threshold_5pct": 5}
TASKS = (*PERCENTS, "direction")


@pytest.fixture(scope="module")
def table(make_bars: Any, a25: DataParams) -> FeatureTable:
    return build_features(make_bars(420, 9), a25)


@given(task=st.sampled_from(TASKS), price=st.sampled_from(["high", "close"]), horizon=st.integers(1, 219))
@settings(max_examples=60, deadline=None)
def test_labels_follow_the_definition_day_by_day(table: FeatureTable, task: Any, price: Any, horizon: int) -> None:
    y_T = labels(table, TargetParams(task=task, price=price), horizon)
    days = len(table.close_T)
    for today in range(days):
        ahead = range(today + 1, today + horizon + 1)
        if ahead[-1] >= days:
            assert np.isnan(y_T[today])
        elif task == "direction":
            assert y_T[today] == float(table.close_T[ahead[-1]] > table.close_T[today])
        else:
            reached = max((table.high_T if price == "high" else table.close_T)[day] for day in ahead)
            assert y_T[today] == float(reached >= table.close_T[today] * (1 + PERCENTS[task] / 100))
    assert horizon_of(y_T) == horizon


@given(today=st.integers(0, 215), horizon=st.integers(1, 5), seed=st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_label_depends_on_its_day_and_the_days_of_its_horizon_alone(
    table: FeatureTable, touch_1pct: TargetParams, today: int, horizon: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    elsewhere = np.ones(len(table.close_T), dtype=bool)
    elsewhere[today : today + horizon + 1] = False
    factor_T = np.where(elsewhere, rng.uniform(0.5, 2.0, len(elsewhere)), 1.0)
    moved = dataclasses.replace(table, high_T=table.high_T * factor_T, close_T=table.close_T * factor_T)
    before, after = labels(table, touch_1pct, horizon)[today], labels(moved, touch_1pct, horizon)[today]
    np.testing.assert_array_equal(before, after)


def test_a_touch_of_exactly_the_threshold_counts(table: FeatureTable, touch_1pct: TargetParams) -> None:
    high_T = table.close_T.copy()
    high_T[1:] = table.close_T[:-1] * (1 + 1 / 100)
    touched = dataclasses.replace(table, high_T=high_T)
    assert labels(touched, touch_1pct, 1)[:-1].all()


def test_labels_never_look_at_the_features(table: FeatureTable, touch_1pct: TargetParams) -> None:
    blank = dataclasses.replace(table, values_TF=np.zeros_like(table.values_TF))
    np.testing.assert_array_equal(labels(blank, touch_1pct, 3), labels(table, touch_1pct, 3))


def test_a_close_target_is_never_more_frequent_than_a_high_target(sp500_table: FeatureTable) -> None:
    rates = [
        np.nanmean(labels(sp500_table, TargetParams(task="threshold_1pct", price=price), 3))
        for price in ("close", "high")
    ]
    assert 0.1 < rates[0] < rates[1] < 0.9


@pytest.mark.parametrize("horizon", [221, 222, 5000])
def test_a_horizon_longer_than_the_data_is_refused(table: FeatureTable, touch_1pct: TargetParams, horizon: int) -> None:
    assert len(table.close_T) == 221
    with pytest.raises(BadInput, match=f"{horizon} days ahead"):
        labels(table, touch_1pct, horizon)


def test_a_horizon_of_no_days_is_refused(table: FeatureTable, touch_1pct: TargetParams) -> None:
    with pytest.raises(BadInput, match="at least 1 day"):
        labels(table, touch_1pct, 0)


def test_another_threshold_is_refused_with_those_that_there_are(table: FeatureTable) -> None:
    with pytest.raises(BadInput, match=r"must be one of .*threshold_5pct, got 'threshold_7pct'"):
        labels(table, TargetParams(task="threshold_7pct", price="high"), 1)
