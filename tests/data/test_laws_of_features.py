"""The laws of every feature of every tier, tried on all columns at once.

A value does not change when later days change or were never there; it is finite whatever the bars do; and another unit
of price or of volume changes nothing that a model is shown.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.artifacts.features import ColumnKind
from tsladder.data.bars import Bars, bars_until
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.data.windows import build_windows
from tsladder.params import DataParams, SplitParams, TargetParams, WindowParams
from tsladder.vocabulary import Region

PRICES = ("open_T", "high_T", "low_T", "close_T")
SERIES = (*PRICES, "volume_T")
DAYS = 420


@pytest.fixture(scope="module")
def a200() -> DataParams:
    return DataParams(symbol="walk", tier="a200", ohlcv=True)


@pytest.fixture(scope="module")
def c33() -> DataParams:
    return DataParams(symbol="walk", tier="c33", ohlcv=True)


def vix_beside(bars: Bars, seed: int = 0) -> Bars:
    """A VIX of its own on four of five days of `bars`, from the 100th on."""
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(np.arange(100, len(bars.dates_T)))[: 4 * (len(bars.dates_T) - 100) // 5])
    level = 20.0 * np.exp(np.cumsum(rng.normal(0.0, 0.05, len(kept))))
    return Bars(
        symbol="vix",
        dates_T=bars.dates_T[kept],
        open_T=level,
        high_T=level,
        low_T=level,
        close_T=level,
        volume_T=np.full(len(kept), np.nan),
    )


def rounded(bars: Bars) -> Bars:
    """Prices in whole cents, as they are quoted: days then share prices, ranges and moves."""
    return dataclasses.replace(bars, **{name: np.round(getattr(bars, name), 2) for name in PRICES})


def coarse(bars: Bars) -> Bars:
    """Prices in steps of a quarter: many ties of every kind."""
    return dataclasses.replace(bars, **{name: np.round(getattr(bars, name) * 4.0) / 4.0 for name in PRICES})


def changed_after(bars: Bars, other: Bars, today: int, factor: float) -> Bars:
    later = {
        name: np.concatenate([getattr(bars, name)[: today + 1], factor * getattr(other, name)[today + 1 :]])
        for name in SERIES
    }
    return dataclasses.replace(bars, **later)


def assert_same_until(known: FeatureTable, early: FeatureTable, day: np.datetime64) -> None:
    rows = int(np.searchsorted(known.dates_T, day, side="right"))
    np.testing.assert_array_equal(known.dates_T[:rows], early.dates_T[:rows])
    differs = np.flatnonzero((known.values_TF[:rows] != early.values_TF[:rows]).any(axis=0))
    assert [known.names[index] for index in differs] == []


@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100.0))
@settings(max_examples=3)
def test_no_column_of_a200_changes_when_later_days_change_or_are_cut(
    make_bars: Any, a200: DataParams, seed: int, factor: float
) -> None:
    bars = make_bars(DAYS, seed)
    known = build_features(bars, a200)
    for today in (252, 253, 300, 344, 345, 346, 347, 348, DAYS - 2):
        assert_same_until(known, build_features(bars_until(bars, bars.dates_T[today]), a200), bars.dates_T[today])
        retold = build_features(changed_after(bars, make_bars(DAYS, seed + 1), today, factor), a200)
        assert_same_until(known, retold, bars.dates_T[today])


def test_no_column_of_a200_on_the_sp500_knows_what_followed(sp500: Bars) -> None:
    data = DataParams(symbol="sp500", tier="a200", ohlcv=True)
    known = build_features(sp500, data)
    for today in (252, 2400, 2437, 2441, 5029):
        assert_same_until(known, build_features(bars_until(sp500, sp500.dates_T[today]), data), sp500.dates_T[today])


@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 10.0))
@settings(max_examples=6)
def test_no_column_of_c33_changes_when_later_days_of_the_symbol_or_of_vix_change_or_are_cut(
    make_bars: Any, c33: DataParams, seed: int, factor: float
) -> None:
    bars = make_bars(DAYS, seed)
    vix = vix_beside(bars, seed)
    known = build_features(bars, c33, vix)
    for day in (known.dates_T[1], known.dates_T[57], known.dates_T[-2]):
        assert_same_until(known, build_features(bars_until(bars, day), c33, bars_until(vix, day)), day)
        seen = int(np.searchsorted(vix.dates_T, day, side="right"))
        later = np.concatenate([vix.close_T[:seen], factor * vix.close_T[seen:]])
        assert_same_until(known, build_features(bars, c33, dataclasses.replace(vix, close_T=later)), day)


def test_the_vix_of_a_day_reaches_that_days_row_and_none_before(make_bars: Any, c33: DataParams) -> None:
    bars = make_bars(DAYS, 3)
    vix = vix_beside(bars, 3)
    known = build_features(bars, c33, vix)
    row = 70
    at = int(np.searchsorted(vix.dates_T, known.dates_T[row]))
    told = vix.close_T.copy()
    told[at] *= 2.0
    retold = build_features(bars, c33, dataclasses.replace(vix, close_T=told))
    first = int(np.flatnonzero((known.values_TF != retold.values_TF).any(axis=1))[0])
    assert first == row


STILL = st.sampled_from(["close", "day", "all"])


def with_still_stretch(bars: Bars, how: str, start: int, length: int) -> Bars:
    """`all`: one price and no trade for days on end; `day`: each day one price; `close`: closes repeat, days do not."""
    changed = {name: getattr(bars, name).copy() for name in SERIES}
    stretch = slice(start, start + length)
    if how == "day":
        for name in ("open_T", "high_T", "low_T"):
            changed[name][stretch] = changed["close_T"][stretch]
    else:
        level = changed["close_T"][start]
        changed["close_T"][stretch] = level
        changed["high_T"][stretch] = np.maximum(changed["high_T"][stretch], level)
        changed["low_T"][stretch] = np.minimum(changed["low_T"][stretch], level)
    if how == "all":
        for name in ("open_T", "high_T", "low_T"):
            changed[name][stretch] = changed["close_T"][start]
        changed["volume_T"][stretch] = 0.0
    return dataclasses.replace(bars, **changed)


@given(
    how=STILL,
    level=st.sampled_from([0.0001, 1.0, 97.3, 4321.987]),
    start=st.integers(0, 300),
    length=st.integers(1, DAYS),
    seed=st.integers(0, 1000),
)
@settings(max_examples=25)
def test_every_value_of_a200_is_finite_through_still_days_and_days_without_trade(
    make_bars: Any, a200: DataParams, how: str, level: float, start: int, length: int, seed: int
) -> None:
    walk = make_bars(DAYS, seed)
    bars = dataclasses.replace(walk, **{name: getattr(walk, name) * level / 100.0 for name in PRICES})
    table = build_features(with_still_stretch(bars, how, start, length), a200)
    assert table.warm_up == 252
    assert np.isfinite(table.values_TF).all()


@pytest.mark.parametrize("volume", [0.0, 1.0, 0.001])
def test_every_value_of_a200_is_finite_where_nothing_ever_moves(
    make_bars: Any, a200: DataParams, volume: float
) -> None:
    bars = with_still_stretch(make_bars(DAYS, 1), "all", 0, DAYS)
    bars.volume_T[:] = volume
    assert np.isfinite(build_features(bars, a200).values_TF).all()


def test_a_vix_that_stands_still_gives_finite_values(make_bars: Any, c33: DataParams) -> None:
    bars = make_bars(DAYS, 1)
    vix = vix_beside(bars)
    vix.close_T[50:120] = 20.1
    table = build_features(bars, c33, vix)
    assert np.isfinite(table.values_TF).all()
    assert (table.values_TF[:, table.names.index("vix_z_20")] == 0.0).any()


def shown(bars: Bars, data: DataParams, by_date: SplitParams, touch_1pct: TargetParams, normalisation: Any) -> Any:
    """(columns, every normalised window of every region) as a model is shown them."""
    table = build_features(bars, data)
    fractions = dataclasses.replace(by_date, validation_start=None, test_start=None)
    splits = make_splits(table.dates_T, fractions, 20, 1, seed=42)
    params = WindowParams(context_length=20, normalisation=normalisation)
    windows = build_windows(table, splits, labels(table, touch_1pct, 1), params)
    parts = [windows.region(region) for region in Region]
    return table.names, np.concatenate([part.batch(np.arange(len(part))) for part in parts])


def assert_shown_alike(plain: Any, other: Any) -> None:
    names, x_NTF = plain
    # Of a column that is shown in standard deviations: rounding in 32-bit numbers.
    worst_F = np.abs(x_NTF - other[1]).max(axis=(0, 1))
    assert {name: float(worst) for name, worst in zip(names, worst_F, strict=True) if not worst < 2e-4} == {}


@pytest.mark.parametrize("normalisation", ["ratio", "revin"])
@pytest.mark.parametrize("quoted", [lambda bars: bars, rounded, coarse], ids=["any", "cents", "quarters"])
def test_prices_in_another_unit_change_no_window_of_a200(
    make_bars: Any,
    a200: DataParams,
    by_date: SplitParams,
    touch_1pct: TargetParams,
    normalisation: str,
    quoted: Any,
) -> None:
    bars = quoted(make_bars(700, 5))
    dear = dataclasses.replace(bars, **{name: getattr(bars, name) * 6.5 for name in PRICES})
    assert_shown_alike(*(shown(each, a200, by_date, touch_1pct, normalisation) for each in (bars, dear)))


@pytest.mark.parametrize("how", ["close", "day", "all"])
def test_prices_in_another_unit_change_no_window_that_holds_still_days(
    make_bars: Any, a200: DataParams, by_date: SplitParams, touch_1pct: TargetParams, how: str
) -> None:
    bars = with_still_stretch(make_bars(700, 6), how, 400, 90)
    dear = dataclasses.replace(bars, **{name: getattr(bars, name) * 6.5 for name in PRICES})
    assert_shown_alike(*(shown(each, a200, by_date, touch_1pct, "ratio") for each in (bars, dear)))


@pytest.mark.parametrize("symbol", ["sp500", "nasdaq"])
def test_prices_in_another_unit_change_no_column_of_the_bundled_series(symbol: str, bundled: Any) -> None:
    bars = bundled(symbol)
    data = DataParams(symbol=symbol, tier="a200", ohlcv=True)
    dear = dataclasses.replace(bars, **{name: getattr(bars, name) * 6.5 for name in PRICES})
    plain, scaled = build_features(bars, data), build_features(dear, data)
    for index, column in enumerate(plain.columns):
        factor = 6.5 if column.kind in (ColumnKind.PRICE, ColumnKind.RANGE) else 1.0
        expected = factor * plain.values_TF[:, index]
        np.testing.assert_allclose(
            scaled.values_TF[:, index], expected, rtol=0, atol=1e-8 * expected.std(), err_msg=column.name
        )


def test_volume_in_another_unit_changes_only_the_columns_that_count_it(make_bars: Any, a200: DataParams) -> None:
    bars = make_bars(DAYS, 9)
    plain, lots = (
        build_features(dataclasses.replace(bars, volume_T=bars.volume_T * factor), a200) for factor in (1.0, 0.01)
    )
    for index, column in enumerate(plain.columns):
        factor = 0.01 if column.kind is ColumnKind.VOLUME else 1.0
        expected = factor * plain.values_TF[:, index]
        np.testing.assert_allclose(
            lots.values_TF[:, index], expected, rtol=0, atol=1e-9 * np.abs(expected).max(), err_msg=column.name
        )


@pytest.mark.parametrize("factor", [1e-4, 1e5])
def test_a_very_small_or_large_unit_of_price_changes_no_window_of_a200(
    make_bars: Any, a200: DataParams, by_date: SplitParams, touch_1pct: TargetParams, factor: float
) -> None:
    bars = make_bars(700, 8)
    dear = dataclasses.replace(bars, **{name: getattr(bars, name) * factor for name in PRICES})
    assert_shown_alike(*(shown(each, a200, by_date, touch_1pct, "ratio") for each in (bars, dear)))


@pytest.mark.parametrize("factor", [0.01, 1e-9, 1e6])
def test_volume_in_another_unit_changes_no_window_of_a200(
    make_bars: Any, a200: DataParams, by_date: SplitParams, touch_1pct: TargetParams, factor: float
) -> None:
    bars = make_bars(700, 7)
    bars.volume_T[300:310] = 0.0
    lots = dataclasses.replace(bars, volume_T=bars.volume_T * factor)
    assert_shown_alike(*(shown(each, a200, by_date, touch_1pct, "ratio") for each in (bars, lots)))
