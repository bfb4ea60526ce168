"""The folds of a walk forward: what each may see, how they lie in time, and what is refused."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tsladder.artifacts.record import json_of, record_of
from tsladder.artifacts.splits import SplitDays
from tsladder.data.contiguous import without_lost_days
from tsladder.data.cuts import make_splits
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits, check_splits, count_earlier, count_regions
from tsladder.data.targets import labels
from tsladder.data.windows import build_windows
from tsladder.errors import BadInput
from tsladder.params import SplitParams, TargetParams, WindowParams
from tsladder.vocabulary import Region

DAYS = np.datetime64("1993-01-01") + np.arange(2000)


@pytest.fixture(scope="module")
def walking(by_date: SplitParams) -> SplitParams:
    return dataclasses.replace(by_date, kind="walk_forward")


@pytest.fixture(scope="module")
def by_share(walking: SplitParams) -> SplitParams:
    return dataclasses.replace(walking, validation_start=None, test_start=None)


def segments(splits: Splits) -> list[list[tuple[int, int]]]:
    """First and last row of training and of validation, fold by fold."""
    return [[(s.first, s.last) for split in (f.train, f.validation) for s in split.segments] for f in splits.folds]


def test_hundred_days_in_two_folds_are_cut_as_worked_out_by_hand(by_share: SplitParams) -> None:
    """Test takes days 80 to 99, validation days 40 to 79 in two blocks of 20; the last of each five are the embargo,
    and of the seven purged days before a block the horizon's three stay in the segment as label days."""
    params = dataclasses.replace(
        by_share, validation_fraction=0.4, test_fraction=0.2, folds=2, purge_days=7, embargo_days=5
    )
    splits = make_splits(DAYS[:100], params, 4, 3, seed=0)
    assert segments(splits) == [[(0, 35), (40, 54)], [(0, 55), (60, 74)]]
    assert [(s.first, s.last) for s in splits.test.segments] == [(80, 99)]
    assert splits.folds[0].train.ends_N(4, 3)[-1] == 40 - 1 - 7
    assert (splits.train, splits.validation) == (splits.folds[-1].train, splits.folds[-1].validation)


def test_a_purge_of_the_horizon_is_that_of_null(by_share: SplitParams) -> None:
    of_horizon = dataclasses.replace(by_share, purge_days=3)
    assert make_splits(DAYS, of_horizon, 20, 3, seed=0) == make_splits(DAYS, by_share, 20, 3, seed=0)


def test_test_and_the_days_before_it_are_cut_as_by_date(
    sp500_table: FeatureTable, by_date: SplitParams, walking: SplitParams
) -> None:
    plain = make_splits(sp500_table.dates_T, by_date, 80, 1, seed=0)
    splits = make_splits(sp500_table.dates_T, walking, 80, 1, seed=0)
    assert splits.test == plain.test
    assert splits.folds[0].train == plain.train
    assert splits.folds[0].validation.segments[0].first == plain.validation.segments[0].first
    assert splits.folds[-1].validation.segments[0].last == plain.validation.segments[0].last


@given(
    days=st.integers(60, 1200),
    context_length=st.integers(4, 30),
    horizon=st.integers(1, 10),
    folds=st.integers(2, 8),
    longer_purge=st.none() | st.integers(0, 30),
    embargo_days=st.integers(0, 30),
    fraction=st.floats(0.1, 0.4),
)
@settings(max_examples=60, deadline=None)
def test_folds_expand_in_time_order_and_no_day_is_seen_twice_where_it_must_not_be(
    by_share: SplitParams,
    days: int,
    context_length: int,
    horizon: int,
    folds: int,
    longer_purge: int | None,
    embargo_days: int,
    fraction: float,
) -> None:
    purge_days = None if longer_purge is None else horizon + longer_purge
    params = dataclasses.replace(
        by_share,
        validation_fraction=fraction,
        test_fraction=fraction,
        folds=folds,
        purge_days=purge_days,
        embargo_days=embargo_days,
    )
    try:
        splits = make_splits(DAYS[:days], params, context_length, horizon, seed=0)
    except BadInput:
        assume(False)
    assert len(splits.folds) == folds
    kept = [split for fold in splits.folds for split in (fold.train, fold.validation)] + [splits.test]
    # First input day, last input day and last label day of every window.
    spans = [
        [(end - context_length + 1, end, end + horizon) for end in split.ends_N(context_length, horizon).tolist()]
        for split in kept
    ]
    for split, windows in zip(kept, spans, strict=True):
        (segment,) = split.segments
        assert all(segment.first <= first and last <= segment.last for first, _, last in windows)
    test = spans.pop()
    trained, judged = spans[0::2], spans[1::2]
    for before, after in itertools.pairwise(trained):
        assert set(before) <= set(after)
        assert not before or len(before) < len(after)
    for train, validation in zip(trained, judged, strict=True):
        assume(train and validation)
        assert validation[0][0] - train[-1][2] >= 1
        assert validation[0][0] - train[-1][1] == 1 + (purge_days or horizon)
    for before, after in itertools.pairwise([*judged, test]):
        assume(before and after)
        assert after[0][0] - before[-1][2] == 1 + embargo_days
    assert all(last < test[0][0] for windows in trained for _, _, last in windows)


def test_folds_come_back_from_their_record_and_splits_by_date_say_nothing_of_folds(
    by_date: SplitParams, by_share: SplitParams
) -> None:
    splits = make_splits(DAYS, dataclasses.replace(by_share, embargo_days=4), 60, 3, seed=42)
    assert Splits.of_days(record_of(SplitDays, json_of(splits.days()), source="h3.json")) == splits
    assert len(splits.days().folds) == 4
    by_row = dataclasses.replace(by_date, validation_start=None, test_start=None)
    assert "folds" not in json_of(make_splits(DAYS, by_row, 60, 3, seed=42).days())


def test_a_purge_below_the_horizon_is_never_cut(by_share: SplitParams) -> None:
    with pytest.raises(ValueError, match=r"purge_days \(2\) below the horizon \(3\)"):
        make_splits(DAYS, dataclasses.replace(by_share, purge_days=2), 20, 3, seed=0)


def test_purge_and_embargo_that_eat_a_fold_are_refused_with_the_fold_named(by_share: SplitParams) -> None:
    with pytest.raises(BadInput, match="4 folds leave no day") as caught:
        make_splits(DAYS, dataclasses.replace(by_share, embargo_days=75), 20, 3, seed=0)
    assert caught.value.faults[0] == "fold 1 has 75 days of validation, and splits.embargo_days takes them all"
    early = dataclasses.replace(by_share, validation_fraction=0.8, purge_days=200)
    with pytest.raises(BadInput) as caught:
        make_splits(DAYS, early, 20, 3, seed=0)
    assert caught.value.faults == ("fold 1 has 100 days before its validation, and splits.purge_days takes them all",)


def test_the_guard_names_the_fold_and_the_class_that_is_too_thin(
    sp500_table: FeatureTable, walking: SplitParams, touch_1pct: TargetParams
) -> None:
    params = dataclasses.replace(walking, folds=3, min_positives=60)
    splits = make_splits(sp500_table.dates_T, params, 80, 1, seed=0)
    y_T = labels(sp500_table, touch_1pct, 1)
    counts = count_regions(splits, y_T, sp500_table.dates_T, 80)
    earlier = count_earlier(splits, y_T, sp500_table.dates_T, 80)
    positives = [int(y_T[fold.validation.ends_N(80, 1)].sum()) for fold in splits.folds]
    thin = [number for number, count in enumerate(positives, start=1) if count < 60]
    assert 0 < len(thin) < 3, positives
    with pytest.raises(BadInput, match=r"lower splits\.folds") as caught:
        check_splits(counts, params, 1, earlier)
    assert [fault.split(" has ")[0] for fault in caught.value.faults] == [f"validation of fold {n}" for n in thin]
    (note,) = check_splits(counts, dataclasses.replace(params, min_positives=5), 1, earlier)
    assert "train of fold 1" in note
    assert note.count("validation of fold") == 3


def test_a_lost_day_cuts_the_segments_of_every_fold(by_share: SplitParams) -> None:
    """Of 1998 days the last 299 are test; validation is cut at rows 1400, 1474, 1549, 1624 and 1699."""
    dates_T = np.delete(DAYS, [101, 1501])
    whole = make_splits(dates_T, by_share, 20, 1, seed=0)
    splits = without_lost_days(whole, dates_T, [str(DAYS[101]), str(DAYS[1501])], 20)
    assert [fold.validation.segments[0].first for fold in whole.folds] == [1400, 1474, 1549, 1624]
    for fold in splits.folds:
        for split in (fold.train, fold.validation):
            ends_N = split.ends_N(20, 1)
            for first_after in (101, 1500):
                assert not ((ends_N - 19 < first_after) & (first_after <= ends_N + 1)).any()
    assert [len(fold.train.segments) for fold in splits.folds] == [2, 2, 3, 3]
    assert [len(fold.validation.segments) for fold in splits.folds] == [1, 2, 1, 1]


@pytest.mark.parametrize("normalisation", ["ratio", "revin"])
def test_every_fold_is_normalised_by_its_own_training_windows(
    sp500_table: FeatureTable, by_date: SplitParams, walking: SplitParams, touch_1pct: TargetParams, normalisation: str
) -> None:
    """The oracle: a study by date whose validation is the fold's, and that knows of no other fold."""
    y_T = labels(sp500_table, touch_1pct, 1)
    windows = WindowParams(context_length=80, normalisation=normalisation)  # type: ignore[arg-type]
    splits = make_splits(sp500_table.dates_T, dataclasses.replace(walking, folds=3), 80, 1, seed=0)
    made = build_windows(sp500_table, splits, y_T, windows)
    assert len(made.folds) == 3
    for fold, cut in zip(made.folds, splits.folds, strict=True):
        alone = Splits(horizon=1, train=cut.train, validation=cut.validation, test=splits.test)
        oracle = build_windows(sp500_table, alone, y_T, windows)
        for region, found in ((Region.TRAIN, fold.train), (Region.VALIDATION, fold.validation)):
            some = np.arange(0, len(found), 50)
            assert found.fingerprint() == oracle.region(region).fingerprint()
            np.testing.assert_array_equal(found.batch(some), oracle.region(region).batch(some))
        assert fold.train.series_TF is made.train.series_TF
    if normalisation == "ratio":
        assert not np.array_equal(made.folds[0].train.shift_NF[0], made.folds[2].train.shift_NF[0])
