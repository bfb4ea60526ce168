"""The labels of every task on one small price series, written out by hand.

Day        0        1        2        3        4        5
High    100.2    100.8    101.3    103.6    101.0     96.0
Close   100.0    100.4    101.2    103.0     98.0     95.0

A threshold of X % asks whether the best price of the days ahead reaches Close * (1 + X/100). One day ahead:

day  reached on High           asked for 0.5 / 1 / 2 / 3 / 5 %
  0  100.8 (+0.80 %)           100.500  101.000  102.000  103.000  105.000
  1  101.3 (+0.90 %)           100.902  101.404  102.408  103.412  105.420
  2  103.6 (+2.37 %)           101.706  102.212  103.224  104.236  106.260
  3  101.0 (-1.94 %)           103.515  104.030  105.060  106.090  108.150
  4   96.0 (-2.04 %)            98.490   98.980   99.960  100.940  102.900

and three days ahead the best High is 103.6, 103.6, 103.6 on days 0, 1, 2 (+3.60, +3.19, +2.37 %), the best Close
103.0, 103.0, 103.0 (+3.00, +2.59, +1.78 %).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.params import DataParams, TargetParams

HIGH = (100.2, 100.8, 101.3, 103.6, 101.0, 96.0)
CLOSE = (100.0, 100.4, 101.2, 103.0, 98.0, 95.0)
NAN = math.nan


@pytest.fixture(scope="module")
def six_days(make_bars: Any, a25: DataParams) -> FeatureTable:
    """Six days of a real table with the prices of this page."""
    table = build_features(make_bars(420, 9), a25)
    names = ("dates_T", "open_T", "high_T", "low_T", "close_T", "values_TF")
    short = dataclasses.replace(table, **{name: getattr(table, name)[:6] for name in names})
    return dataclasses.replace(short, high_T=np.array(HIGH), close_T=np.array(CLOSE))


@pytest.mark.parametrize(
    ("task", "price", "horizon", "expected"),
    [
        # +0.80 and +0.90 % reach 0.5 % on the High; day 2 reaches 2.37 %; days 3 and 4 fall.
        ("threshold_0.5pct", "high", 1, (1, 1, 1, 0, 0, NAN)),
        ("threshold_1pct", "high", 1, (0, 0, 1, 0, 0, NAN)),
        ("threshold_2pct", "high", 1, (0, 0, 1, 0, 0, NAN)),
        ("threshold_3pct", "high", 1, (0, 0, 0, 0, 0, NAN)),
        ("threshold_5pct", "high", 1, (0, 0, 0, 0, 0, NAN)),
        # On the Close: 100.4 (+0.40 %), 101.2 (+0.80 %), 103.0 (+1.78 %), then two falls.
        ("threshold_0.5pct", "close", 1, (0, 1, 1, 0, 0, NAN)),
        ("threshold_1pct", "close", 1, (0, 0, 1, 0, 0, NAN)),
        ("threshold_2pct", "close", 1, (0, 0, 0, 0, 0, NAN)),
        ("threshold_3pct", "close", 1, (0, 0, 0, 0, 0, NAN)),
        ("threshold_5pct", "close", 1, (0, 0, 0, 0, 0, NAN)),
        # Three days: +3.60, +3.19 and +2.37 % on the High.
        ("threshold_0.5pct", "high", 3, (1, 1, 1, NAN, NAN, NAN)),
        ("threshold_1pct", "high", 3, (1, 1, 1, NAN, NAN, NAN)),
        ("threshold_2pct", "high", 3, (1, 1, 1, NAN, NAN, NAN)),
        ("threshold_3pct", "high", 3, (1, 1, 0, NAN, NAN, NAN)),
        ("threshold_5pct", "high", 3, (0, 0, 0, NAN, NAN, NAN)),
        # On the Close +3.00 % (103.0 is exactly 100 * 1.03, which counts), +2.59 and +1.78 %.
        ("threshold_0.5pct", "close", 3, (1, 1, 1, NAN, NAN, NAN)),
        ("threshold_1pct", "close", 3, (1, 1, 1, NAN, NAN, NAN)),
        ("threshold_2pct", "close", 3, (1, 1, 0, NAN, NAN, NAN)),
        ("threshold_3pct", "close", 3, (1, 0, 0, NAN, NAN, NAN)),
        ("threshold_5pct", "close", 3, (0, 0, 0, NAN, NAN, NAN)),
        # Close against Close: up, up, up, down, down; after three days 103 > 100, 98 < 100.4, 95 < 101.2.
        ("direction", "high", 1, (1, 1, 1, 0, 0, NAN)),
        ("direction", "close", 3, (1, 0, 0, NAN, NAN, NAN)),
    ],
)
def test_the_labels_of_a_class_task_are_those_written_out(
    six_days: FeatureTable, task: Any, price: Any, horizon: int, expected: tuple[float, ...]
) -> None:
    np.testing.assert_array_equal(labels(six_days, TargetParams(task=task, price=price), horizon), expected)


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [
        # ln 1.004 = .003992, ln(101.2/100.4) = .007937, ln(103/101.2) = .017630, ln(98/103) = -.049762,
        # ln(95/98) = -.031091.
        (1, (0.003992, 0.007937, 0.017630, -0.049762, -0.031091, NAN)),
        # ln 1.03 = .029559, ln(98/100.4) = -.024195, ln(95/101.2) = -.063222.
        (3, (0.029559, -0.024195, -0.063222, NAN, NAN, NAN)),
    ],
)
@pytest.mark.parametrize("price", ["high", "close"])
def test_the_label_of_a_regression_is_the_log_return_of_the_close(
    six_days: FeatureTable, price: Any, horizon: int, expected: tuple[float, ...]
) -> None:
    y_T = labels(six_days, TargetParams(task="regression", price=price), horizon)
    np.testing.assert_allclose(y_T, expected, atol=1e-6)


def test_a_return_is_above_zero_where_direction_says_one(six_days: FeatureTable) -> None:
    for horizon in (1, 2, 3):
        y_T = labels(six_days, TargetParams(task="regression", price="high"), horizon)
        direction_T = labels(six_days, TargetParams(task="direction", price="high"), horizon)
        np.testing.assert_array_equal(y_T[:-horizon] > 0.0, direction_T[:-horizon] == 1.0)
