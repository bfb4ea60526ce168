"""Prices rescaled to Adj Close: which file can be, what is rescaled, and where it arrives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.studies import make_study, prepare, stage

from tsladder.artifacts.plans import AuditPlan, SearchPlan, read_plan
from tsladder.audit.build import open_subject
from tsladder.data.bars import Bars, read_bars
from tsladder.data.features import read_features
from tsladder.data.indicators import build_features
from tsladder.data.targets import labels
from tsladder.errors import BadInput
from tsladder.params import DataParams, TargetParams
from tsladder.vocabulary import Cell


def split_frame(days: int = 260) -> pd.DataFrame:
    """A walk with a split of two for one on row 230, which Adj Close takes back; and a dividend earlier."""
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0, 0.01, days)))
    factor = np.where(np.arange(days) < 230, 0.5, 1.0) * np.where(np.arange(days) < 100, 0.98, 1.0)
    raw = np.where(np.arange(days) < 230, 2.0, 1.0) * close
    return pd.DataFrame(
        {
            "Date": pd.bdate_range("2015-01-01", periods=days),
            "Open": raw * 0.999,
            "High": raw * 1.01,
            "Low": raw * 0.99,
            "Close": raw,
            "Volume": np.round(rng.lognormal(15, 0.3, days)),
            "Adj Close": raw * factor,
        }
    )


def bars_of(frame: pd.DataFrame, folder: Path, *, adjust: bool) -> Bars:
    frame.to_parquet(folder / "x.parquet", index=False)
    return read_bars(folder / "x.parquet", "x", adjust=adjust)


def test_open_high_and_low_keep_their_ratio_to_close_which_becomes_adj_close(tmp_path: Path) -> None:
    frame = split_frame()
    bars = bars_of(frame, tmp_path, adjust=True)
    np.testing.assert_array_equal(bars.close_T, frame["Adj Close"])
    for name in ("Open", "High", "Low"):
        ratio_T = getattr(bars, f"{name.lower()}_T") / bars.close_T
        np.testing.assert_allclose(ratio_T, frame[name] / frame["Close"], rtol=1e-14)
    np.testing.assert_array_equal(bars.volume_T, frame["Volume"])


def test_without_it_adj_close_is_not_looked_at(tmp_path: Path) -> None:
    frame = split_frame().assign(**{"Adj Close": "nonsense"})
    np.testing.assert_array_equal(bars_of(frame, tmp_path, adjust=False).close_T, frame["Close"])


def test_a_file_without_adj_close_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Adj Close is missing, and data\.adjust needs it"):
        bars_of(split_frame().drop(columns="Adj Close"), tmp_path, adjust=True)


@pytest.mark.parametrize(("value", "words"), [(0.0, "Adj Close is 0"), (np.nan, "Adj Close is missing")])
def test_a_bad_adj_close_is_named_with_its_row(tmp_path: Path, value: float, words: str) -> None:
    frame = split_frame()
    frame.loc[6, "Adj Close"] = value
    with pytest.raises(BadInput, match=rf"row 7 \(2015-01-09\): {words}"):
        bars_of(frame, tmp_path, adjust=True)


def test_labels_come_from_adjusted_prices_like_the_features(tmp_path: Path, a25: DataParams) -> None:
    frame = split_frame()
    target = TargetParams(task="direction", price="close")
    by_hand = frame["Adj Close"].shift(-1) > frame["Adj Close"]
    table = build_features(bars_of(frame, tmp_path, adjust=True), a25)
    y_T = labels(table, target, 1)
    days = pd.DatetimeIndex(table.dates_T)
    expected = by_hand.set_axis(frame["Date"])[days].to_numpy()
    np.testing.assert_array_equal(y_T[:-1], expected[:-1])
    # On the day before the split the raw prices halve.
    raw = build_features(bars_of(frame, tmp_path, adjust=False), a25)
    day = np.flatnonzero(days == frame["Date"][229])[0]
    assert raw.close_T[day + 1] < raw.close_T[day] * 0.6
    assert table.close_T[day + 1] > table.close_T[day] * 0.9


def test_a_constant_factor_changes_no_ratio_feature(tmp_path: Path, a25: DataParams) -> None:
    frame = split_frame().assign(**{"Adj Close": lambda f: f["Close"] * 0.25})
    raw = build_features(bars_of(frame, tmp_path, adjust=False), a25)
    adjusted = build_features(bars_of(frame, tmp_path, adjust=True), a25)
    bounded = [index for index, column in enumerate(raw.columns) if column.kind.value == "bounded"]
    np.testing.assert_allclose(adjusted.values_TF[:, bounded], raw.values_TF[:, bounded], atol=1e-7)
    np.testing.assert_allclose(adjusted.close_T, raw.close_T * 0.25)


def test_the_leaf_reaches_the_feature_table_and_the_plan_files(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__adjust=True)
    bars_path = places.bars("tiny")
    frame = pd.read_parquet(bars_path).assign(**{"Adj Close": lambda f: f["Close"] * 0.5})
    frame.to_parquet(bars_path, index=False)
    prepare(places)
    table = read_features(places.features)
    np.testing.assert_array_equal(table.close_T, frame["Adj Close"][table.warm_up :])
    plan = read_plan(SearchPlan, places.search_plan(Cell("12k", 1)))
    assert plan.question.data.adjust is True


def test_the_features_stage_refuses_bars_that_cannot_be_adjusted(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__adjust=True)
    done = stage(places, "features", check=False)
    assert done.returncode == 2
    assert "Adj Close is missing" in done.stderr
    assert not places.features.exists()


def test_the_audit_probes_the_adjusted_bars(tmp_path: Path) -> None:
    places = make_study(tmp_path, data__adjust=True)
    frame = pd.read_parquet(places.bars("tiny")).assign(**{"Adj Close": lambda f: f["Close"] * 0.5})
    frame.to_parquet(places.bars("tiny"), index=False)
    prepare(places)
    subject = open_subject(places, read_plan(AuditPlan, places.audit_plan))
    np.testing.assert_array_equal(subject.bars.close_T, frame["Adj Close"])
