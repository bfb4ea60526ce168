"""Windows against a plain per-window computation, and what normalisation must not know or notice."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tsladder.artifacts.features import ColumnKind
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.data.splits import Splits
from tsladder.data.targets import labels
from tsladder.data.windows import Windows, WindowSet, build_windows
from tsladder.errors import BadInput
from tsladder.params import DataParams, SplitParams, TargetParams, WindowParams
from tsladder.vocabulary import Region

NORMALISATIONS = ("ratio", "revin", "none")


@pytest.fixture(scope="module")
def fractions(by_date: SplitParams) -> SplitParams:
    return dataclasses.replace(by_date, validation_start=None, test_start=None)


@pytest.fixture(scope="module")
def table(make_bars: Any, a25: DataParams) -> FeatureTable:
    return build_features(make_bars(500, 11), a25)


@pytest.fixture(scope="module")
def splits(table: FeatureTable, fractions: SplitParams) -> Splits:
    return make_splits(table.dates_T, fractions, 20, 1, seed=42)


def windows_of(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, normalisation: Any, context_length: int = 20
) -> WindowSet:
    params = WindowParams(context_length=context_length, normalisation=normalisation)
    return build_windows(table, splits, labels(table, touch_1pct, splits.horizon), params)


def everything(windows: Windows) -> NDArray[np.float32]:
    return windows.batch(np.arange(len(windows)))


def by_hand(table: FeatureTable, ends: NDArray[np.int64], normalisation: str) -> NDArray[np.float64]:
    """The definition of each normalisation, one window at a time, before the statistics of `ratio`."""
    rows = []
    for end in ends:
        x_TF = table.values_TF[end - 19 : end + 1].copy()
        for index, column in enumerate(table.columns):
            if normalisation == "none":
                continue
            standard = (x_TF[:, index] - x_TF[:, index].mean()) / x_TF[:, index].std()
            if normalisation == "revin" or column.kind is ColumnKind.VOLUME:
                x_TF[:, index] = standard
            elif column.kind is ColumnKind.BOUNDED:
                x_TF[:, index] /= column.scale
            else:
                x_TF[:, index] /= table.close_T[end]
        rows.append(x_TF)
    return np.stack(rows)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_window_is_what_the_definition_says(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, normalisation: str
) -> None:
    built = windows_of(table, splits, touch_1pct, normalisation)
    train = by_hand(table, built.train.ends_N, normalisation)
    for region in Region:
        expected = by_hand(table, built.region(region).ends_N, normalisation)
        if normalisation == "ratio":
            expected = (expected - train.mean(axis=(0, 1))) / train.std(axis=(0, 1))
        # A slow average moves by a thousandth of its level in 20 days: float32 leaves four digits of such a spread.
        np.testing.assert_allclose(everything(built.region(region)), expected, rtol=1e-5, atol=5e-4)


def test_ratio_gives_training_windows_mean_zero_and_sd_one_in_every_column(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=42)
    x_NTF = everything(windows_of(sp500_table, splits, touch_1pct, "ratio", 80).train).astype(np.float64)
    np.testing.assert_allclose(x_NTF.mean(axis=(0, 1)), 0.0, atol=1e-5)
    np.testing.assert_allclose(x_NTF.std(axis=(0, 1)), 1.0, atol=1e-4)


@pytest.mark.parametrize("normalisation", ["ratio", "revin"])
def test_prices_in_another_unit_change_nothing(
    sp500: Any, a25: DataParams, by_date: SplitParams, touch_1pct: TargetParams, normalisation: str
) -> None:
    dear = {name: getattr(sp500, name) * 6.5 for name in ("open_T", "high_T", "low_T", "close_T")}
    both = []
    for bars in (sp500, dataclasses.replace(sp500, **dear)):
        table = build_features(bars, a25)
        splits = make_splits(table.dates_T, by_date, 80, 1, seed=42)
        both.append(windows_of(table, splits, touch_1pct, normalisation, 80))
    for region in Region:
        plain, scaled = (windows.region(region) for windows in both)
        assert np.abs(everything(plain) - everything(scaled)).max() < 1e-5
        assert plain.fingerprint() == scaled.fingerprint()


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_no_statistic_is_taken_over_validation_or_test_days(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, normalisation: str
) -> None:
    held_out = splits.validation.segments[0].first
    noise = np.random.default_rng(1).uniform(0.2, 5.0, table.values_TF[held_out:].shape)
    values_TF = table.values_TF.copy()
    values_TF[held_out:] *= noise
    changed = dataclasses.replace(table, values_TF=values_TF)
    before, after = (windows_of(t, splits, touch_1pct, normalisation).train for t in (table, changed))
    np.testing.assert_array_equal(everything(before), everything(after))


@given(seed=st.integers(0, 1000), normalisation=st.sampled_from(NORMALISATIONS), number=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_a_window_does_not_know_the_days_after_it(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, seed: int, normalisation: str, number: int
) -> None:
    end = splits.test.ends_N(20, 1)[number]
    rng = np.random.default_rng(seed)
    later = {"values_TF": table.values_TF.copy(), "close_T": table.close_T.copy(), "high_T": table.high_T.copy()}
    for values in later.values():
        values[end + 1 :] *= rng.uniform(0.1, 10.0, values[end + 1 :].shape)
    index = np.array([number])
    before = windows_of(table, splits, touch_1pct, normalisation).test.batch(index)
    after = windows_of(dataclasses.replace(table, **later), splits, touch_1pct, normalisation).test.batch(index)
    np.testing.assert_array_equal(before, after)


def flat_column_table(table: FeatureTable, value: float, first: int, last: int) -> FeatureTable:
    values_TF = table.values_TF.copy()
    values_TF[first:last] = value
    close_T = table.close_T.copy()
    if value > 0:
        close_T[first:last] = value
    return dataclasses.replace(table, values_TF=values_TF, close_T=close_T)


@given(
    value=st.sampled_from([0.0, 1e-300, 0.1, 97.3, 1234.567, 1e12, -5.5]),
    first=st.integers(0, 150),
    length=st.integers(20, 301),
    normalisation=st.sampled_from(NORMALISATIONS),
)
@settings(max_examples=60, deadline=None)
def test_flat_windows_never_give_a_value_that_is_not_finite(
    table: FeatureTable,
    splits: Splits,
    touch_1pct: TargetParams,
    value: float,
    first: int,
    length: int,
    normalisation: str,
) -> None:
    flat = flat_column_table(table, value, first, first + length)
    if value == 1e-300:
        flat = dataclasses.replace(flat, close_T=table.close_T)
    built = windows_of(flat, splits, touch_1pct, normalisation)
    for region in Region:
        assert np.isfinite(everything(built.region(region))).all()


@pytest.mark.parametrize("value", [0.0, 0.1, 97.3, 1234.567, 1e11])
def test_a_column_that_never_moves_gives_zero(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, value: float
) -> None:
    index = table.names.index("volume")
    values_TF = table.values_TF.copy()
    values_TF[:, index] = value
    still = dataclasses.replace(table, values_TF=values_TF)
    for normalisation in ("ratio", "revin"):
        built = windows_of(still, splits, touch_1pct, normalisation)
        for region in Region:
            np.testing.assert_array_equal(everything(built.region(region))[..., index], 0.0)


def test_a_column_that_moves_less_than_float32_can_show_gives_zero(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    index = table.names.index("volume")
    values_TF = table.values_TF.copy()
    values_TF[:, index] = 97.3 * (1 + 1e-9 * np.random.default_rng(0).normal(size=len(values_TF)))
    for normalisation in ("ratio", "revin"):
        built = windows_of(dataclasses.replace(table, values_TF=values_TF), splits, touch_1pct, normalisation)
        np.testing.assert_array_equal(everything(built.test)[..., index], 0.0)


def test_a_batch_is_its_windows_in_the_order_asked_for(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    train = windows_of(table, splits, touch_1pct, "ratio").train
    index_B = np.array([5, 0, 5, 17])
    x_BTC = train.batch(index_B)
    assert x_BTC.shape == (4, 20, 25)
    assert x_BTC.dtype == np.float32
    for place, number in enumerate(index_B):
        end = train.ends_N[number]
        expected = train.series_TF[end - 19 : end + 1] * train.scale_NF[number] + train.shift_NF[number]
        np.testing.assert_array_equal(x_BTC[place], expected)


def test_the_last_day_is_the_last_row_of_each_window(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    for normalisation in NORMALISATIONS:
        test = windows_of(table, splits, touch_1pct, normalisation).test
        np.testing.assert_array_equal(test.last_day(), everything(test)[:, -1])


def test_a_batch_never_writes_into_the_shared_series(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    built = windows_of(table, splits, touch_1pct, "ratio")
    before = built.train.series_TF.copy()
    everything(built.train)[:] = 7.0
    np.testing.assert_array_equal(built.train.series_TF, before)
    assert built.train.series_TF is built.test.series_TF


def test_labels_and_dates_belong_to_the_last_input_day(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    y_T = labels(table, touch_1pct, 1)
    built = windows_of(table, splits, touch_1pct, "ratio")
    for region in Region:
        windows = built.region(region)
        np.testing.assert_array_equal(windows.y_N, y_T[windows.ends_N])
        np.testing.assert_array_equal(windows.dates_N, table.dates_T[windows.ends_N])
        assert set(np.unique(windows.y_N)) <= {0.0, 1.0}


def test_the_fingerprint_names_windows_and_labels_and_not_the_normalisation(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams
) -> None:
    prints = {windows_of(table, splits, touch_1pct, kind).test.fingerprint() for kind in NORMALISATIONS}
    assert len(prints) == 1
    test = windows_of(table, splits, touch_1pct, "ratio").test
    others = [
        dataclasses.replace(test, y_N=1 - test.y_N),
        dataclasses.replace(test, ends_N=test.ends_N - 1),
        dataclasses.replace(test, dates_N=test.dates_N + 1),
        dataclasses.replace(test, context_length=19),
    ]
    assert len({*prints, *(other.fingerprint() for other in others)}) == 5


def test_labels_of_another_horizon_are_a_bug(table: FeatureTable, splits: Splits, touch_1pct: TargetParams) -> None:
    with pytest.raises(ValueError, match="labels look 3 days ahead"):
        build_windows(
            table, splits, labels(table, touch_1pct, 3), WindowParams(context_length=20, normalisation="ratio")
        )


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_a_number_too_large_for_the_models_is_refused_with_its_column_and_day(
    table: FeatureTable, splits: Splits, touch_1pct: TargetParams, normalisation: str
) -> None:
    values_TF = table.values_TF.copy()
    values_TF[40, table.names.index("volume")] = 1e60
    with pytest.raises(BadInput, match="not a finite 32-bit number") as caught:
        windows_of(dataclasses.replace(table, values_TF=values_TF), splits, touch_1pct, normalisation)
    assert caught.value.faults[0].startswith(f"volume on {table.dates_T[40]}")


def test_a_region_without_windows_is_an_empty_array_of_windows(
    make_bars: Any, a25: DataParams, fractions: SplitParams, touch_1pct: TargetParams
) -> None:
    table = build_features(make_bars(260, 2), a25)
    splits = make_splits(table.dates_T, fractions, 20, 1, seed=42)
    built = windows_of(table, splits, touch_1pct, "ratio")
    assert (len(built.validation), len(built.test)) == (0, 0)
    assert everything(built.test).shape == (0, 20, 25)


def test_the_windows_of_the_bundled_series_are_ready_in_half_a_second(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=42)
    started = time.process_time()
    windows_of(sp500_table, splits, touch_1pct, "ratio", 80)
    assert time.process_time() - started < 0.5
