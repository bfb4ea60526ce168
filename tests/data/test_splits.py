"""Which window belongs where: counts that must come out, and the law that regions share no day."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tsladder.artifacts.record import json_of, record_of
from tsladder.artifacts.splits import RegionCount, SplitDays
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Split, Splits, check_splits, count_regions
from tsladder.data.targets import labels
from tsladder.errors import BadInput
from tsladder.params import SplitParams, TargetParams
from tsladder.vocabulary import Region

DAYS = np.datetime64("1993-01-01") + np.arange(8073)


def span(split: Split, context_length: int, horizon: int) -> set[int]:
    """Every row that some window of `split` shows or asks about."""
    ends = split.ends_N(context_length, horizon).tolist()
    return {row for end in ends for row in range(end - context_length + 1, end + horizon + 1)}


def thin(windows: int, positives: int) -> RegionCount:
    day = dt.date(2020, 1, 1)
    rate = positives / windows if windows else None
    return RegionCount(windows=windows, positives=positives, base_rate=rate, first_day=day, last_day=day)


@pytest.fixture(scope="module")
def in_chunks(by_date: SplitParams) -> SplitParams:
    return dataclasses.replace(by_date, kind="chunks")


@pytest.fixture(scope="module")
def one_window(in_chunks: SplitParams) -> SplitParams:
    return dataclasses.replace(in_chunks, windows_per_block=1)


def test_sp500_by_date_gives_2740_926_926_windows_with_685_167_139_positives(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=42)
    counts = count_regions(splits, labels(sp500_table, touch_1pct, 1), sp500_table.dates_T, 80)
    assert [counts[region].windows for region in Region] == [2740, 926, 926]
    assert [counts[region].positives for region in Region] == [685, 167, 139]


def test_the_first_window_of_a_region_by_date_starts_on_its_first_day(
    sp500_table: FeatureTable, by_date: SplitParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 5, seed=42)
    first = splits.test.ends_N(80, 5)[0] - 79
    assert str(sp500_table.dates_T[first]) == "2015-01-02"
    assert splits.test.ends_N(80, 5)[-1] + 5 == 4831
    last = splits.validation.ends_N(80, 5)[-1] + 5
    assert str(sp500_table.dates_T[last]) == "2014-12-31"


@pytest.mark.parametrize(("horizon", "training_windows", "blocks"), [(1, 4075, 132), (3, 4182, 128), (5, 4312, 124)])
def test_one_window_a_block_repeats_the_earlier_study(
    one_window: SplitParams, horizon: int, training_windows: int, blocks: int
) -> None:
    splits = make_splits(DAYS, one_window, 60, horizon, seed=42)
    assert len(DAYS) // (60 + horizon) == blocks
    assert len(splits.train.ends_N(60, horizon)) == training_windows
    held = int(0.15 * blocks)
    assert len(splits.validation.ends_N(60, horizon)) == len(splits.test.ends_N(60, horizon)) == held


def test_blocks_are_shuffled_by_their_numbers_and_validation_takes_the_first(one_window: SplitParams) -> None:
    splits = make_splits(DAYS, one_window, 60, 1, seed=42)
    order = np.arange(132)
    np.random.default_rng(42).shuffle(order)
    firsts = {region: [segment.first for segment in splits.region(region).segments] for region in Region}
    assert firsts[Region.VALIDATION] == sorted(61 * order[:19])
    assert firsts[Region.TEST] == sorted(61 * order[19:38])


def test_the_earlier_study_had_19_validation_and_19_test_windows_at_h1(one_window: SplitParams) -> None:
    splits = make_splits(DAYS, one_window, 60, 1, seed=42)
    assert (len(splits.validation.segments), len(splits.test.segments)) == (19, 19)


def test_the_earlier_studys_split_is_refused_by_the_guard_unless_it_is_lowered(
    sp500_table: FeatureTable, one_window: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, one_window, 60, 1, seed=42)
    counts = count_regions(splits, labels(sp500_table, touch_1pct, 1), sp500_table.dates_T, 60)
    with pytest.raises(BadInput, match=r"splits\.min_positives") as caught:
        check_splits(counts, one_window, 1)
    assert any(fault.startswith("validation has") for fault in caught.value.faults)
    check_splits(counts, dataclasses.replace(one_window, min_positives=0), 1)
    assert check_splits(counts, one_window, 1, counts_positives=False) == ()


def test_a_region_without_windows_is_refused_also_where_a_task_has_no_classes(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=42)
    counts = count_regions(splits, labels(sp500_table, touch_1pct, 1), sp500_table.dates_T, 80)
    none = dataclasses.replace(counts[Region.TEST], windows=0, positives=0)
    with pytest.raises(BadInput) as caught:
        check_splits({**counts, Region.TEST: none}, by_date, 1, counts_positives=False)
    assert [fault.split(":")[0] for fault in caught.value.faults] == ["test has no window"]


def test_returns_are_counted_as_up_days_and_others_by_the_same_guard(
    sp500_table: FeatureTable, by_date: SplitParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=42)
    both = [
        count_regions(splits, labels(sp500_table, TargetParams(task=task, price="close"), 1), sp500_table.dates_T, 80)
        for task in ("regression", "direction")
    ]
    assert both[0] == both[1]
    rising = np.where(np.isnan(labels(sp500_table, TargetParams(task="regression", price="close"), 1)), np.nan, 0.01)
    counts = count_regions(splits, rising, sp500_table.dates_T, 80)
    with pytest.raises(BadInput, match=r"splits\.min_positives") as caught:
        check_splits(counts, by_date, 1)
    assert any(fault.startswith("test has 0 negatives") for fault in caught.value.faults)


@given(
    days=st.integers(60, 700),
    context_length=st.integers(4, 40),
    horizon=st.integers(1, 10),
    block_days=st.integers(14, 80),
    seed=st.integers(0, 1000),
    kind=st.sampled_from(["dates", "chunks"]),
    single=st.booleans(),
    fraction=st.floats(0.05, 0.4),
)
@settings(max_examples=60, deadline=None)
def test_no_day_is_shown_or_asked_about_in_two_regions(
    by_date: SplitParams,
    days: int,
    context_length: int,
    horizon: int,
    block_days: int,
    seed: int,
    kind: Any,
    single: bool,
    fraction: float,
) -> None:
    params = dataclasses.replace(
        by_date,
        kind=kind,
        validation_start=None,
        test_start=None,
        validation_fraction=fraction,
        test_fraction=fraction,
        block_days=block_days,
        windows_per_block=1 if single else "all",
    )
    try:
        splits = make_splits(DAYS[:days], params, context_length, horizon, seed)
    except BadInput:
        assume(False)
    spans = [span(splits.region(region), context_length, horizon) for region in Region]
    for one, other in itertools.combinations(spans, 2):
        assert not one & other
    assert set().union(*spans) <= set(range(days))
    for region in Region:
        inside = {
            end
            for segment in splits.region(region).segments
            for end in range(segment.first + context_length - 1, segment.last - horizon + 1)
        }
        assert set(splits.region(region).ends_N(context_length, horizon).tolist()) <= inside
        if not (single and kind == "chunks"):
            assert set(splits.region(region).ends_N(context_length, horizon).tolist()) == inside
    covered = sorted(
        row for region in Region for s in splits.region(region).segments for row in range(s.first, s.last + 1)
    )
    assert covered == list(range(days))


def test_training_runs_are_merged_so_that_a_window_may_cross_two_training_blocks(in_chunks: SplitParams) -> None:
    splits = make_splits(DAYS, in_chunks, 60, 1, seed=42)
    assert all(a.last + 1 < b.first for a, b in itertools.pairwise(splits.train.segments))
    assert any(segment.last - segment.first + 1 > 252 for segment in splits.train.segments)
    assert all(segment.last - segment.first + 1 == 252 for segment in splits.validation.segments)


def test_another_seed_shuffles_other_blocks_and_the_same_seed_the_same(in_chunks: SplitParams) -> None:
    first, again, other = (make_splits(DAYS, in_chunks, 60, 1, seed) for seed in (42, 42, 43))
    assert first == again
    assert first != other


def test_blocks_of_days_do_not_depend_on_the_horizon(in_chunks: SplitParams) -> None:
    h1, h5 = (make_splits(DAYS, in_chunks, 60, horizon, 42) for horizon in (1, 5))
    assert (h1.validation, h1.test) == (h5.validation, h5.test)


def test_without_dates_the_fractions_cut_by_row_count(by_date: SplitParams) -> None:
    params = dataclasses.replace(by_date, validation_start=None, test_start=None, test_fraction=0.29)
    splits = make_splits(DAYS[:100], params, 5, 1, seed=0)
    ranges = [(splits.region(region).segments[0].first, splits.region(region).segments[0].last) for region in Region]
    assert ranges == [(0, 55), (56, 70), (71, 99)]


def test_splits_come_back_from_their_record(one_window: SplitParams, by_date: SplitParams) -> None:
    for params in (one_window, by_date):
        splits = make_splits(DAYS, params, 60, 3, seed=42)
        assert Splits.of_days(record_of(SplitDays, json_of(splits.days()), source="h3.json")) == splits


@pytest.mark.parametrize(
    ("start", "end", "empty"),
    [("1990-01-01", "2000-01-01", "train"), ("2030-01-01", "2031-01-01", "validation and test")],
)
def test_dates_that_leave_a_region_without_days_are_refused(
    by_date: SplitParams, start: str, end: str, empty: str
) -> None:
    dates = {"validation_start": dt.date.fromisoformat(start), "test_start": dt.date.fromisoformat(end)}
    with pytest.raises(BadInput, match=f"no day is left for {empty}"):
        make_splits(DAYS, dataclasses.replace(by_date, **dates), 60, 1, seed=0)


def test_a_block_shorter_than_one_window_and_too_few_blocks_are_refused(in_chunks: SplitParams) -> None:
    with pytest.raises(BadInput, match=r"splits\.block_days must be at least"):
        make_splits(DAYS, dataclasses.replace(in_chunks, block_days=60), 60, 1, seed=0)
    with pytest.raises(BadInput, match=r"hold 3 blocks"):
        make_splits(DAYS[:800], in_chunks, 60, 1, seed=0)


def test_the_horizon_of_labels_and_splits_must_be_the_same(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    splits = make_splits(sp500_table.dates_T, by_date, 80, 5, seed=42)
    with pytest.raises(ValueError, match="labels look 1 days ahead"):
        count_regions(splits, labels(sp500_table, touch_1pct, 1), sp500_table.dates_T, 80)


def test_the_guard_names_every_region_and_class_that_is_too_thin_and_the_ways_out(by_date: SplitParams) -> None:
    counts = {Region.TRAIN: thin(900, 300), Region.VALIDATION: thin(100, 29), Region.TEST: thin(100, 71)}
    with pytest.raises(BadInput) as caught:
        check_splits(counts, by_date, 3)
    assert caught.value.faults == (
        "validation has 29 positives among 100 windows, needs 30",
        "test has 29 negatives among 100 windows, needs 30",
    )
    for way in ("horizon 3", "splits.validation_start", "target.task", "splits.min_positives"):
        assert way in caught.value.headline


@pytest.mark.parametrize("region", list(Region))
def test_a_region_without_windows_is_refused_even_with_the_guard_lowered(by_date: SplitParams, region: Region) -> None:
    counts = {**dict.fromkeys(Region, thin(500, 200)), region: thin(0, 0)}
    with pytest.raises(BadInput, match=f"{region.value} has no window"):
        check_splits(counts, dataclasses.replace(by_date, min_positives=0), 1)


def test_training_windows_of_one_class_are_refused(by_date: SplitParams) -> None:
    counts = {**dict.fromkeys(Region, thin(500, 200)), Region.TRAIN: thin(500, 0)}
    with pytest.raises(BadInput, match="train has 0 positives"):
        check_splits(counts, dataclasses.replace(by_date, min_positives=0), 1)


def test_base_rates_that_swing_between_regions_are_noted(by_date: SplitParams) -> None:
    steady = {Region.TRAIN: thin(900, 300), Region.VALIDATION: thin(100, 40), Region.TEST: thin(100, 32)}
    assert check_splits(steady, by_date, 1) == ()
    (note,) = check_splits({**steady, Region.TEST: thin(100, 62)}, by_date, 1)
    assert note == "horizon 1: base rates swing between regions: train 33.3%, validation 40.0%, test 62.0%"


def test_a_region_shorter_than_a_window_has_none_and_no_rate(
    sp500_table: FeatureTable, by_date: SplitParams, touch_1pct: TargetParams
) -> None:
    late = dataclasses.replace(by_date, test_start=dt.date(2018, 12, 1))
    splits = make_splits(sp500_table.dates_T, late, 80, 1, seed=42)
    counts = count_regions(splits, labels(sp500_table, touch_1pct, 1), sp500_table.dates_T, 80)
    assert json_of(counts[Region.TEST]) == {
        "windows": 0,
        "positives": 0,
        "base_rate": None,
        "first_day": None,
        "last_day": None,
    }
