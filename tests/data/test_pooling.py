"""Several symbols in one study: whose windows are trained on, and what they may not change."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.conftest import MakeBars
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.features import ColumnKind, FeatureColumn
from tsladder.artifacts.store import read_json
from tsladder.data.dataset import Dataset, load_dataset
from tsladder.data.features import FeatureTable, read_features, stacked
from tsladder.data.indicators import build_features
from tsladder.data.pooling import PooledSplits, cut_symbols
from tsladder.data.splits import SplitParams
from tsladder.data.targets import labels
from tsladder.data.windows import WindowSet, build_windows
from tsladder.errors import BadInput
from tsladder.params import DataParams, TargetParams, WindowParams
from tsladder.places import Places
from tsladder.vocabulary import Region

CONTEXT = 10
CALENDAR = np.datetime64("2001-01-01") + np.arange(400)
TOUCH = TargetParams(task="threshold_1pct", price="high")
RATIO = WindowParams(context_length=32, normalisation="ratio")


def table_of(symbol: str, dates_T: np.ndarray, seed: int = 0) -> FeatureTable:
    """One price column; a random walk."""
    close_T = 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, 0.01, len(dates_T))))
    close = FeatureColumn(name="close", kind=ColumnKind.PRICE, words="Close", look_back=0, source="bars")
    return FeatureTable(
        symbol=symbol,
        tier="a20",
        ohlcv=False,
        dates_T=dates_T,
        columns=(close,),
        values_TF=close_T[:, None].copy(),
        open_T=close_T,
        high_T=close_T,
        low_T=close_T,
        close_T=close_T,
        warm_up=0,
    )


def cut(table: FeatureTable, params: SplitParams, horizon: int = 1) -> PooledSplits:
    return cut_symbols(table, params, CONTEXT, horizon, seed=1)


@pytest.fixture
def by_fraction(by_date: SplitParams) -> SplitParams:
    return dataclasses.replace(by_date, validation_start=None, test_start=None)


@given(
    missing=st.sets(st.integers(0, 399), max_size=200),
    late=st.integers(0, 200),
    horizon=st.integers(1, 5),
    dated=st.booleans(),
)
@settings(max_examples=60)
def test_another_symbol_gives_just_the_windows_that_end_before_validation_begins(
    by_date: SplitParams, missing: set[int], late: int, horizon: int, dated: bool
) -> None:
    """Whatever days it lacks and however late it begins; counted by the dates of every run of its rows."""
    starts = (CALENDAR[250].item(), CALENDAR[320].item()) if dated else (None, None)
    params = dataclasses.replace(by_date, validation_start=starts[0], test_start=starts[1])
    own = table_of("own", CALENDAR)
    other = table_of("other", np.delete(CALENDAR, sorted(missing | set(range(late)))))
    table = stacked([own, other])
    begins = {Region.VALIDATION: CALENDAR[250 if dated else 280], Region.TEST: CALENDAR[320 if dated else 340]}
    spans = [
        other.dates_T[[end - CONTEXT + 1, end + horizon]] for end in range(CONTEXT - 1, len(other.dates_T) - horizon)
    ]
    trained = [first for first, last in spans if last < begins[Region.VALIDATION]]
    if not trained:
        with pytest.raises(BadInput, match="other gives no training window"):
            cut(table, params, horizon)
        return
    found = cut(table, params, horizon)
    alone = cut(own, params, horizon).own

    def firsts(region: Region) -> list[np.datetime64]:
        ends_N = found.further["other"].region(region).ends_N(CONTEXT, horizon)
        return list(table.dates_T[ends_N - CONTEXT + 1])

    assert firsts(Region.TRAIN) == trained
    middle = [a for a, z in spans if begins[Region.VALIDATION] <= a and z < begins[Region.TEST]]
    assert firsts(Region.VALIDATION) == middle
    assert firsts(Region.TEST) == [a for a, _ in spans if a >= begins[Region.TEST]]
    assert found.own == alone
    assert (found.pooled.validation, found.pooled.test) == (alone.validation, alone.test)
    ends_N = found.pooled.train.ends_N(CONTEXT, horizon)
    assert len(ends_N) == len(trained) + len(alone.train.ends_N(CONTEXT, horizon))
    first_N, last_N = ends_N - CONTEXT + 1, ends_N + horizon
    assert ((first_N >= len(own.dates_T)) == (last_N >= len(own.dates_T))).all(), "a window crosses two symbols"


def test_labels_of_one_symbol_know_nothing_of_the_next() -> None:
    tables = [table_of("own", CALENDAR, 1), table_of("other", CALENDAR[100:], 2)]
    for task in ("threshold_1pct", "direction"):
        target = TargetParams(task=task, price="close")  # type: ignore[arg-type]
        apart = [labels(table, target, 3) for table in tables]
        np.testing.assert_array_equal(labels(stacked(tables), target, 3), np.concatenate(apart))
        assert np.isnan(apart[0][-3:]).all()


def test_tables_are_stacked_and_taken_apart_again(tmp_path: Path) -> None:
    tables = [table_of(name, CALENDAR[first:], first) for name, first in (("a", 0), ("b", 30), ("c", 7))]
    whole = stacked(tables)
    whole.write(tmp_path)
    back = read_features(tmp_path)
    assert back.fingerprint() == whole.fingerprint()
    assert list(pd.read_parquet(tmp_path / "features.parquet")["Symbol"].unique()) == ["a", "b", "c"]
    for own, again in zip(tables, back.by_symbol(), strict=True):
        assert (own.symbol, own.fingerprint()) == (again.symbol, again.fingerprint())
    named = dataclasses.replace(whole, further=(dataclasses.replace(whole.further[0], symbol="z"), whole.further[1]))
    assert named.fingerprint() != whole.fingerprint()


# Windows of real features.


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return study_of(tmp_path_factory.mktemp("two"), ["other", "tiny"])


def study_of(folder: Path, symbols: list[str] | None, **leaves: Any) -> Places:
    """The other symbol begins later, lacks some days, and has other prices."""
    places = make_study(folder, data__symbols=symbols, horizons=[1, 3], **leaves)
    other = synthetic_bars(850, seed=5).drop(index=range(100, 850, 41))
    other.to_parquet(places.bars("other"), index=False)
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))
    return places


def dataset(places: Places, horizon: int = 1) -> Dataset:
    params = params_of(places)
    return load_dataset(
        places.features,
        places.horizon_splits(horizon),
        target=params.target,
        windows=params.windows,
        horizon=horizon,
    )


def test_a_list_of_the_study_s_own_symbol_alone_changes_no_file(tmp_path: Path) -> None:
    found = []
    for name, symbols in (("none", None), ("one", ["tiny"])):
        places = study_of(tmp_path / name, symbols)
        files = sorted(path for path in places.artifacts.rglob("*") if path.is_file())
        found.append({path.relative_to(places.artifacts): path.read_bytes() for path in files})
    assert found[0] == found[1]
    assert len(found[0]) > 8


def test_another_symbol_changes_neither_validation_nor_test_windows(study: Places, tmp_path: Path) -> None:
    alone = study_of(tmp_path, None)
    for horizon in (1, 3):
        one, two = dataset(alone, horizon).windows, dataset(study, horizon).windows
        for region in (Region.VALIDATION, Region.TEST):
            assert one.region(region).fingerprint() == two.region(region).fingerprint()
            np.testing.assert_array_equal(one.region(region).dates_N, two.region(region).dates_N)
        own = len(one.train)
        assert len(two.train) > own + 100
        np.testing.assert_array_equal(one.train.ends_N, two.train.ends_N[:own])
        np.testing.assert_array_equal(one.train.y_N, two.train.y_N[:own])
        counts = read_json(study.horizon_splits(horizon))
        assert counts["counts"]["train"]["windows"] == len(two.train)
        assert counts["symbols"]["tiny"]["counts"]["train"]["windows"] == own
        assert set(counts["symbols"]) == {"tiny", "other"}


def test_the_other_symbol_s_training_days_end_before_the_date_of_validation(study: Places) -> None:
    found = dataset(study)
    train, first_row = found.windows.train, found.windows.validation.ends_N[0] - 31
    assert found.table.dates_T[train.ends_N + 1].max() < found.table.dates_T[first_row]
    assert found.windows.train.symbols == ("tiny", "other")
    assert found.windows.test.symbols == ()
    assert found.windows.further["other"][Region.TEST].symbols == ("other",)


def test_the_same_rows_of_another_symbol_are_other_windows(study: Places) -> None:
    test = dataset(study).windows.further["other"][Region.TEST]
    assert dataclasses.replace(test, symbols=("stranger",)).fingerprint() != test.fingerprint()


def test_the_ratio_statistics_are_those_of_all_training_windows(study: Places) -> None:
    """Mean 0 and sd 1 over the days of all training windows, which each symbol's own do not have."""
    found = dataset(study)
    train = found.windows.train
    x_BTC = train.batch(np.arange(len(train))).astype(np.float64)
    moves = x_BTC.std(axis=(0, 1)) > 0
    assert np.abs(x_BTC.mean(axis=(0, 1)))[moves].max() < 1e-3
    assert np.abs(x_BTC.std(axis=(0, 1))[moves] - 1).max() < 1e-3
    of_other = train.ends_N >= found.table.first_rows[1]
    assert np.abs(x_BTC[of_other].mean(axis=(0, 1))).max() > 0.02


@pytest.mark.parametrize("normalisation", ["ratio", "revin"])
def test_another_unit_of_price_of_one_symbol_changes_no_input(
    make_bars: MakeBars, by_fraction: SplitParams, normalisation: Any
) -> None:
    own, other = make_bars(900, seed=1), make_bars(800, seed=2)
    prices = ("open_T", "high_T", "low_T", "close_T")
    dear = dataclasses.replace(other, **{name: 6.5 * getattr(other, name) for name in prices})
    shown = [windows_of([own, second], by_fraction, normalisation) for second in (other, dear)]
    for region in Region:
        one, two = (made.region(region) for made in shown)
        every = np.arange(len(one))
        np.testing.assert_array_equal(one.y_N, two.y_N)
        np.testing.assert_allclose(one.batch(every), two.batch(every), rtol=2e-4, atol=2e-4)


def windows_of(markets: list[Any], params: SplitParams, normalisation: Any) -> WindowSet:
    data = DataParams(symbol="walk", tier="a20", ohlcv=True)
    names = ("walk", "other")
    tables = [
        build_features(dataclasses.replace(bars, symbol=name), data) for name, bars in zip(names, markets, strict=True)
    ]
    table = stacked(tables)
    splits = cut_symbols(table, params, 32, 1, seed=1).pooled
    return build_windows(
        table, splits, labels(table, TOUCH, 1), dataclasses.replace(RATIO, normalisation=normalisation)
    )


def test_days_that_vix_lacks_are_lost_and_reported_for_each_symbol(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__symbols=["tiny", "other"], data__tier="c33")
    vix = synthetic_bars(seed=3).drop(columns="Volume").drop(index=[400, 401])
    for name, bars in (("vix", vix), ("other", synthetic_bars(880, seed=5))):
        bars.to_parquet(places.bars(name), index=False)
    for name in ("features", "splits"):
        verb(name)(places, params_of(places))
    notes = [note for note in read_json(places.horizon_splits(1))["notes"] if "lost" in note]
    assert [note.split(":")[0] for note in notes] == ["horizon 1, tiny", "horizon 1, other"]
    assert all("2 days" in note for note in notes)
    origins = [table.origin for table in read_features(places.features).by_symbol()]
    assert [origin.lost_days.count for origin in origins] == [2, 2]


def test_a_symbol_that_begins_with_validation_is_refused_by_name_and_day(by_date: SplitParams) -> None:
    params = dataclasses.replace(by_date, validation_start=dt.date(2001, 9, 1), test_start=dt.date(2001, 11, 1))
    table = stacked([table_of("own", CALENDAR), table_of("young", CALENDAR[240:])])
    with pytest.raises(BadInput) as caught:
        cut(table, params)
    for part in ("data.symbols", "young", "2001-09-01", "leave it out"):
        assert part in str(caught.value)
