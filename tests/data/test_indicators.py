"""The two laws of every feature, and oracles written from the definitions."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from tsladder.artifacts.features import ColumnKind
from tsladder.data.bars import Bars, read_bars
from tsladder.data.columns.core import A20
from tsladder.data.features import FeatureTable
from tsladder.data.formulas import on_completed_weeks, stoch_rsi
from tsladder.data.indicators import build_features
from tsladder.data.tier_columns import tier_indicators
from tsladder.errors import BadInput
from tsladder.params import DataParams

ARRAYS = ("open_T", "high_T", "low_T", "close_T", "volume_T")


def column(table: FeatureTable, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return table.values_TF[:, table.names.index(name)]


def cut(bars: Bars, days: int) -> Bars:
    return dataclasses.replace(bars, **{name: getattr(bars, name)[:days] for name in ("dates_T", *ARRAYS)})


def scaled(bars: Bars, factor: float) -> Bars:
    return dataclasses.replace(bars, **{name: getattr(bars, name) * factor for name in ARRAYS[:-1]})


def test_a20_has_twenty_columns_and_ohlcv_adds_five(a25: DataParams) -> None:
    assert len(A20) == 20
    for tier in ("a20", "a25"):
        names = [i.column.name for i in tier_indicators(dataclasses.replace(a25, tier=tier))]
        assert names[:20] == [i.column.name for i in A20]
        assert names[20:] == ["open", "high", "low", "close", "volume"]
        assert len(tier_indicators(dataclasses.replace(a25, tier=tier, ohlcv=False))) == 20
    assert len(set(names)) == 25


def test_sp500_loses_199_days_to_the_warm_up_and_keeps_4832(sp500_table: FeatureTable, sp500: Bars) -> None:
    assert sp500_table.warm_up == 199
    assert sp500_table.values_TF.shape == (4832, 25)
    np.testing.assert_array_equal(sp500_table.dates_T, sp500.dates_T[199:])
    np.testing.assert_array_equal(sp500_table.close_T, sp500.close_T[199:])


def test_every_value_is_finite_after_the_warm_up(sp500_table: FeatureTable) -> None:
    assert np.isfinite(sp500_table.values_TF).all()


def test_each_daily_column_starts_after_its_declared_look_back(sp500: Bars, a25: DataParams) -> None:
    for indicator in tier_indicators(a25):
        first = int(np.isfinite(indicator.fill(sp500)).argmax())
        if indicator.column.name.startswith("weekly"):
            assert first <= indicator.column.look_back
        else:
            assert first == indicator.column.look_back, indicator.column.name


@given(today=st.integers(200, 318), seed=st.integers(0, 10_000), factor=st.floats(0.01, 100.0))
@settings(max_examples=40, deadline=None)
def test_no_feature_changes_when_later_days_change(
    make_bars: Any, a25: DataParams, today: int, seed: int, factor: float
) -> None:
    bars, other = make_bars(320, seed), make_bars(320, seed + 1)
    changed = {
        name: np.concatenate([getattr(bars, name)[: today + 1], factor * getattr(other, name)[today + 1 :]])
        for name in ARRAYS
    }
    known = build_features(bars, a25)
    retold = build_features(dataclasses.replace(bars, **changed), a25)
    days = today + 1 - known.warm_up
    np.testing.assert_array_equal(known.values_TF[:days], retold.values_TF[:days])


@given(today=st.integers(199, 318), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_no_feature_needs_the_days_that_have_not_come_yet(
    make_bars: Any, a25: DataParams, today: int, seed: int
) -> None:
    bars = make_bars(320, seed)
    known, early = build_features(bars, a25), build_features(cut(bars, today + 1), a25)
    np.testing.assert_array_equal(early.values_TF, known.values_TF[: today + 1 - known.warm_up])


def test_sp500_features_of_2008_do_not_know_what_followed(
    sp500: Bars, sp500_table: FeatureTable, a25: DataParams
) -> None:
    for today in (199, 2400, 2437, 2441, 5029):
        early = build_features(cut(sp500, today + 1), a25)
        np.testing.assert_array_equal(early.values_TF, sp500_table.values_TF[: today + 1 - 199])


def test_price_and_range_columns_scale_with_the_price_and_the_others_do_not(make_bars: Any, a25: DataParams) -> None:
    bars = make_bars(400, 3)
    plain, dear = build_features(bars, a25), build_features(scaled(bars, 6.5), a25)
    for index, declared in enumerate(plain.columns):
        factor = 6.5 if declared.kind in (ColumnKind.PRICE, ColumnKind.RANGE) else 1.0
        expected = factor * plain.values_TF[:, index]
        tolerance = 1e-9 * np.abs(expected).max()
        np.testing.assert_allclose(dear.values_TF[:, index], expected, rtol=0, atol=tolerance, err_msg=declared.name)


def test_bounded_columns_stay_within_their_bounds(sp500_table: FeatureTable) -> None:
    for name in ("rsi_14", "stochrsi_14", "weekly_rsi_14", "weekly_stochrsi_14", "adx_14"):
        values = column(sp500_table, name)
        assert values.min() >= -1e-9
        assert values.max() <= 100 + 1e-9
        assert values.std() > 1


def test_sma_is_the_plain_mean(sp500: Bars, sp500_table: FeatureTable) -> None:
    for days in (12, 50, 100, 200):
        mean = np.convolve(sp500.close_T, np.full(days, 1 / days), "valid")[-4832:]
        np.testing.assert_allclose(column(sp500_table, f"sma_{days}"), mean, rtol=1e-10)


def test_vwap_weighs_closes_by_volume_and_is_the_mean_where_nothing_traded(make_bars: Any, a25: DataParams) -> None:
    bars = make_bars(320, 5)
    bars.volume_T[230:260] = 0.0
    vwap = column(build_features(bars, a25), "vwap_20")
    for today in (210, 235, 252, 300):
        close, volume = bars.close_T[today - 19 : today + 1], bars.volume_T[today - 19 : today + 1]
        expected = (close * volume).sum() / volume.sum() if volume.any() else close.mean()
        assert vwap[today - 199] == pytest.approx(expected, rel=1e-12)


def test_rsi_is_wilders(make_bars: Any, a25: DataParams) -> None:
    bars = make_bars(320, 6)
    change = np.diff(bars.close_T)
    up, down = change[:14].clip(0).mean(), (-change[:14]).clip(0).mean()
    for move in change[14:]:
        up, down = (13 * up + max(move, 0)) / 14, (13 * down + max(-move, 0)) / 14
    assert column(build_features(bars, a25), "rsi_14")[-1] == pytest.approx(100 * up / (up + down), rel=1e-10)


def test_bollinger_b_places_the_close_between_the_bands(make_bars: Any, a25: DataParams) -> None:
    bars = make_bars(320, 7)
    last = bars.close_T[-20:]
    expected = (last[-1] - (last.mean() - 2 * last.std())) / (4 * last.std())
    assert column(build_features(bars, a25), "bollinger_b")[-1] == pytest.approx(expected, rel=1e-7)


def test_stoch_rsi_is_talibs(sp500: Bars) -> None:
    fast_k, _ = talib.STOCHRSI(sp500.close_T, 14, 5, 3)
    np.testing.assert_array_equal(stoch_rsi(sp500.close_T), fast_k)


def test_stoch_rsi_is_zero_where_the_rsi_stands_still(make_bars: Any) -> None:
    bars = make_bars(320, 6)
    bars.close_T[220:280] = bars.close_T[220]
    for factor in (1.0, 6.5, 0.37):
        fast_k_T = stoch_rsi(bars.close_T * factor)
        np.testing.assert_array_equal(fast_k_T[225:280], 0.0)
        assert fast_k_T[280:].max() > 0


@pytest.mark.parametrize("seven_day_weeks", [False, True])
def test_a_weekly_value_is_that_of_the_last_iso_week_before_the_days_own(make_bars: Any, seven_day_weeks: bool) -> None:
    bars = make_bars(260, 8)
    if seven_day_weeks:
        bars = dataclasses.replace(bars, dates_T=np.datetime64("2019-11-30") + np.arange(260))
    weeks: list[tuple[int, int]] = []
    closes: list[float] = []
    shown = on_completed_weeks(bars, lambda close_W: close_W * 1.0)
    for today, date in enumerate(bars.dates_T):
        week = date.astype(object).isocalendar()[:2]
        if not weeks or weeks[-1] != week:
            weeks.append(week)
            closes.append(np.nan)
        if len(closes) == 1:
            assert np.isnan(shown[today])
        else:
            assert shown[today] == closes[-2]
        closes[-1] = bars.close_T[today]


def test_a_week_of_one_day_and_the_turn_of_a_year_are_whole_weeks(make_bars: Any) -> None:
    days = np.array(["2004-12-30", "2004-12-31", "2005-01-05", "2005-01-10", "2005-01-11"], dtype="datetime64[D]")
    bars = dataclasses.replace(cut(make_bars(260, 8), 5), dates_T=days, close_T=np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    shown = on_completed_weeks(bars, lambda close_W: close_W * 1.0)
    np.testing.assert_array_equal(shown, [np.nan, np.nan, 2.0, 3.0, 3.0])


@given(
    level=st.sampled_from([0.01, 1.0, 97.3, 4321.987]),
    start=st.integers(0, 250),
    length=st.integers(20, 200),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, deadline=None)
def test_flat_stretches_leave_every_value_finite(
    make_bars: Any, a25: DataParams, level: float, start: int, length: int, seed: int
) -> None:
    bars = scaled(make_bars(320, seed), level / 100)
    for name in ARRAYS[:-1]:
        getattr(bars, name)[start : start + length] = bars.close_T[start]
    bars.volume_T[start : start + length] = 0.0
    table = build_features(bars, a25)
    assert table.warm_up == 199
    assert np.isfinite(table.values_TF).all()
    assert np.abs(column(table, "bollinger_b")).max() < 10


@pytest.mark.parametrize("ohlcv", [True, False])
def test_a_symbol_without_volume_names_the_features_that_need_it(bundled_folder: Path, ohlcv: bool) -> None:
    vix = read_bars(bundled_folder / "vix.parquet", "vix")
    with pytest.raises(BadInput, match="obv, adosc, vwap_20") as caught:
        build_features(vix, DataParams(symbol="vix", tier="a20", ohlcv=ohlcv))
    assert (", volume; leave" in str(caught.value)) is ohlcv


@pytest.mark.parametrize("days", [1, 5, 30, 120, 199])
def test_bars_shorter_than_the_warm_up_are_refused(make_bars: Any, a25: DataParams, days: int) -> None:
    with pytest.raises(BadInput, match="too few for the warm-up: sma_200"):
        build_features(make_bars(days), a25)


def test_200_days_are_just_enough(make_bars: Any, a25: DataParams) -> None:
    assert build_features(make_bars(200), a25).values_TF.shape == (1, 25)


def test_a_value_that_overflows_is_named_with_its_column_and_day(make_bars: Any, a25: DataParams) -> None:
    bars = make_bars(320)
    bars.volume_T[250:] = 1e308
    with pytest.raises(BadInput, match="without a finite value") as caught:
        build_features(bars, a25)
    assert any(fault.startswith("obv on ") for fault in caught.value.faults)
