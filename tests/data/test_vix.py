"""Tier c33: VIX as it was known at each day's close, and the days that are lost where it is missing."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsladder.artifacts.record import json_of
from tsladder.data.bars import Bars
from tsladder.data.build import lost_lines
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable, read_features
from tsladder.data.indicators import build_features
from tsladder.errors import BadInput
from tsladder.params import DataParams, SplitParams

C33 = DataParams(symbol="sp500", tier="c33", ohlcv=True)


@pytest.fixture(scope="module")
def vix(bundled: Callable[[str], Bars]) -> Bars:
    return bundled("vix")


@pytest.fixture(scope="module")
def table(sp500: Bars, vix: Bars) -> FeatureTable:
    return build_features(sp500, C33, vix)


def keep(bars: Bars, kept_T: Any) -> Bars:
    series = ("dates_T", "open_T", "high_T", "low_T", "close_T", "volume_T")
    return dataclasses.replace(bars, **{name: getattr(bars, name)[kept_T] for name in series})


def without(bars: Bars, *days: str) -> Bars:
    return keep(bars, ~np.isin(bars.dates_T, np.array(days, dtype="datetime64[D]")))


def test_the_eight_columns_are_what_pandas_makes_of_vix(table: FeatureTable, vix: Bars) -> None:
    x = pd.Series(vix.close_T, index=vix.dates_T)
    regime = pd.cut(x, [-np.inf, 15.0, 25.0, np.inf], right=False, labels=False)
    expected = {
        "vix_close": x,
        "vix_sma_10": x.rolling(10).mean(),
        "vix_sma_20": x.rolling(20).mean(),
        "vix_percentile_60": 100 * x.rolling(60).rank(method="max", pct=True),
        "vix_z_20": (x - x.rolling(20).mean()) / x.rolling(20).std(ddof=0),
        "vix_regime": regime,
        "vix_change_1": 100 * x.pct_change(fill_method=None),
        "vix_change_5": 100 * x.pct_change(5, fill_method=None),
    }
    assert [name for name in table.names if name.startswith("vix")] == list(expected)
    for name, series in expected.items():
        ours = table.values_TF[:, table.names.index(name)]
        np.testing.assert_allclose(ours, series.loc[table.dates_T], rtol=1e-9, atol=1e-9, err_msg=name)


def test_a_regime_begins_at_15_and_at_25() -> None:
    from tsladder.data.columns.vix import regime

    np.testing.assert_array_equal(regime(np.array([14.99, 15.0, 24.99, 25.0])), [0.0, 1.0, 1.0, 2.0])


def test_the_other_columns_are_those_of_a25(table: FeatureTable, sp500_table: FeatureTable) -> None:
    rows = np.searchsorted(sp500_table.dates_T, table.dates_T)
    for name in sp500_table.names:
        ours = table.values_TF[:, table.names.index(name)]
        np.testing.assert_array_equal(ours, sp500_table.values_TF[rows, sp500_table.names.index(name)])


def test_the_bundled_vix_begins_in_2014_and_loses_no_day_of_the_sp500_after_it(table: FeatureTable) -> None:
    manifest = json_of(table.manifest())
    assert (manifest["rows"], manifest["first_day"], manifest["last_day"]) == (1198, "2014-03-31", "2018-12-31")
    assert manifest["lost_days"] == {
        "count": 3634,
        "first": "1999-10-18",
        "last": "2014-03-28",
        "before": 3634,
        "between": [],
        "after": 0,
    }
    assert manifest["warm_up"] == 199 + 3634
    assert set(manifest["bars"]) == {"sp500", "vix"}
    (line,) = lost_lines(table)
    for words in ("keeps 1198 days", "loses 3634", "1999-10-18 to 2014-03-28", "3634 before"):
        assert words in line


def test_missing_days_are_lost_and_named(sp500: Bars, vix: Bars, tmp_path: Any) -> None:
    holes = ("2015-06-01", "2016-02-03", "2016-02-04")
    short = keep(without(vix, *holes), slice(None, -100))
    found = build_features(sp500, C33, short)
    lost = found.origin.lost_days
    assert lost.between == holes
    assert found.lost_between == holes
    assert lost.count == 3634 + 3 + lost.after
    assert (lost.last, found.manifest().last_day) == ("2018-12-31", str(short.dates_T[-1]))
    assert not np.isin(np.array(holes, dtype="datetime64[D]"), found.dates_T).any()
    assert holes[0] in lost_lines(found)[0]
    found.write(tmp_path)
    assert read_features(tmp_path).origin == found.origin


def test_days_of_vix_on_which_the_symbol_did_not_trade_count_for_vix_alone(sp500: Bars, vix: Bars) -> None:
    """The mean of ten days of VIX is the same whether or not the symbol traded on all of them."""
    gap = without(sp500, "2017-05-02")
    whole, less = build_features(sp500, C33, vix), build_features(gap, C33, vix)
    day = np.datetime64("2017-05-03")
    column = whole.names.index("vix_sma_10")
    values = [t.values_TF[np.searchsorted(t.dates_T, day), column] for t in (whole, less)]
    assert values[0] == values[1]
    assert less.lost_between == ()


def test_default_dates_leave_c33_no_training_days_and_the_refusal_says_which_exist_and_what_to_set(
    table: FeatureTable, by_date: SplitParams
) -> None:
    with pytest.raises(BadInput) as caught:
        make_splits(table.dates_T, by_date, 80, 1, seed=42)
    message = str(caught.value)
    for words in ("train", "2014-03-31 to 2018-12-31", "splits.validation_start", "splits.test_start", "null"):
        assert words in message
    fractions = dataclasses.replace(by_date, validation_start=None, test_start=None)
    assert len(make_splits(table.dates_T, fractions, 80, 1, seed=42).test.ends_N(80, 1)) > 0


def test_vix_and_bars_that_share_no_day_are_refused_with_both_spans(sp500: Bars, vix: Bars) -> None:
    later = dataclasses.replace(vix, dates_T=vix.dates_T + 3650)
    with pytest.raises(BadInput, match="no day has both") as caught:
        build_features(sp500, C33, later)
    assert "2018-12-31" in str(caught.value)
    assert str(later.dates_T[0]) in str(caught.value)


def test_vix_shorter_than_its_warm_up_is_refused(sp500: Bars, vix: Bars) -> None:
    with pytest.raises(BadInput, match="needs 59 of them"):
        build_features(sp500, C33, keep(vix, slice(0, 40)))


def test_c33_starts_on_a_date_of_its_own_or_refuses_and_another_tier_can_share_it(
    sp500: Bars, vix: Bars, table: FeatureTable
) -> None:
    shared = dt.date(2014, 3, 31)
    ours = build_features(sp500, dataclasses.replace(C33, first_day=shared), vix)
    theirs = build_features(sp500, DataParams(symbol="sp500", tier="a200", ohlcv=True, first_day=shared))
    np.testing.assert_array_equal(ours.dates_T, theirs.dates_T)
    np.testing.assert_array_equal(ours.values_TF, table.values_TF)
    with pytest.raises(BadInput, match="2014-03-31"):
        build_features(sp500, dataclasses.replace(C33, first_day=dt.date(2014, 3, 28)), vix)
    hole = without(vix, "2015-06-01")
    with pytest.raises(BadInput, match="2015-06-02"):
        build_features(sp500, dataclasses.replace(C33, first_day=dt.date(2015, 6, 1)), hole)


def test_a_tier_of_vix_without_its_bars_is_a_bug(sp500: Bars) -> None:
    with pytest.raises(ValueError, match="VIX"):
        build_features(sp500, C33)
