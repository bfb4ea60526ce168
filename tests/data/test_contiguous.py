"""No window and no label reaches across a lost day."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.studies import make_study, params_of

from tsladder.artifacts.store import read_json
from tsladder.data.contiguous import without_lost_days
from tsladder.data.cuts import make_splits
from tsladder.data.dataset import load_dataset
from tsladder.data.splits import Splits
from tsladder.params import SplitParams
from tsladder.places import Places
from tsladder.vocabulary import Region

CONTEXT = 10
DAYS = np.datetime64("2001-01-01") + np.arange(400)


def spans(splits: Splits) -> list[tuple[Region, int, int]]:
    """(region, first input row, last label row) of every window."""
    found = []
    for region in Region:
        ends = splits.region(region).ends_N(CONTEXT, splits.horizon).tolist()
        found.extend((region, end - CONTEXT + 1, end + splits.horizon) for end in ends)
    return found


@given(
    lost=st.lists(st.integers(1, 398), min_size=1, max_size=12, unique=True),
    horizon=st.integers(1, 5),
    kind=st.sampled_from(["dates", "chunks"]),
)
@settings(max_examples=60)
def test_the_windows_left_are_those_whose_days_follow_each_other(
    by_date: SplitParams, lost: list[int], horizon: int, kind: Any
) -> None:
    kept_T = np.delete(DAYS, lost)
    between = sorted(str(DAYS[day]) for day in lost if kept_T[0] < DAYS[day] < kept_T[-1])
    params = dataclasses.replace(by_date, kind=kind, validation_start=None, test_start=None, block_days=40)
    whole = make_splits(kept_T, params, CONTEXT, horizon, seed=1)
    left = spans(without_lost_days(whole, kept_T, between, CONTEXT))
    day_T = (kept_T - DAYS[0]).astype(int)
    expected = [span for span in spans(whole) if day_T[span[2]] - day_T[span[1]] == span[2] - span[1]]
    assert left == expected


@given(lost=st.lists(st.integers(1, 398), min_size=1, max_size=12, unique=True))
@settings(max_examples=40)
def test_a_block_that_stands_for_one_window_gives_one_at_most(by_date: SplitParams, lost: list[int]) -> None:
    kept_T = np.delete(DAYS, lost)
    between = sorted(str(DAYS[day]) for day in lost)
    params = dataclasses.replace(by_date, kind="chunks", windows_per_block=1)
    whole = make_splits(kept_T, params, CONTEXT, 1, seed=1)
    cut = without_lost_days(whole, kept_T, between, CONTEXT)
    for region in (Region.VALIDATION, Region.TEST):
        before, after = (each.region(region).ends_N(CONTEXT, 1) for each in (whole, cut))
        assert len(after) <= len(before)


def test_where_no_day_was_lost_the_splits_are_as_they_were(by_date: SplitParams) -> None:
    params = dataclasses.replace(by_date, validation_start=dt.date(2001, 6, 1), test_start=dt.date(2001, 9, 1))
    whole = make_splits(DAYS, params, CONTEXT, 1, seed=1)
    assert without_lost_days(whole, DAYS, (), CONTEXT) is whole


@pytest.fixture
def study(tmp_path: Path) -> Places:
    """A study of c33 whose VIX lacks two days."""
    places = make_study(tmp_path, data__tier="c33")
    write_vix(places, lost=(500, 860))
    return places


def write_vix(places: Places, lost: tuple[int, ...]) -> None:
    import pandas as pd

    bars = pd.read_parquet(places.bars("tiny"))
    vix = bars.drop(index=list(lost))[["Date", "Open", "High", "Low", "Close"]].copy()
    vix[["Open", "High", "Low", "Close"]] /= 5.0
    vix.to_parquet(places.bars("vix"), index=False)


def test_the_stages_of_c33_make_windows_and_say_how_lost_days_thin_the_regions(study: Places, capsys: Any) -> None:
    from tests.studies import verb

    params = params_of(study)
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(study, params)
    said = capsys.readouterr().err
    assert "loses 2 on which VIX is missing" in said
    record = read_json(study.horizon_splits(1))
    (note,) = [note for note in record["notes"] if "lost" in note]
    assert "2 days" in note
    # A window of 32 days and its label's: 32 windows of training reach across the first day, 32 of test the second.
    assert "train 32 of" in note
    assert "test 32 of" in note
    dataset = load_dataset(
        study.features, study.horizon_splits(1), target=params.target, windows=params.windows, horizon=1
    )
    assert dataset.windows.train.batch(np.arange(3)).shape == (3, 32, 33)
    days_T, holes = dataset.table.dates_T, np.array(dataset.table.lost_between, dtype="datetime64[D]")
    for region in Region:
        ends_N = dataset.windows.region(region).ends_N
        for hole in holes:
            assert not ((days_T[ends_N - 31] < hole) & (days_T[ends_N + 1] > hole)).any()
