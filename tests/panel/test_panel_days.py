"""Which days are samples, and of which region: counts that must come out, and that regions share no day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.panel.made_up import made_up

from tsladder.data.cuts import make_splits
from tsladder.data.splits import Split
from tsladder.errors import BadInput
from tsladder.panel.columns import TIERS, build_columns
from tsladder.panel.day_cuts import cut_days
from tsladder.panel.days import (
    DayAxis,
    check_days,
    count_days,
    day_axis,
    sample_rows,
)
from tsladder.panel.normalise import normalise
from tsladder.panel.panel import Panel
from tsladder.panel.targets import forward_returns
from tsladder.panel.universe import find_universe
from tsladder.params import PanelSplitParams, RankTargetParams, UniverseParams
from tsladder.vocabulary import Region

BY_DATE = {
    "nyse36": (dt.date(1978, 1, 1), dt.date(1981, 1, 1)),
    "sp20": (dt.date(2006, 1, 1), dt.date(2011, 1, 1)),
}


def split_params(kind: str, validation: dt.date | None, test: dt.date | None, **more: int) -> PanelSplitParams:
    fractions = {"validation_fraction": 0.2, "test_fraction": 0.2}
    starts = {"validation_start": validation, "test_start": test}
    return PanelSplitParams(kind=kind, **starts, **fractions, **more)  # type: ignore[arg-type]


def axis_of(days: int, first_row: int = 0) -> DayAxis:
    dates_T = np.datetime64("2000-01-01") + np.arange(days)
    return DayAxis(dates_T=dates_T, stocks_TS=np.ones((days, 12), dtype=np.bool_), min_stocks=10, first_row=first_row)


def day(axis: DayAxis, row: int) -> dt.date:
    found: dt.date = axis.dates_T[row].item()
    return found


@pytest.mark.parametrize("tier", ["s9", "c21"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [("nyse36", {1: (1454, 697, 951), 5: (1450, 693, 947)}), ("sp20", {1: (3723, 1198, 2957), 5: (3719, 1194, 2953)})],
)
def test_bundled_panels_by_date_give_as_many_samples_as_are_known(
    bundled: Callable[[str], Panel], name: str, expected: dict[int, tuple[int, ...]], tier: str
) -> None:
    panel = bundled(name)
    universe = find_universe(panel, UniverseParams())
    columns = build_columns(panel, universe, TIERS[tier])
    inputs = normalise(columns.values_TSF, universe.member_TS, "rank")
    axis = day_axis(panel.dates_T, universe, inputs, min_stocks=10)
    labels = forward_returns(panel, RankTargetParams(entry_lag=1), (1, 5))
    for place, horizon in enumerate((1, 5)):
        splits = cut_days(axis, split_params("dates", *BY_DATE[name]), 60, labels.spans_M[place])
        counts = {
            region: count_days(axis, splits.region(region), 60, labels, place, panel.symbols_S) for region in Region
        }
        assert tuple(count.samples for count in counts.values()) == expected[horizon]
        assert all(count.judged == count.samples for count in counts.values())
        assert all(count.labels == count.samples * len(panel.symbols_S) for count in counts.values())
        check_days(counts, min_days=250, min_stocks=10)


def test_the_middle_fold_of_1000_sessions_validates_and_trains_on_the_days_it_must() -> None:
    axis = axis_of(1300)
    rules = PanelSplitParams(kind="purged_kfold", folds=5, embargo_days=10, test_start=day(axis, 1000))
    fold = cut_days(axis, rules, 60, 6).folds[2]
    assert fold.validation.ends_N(60, 6).tolist() == list(range(459, 594))
    assert fold.train.ends_N(60, 6).tolist() == [*range(59, 394), *range(669, 994)]


@given(
    days=st.integers(200, 600),
    folds=st.integers(2, 6),
    context_length=st.integers(4, 40),
    span=st.integers(2, 12),
    more_purge=st.integers(0, 10),
    embargo_days=st.integers(0, 30),
    first_row=st.integers(0, 50),
)
def test_no_fold_trains_on_a_day_that_its_validation_or_test_shows(
    days: int, folds: int, context_length: int, span: int, more_purge: int, embargo_days: int, first_row: int
) -> None:
    axis = axis_of(days, first_row)
    stop = first_row + (days - first_row) * 4 // 5
    rules = PanelSplitParams(
        kind="purged_kfold",
        folds=folds,
        purge_days=span + more_purge,
        embargo_days=embargo_days,
        test_start=day(axis, stop),
    )
    splits = cut_days(axis, rules, context_length, span)

    def rows(split: Split) -> set[int]:
        ends = split.ends_N(context_length, span).tolist()
        return {row for end in ends for row in range(end - context_length + 1, end + span + 1)}

    blocks = []
    for fold in splits.folds:
        (block,) = fold.validation.segments
        blocks.append((block.first, block.last + 1))
        ends = set(fold.train.ends_N(context_length, span).tolist())
        held = set(range(block.first, block.last + embargo_days + 1))
        assert not rows(fold.train) & held
        assert not any(block.first - more_purge - span <= end < block.first for end in ends)
        assert rows(fold.validation) <= set(range(block.first, block.last + 1))
        # Whatever could be trained on without touching the block, the purge, the embargo or test is trained on.
        allowed = {
            end
            for end in range(first_row + context_length - 1, stop - span)
            if end + span + more_purge < block.first or end - context_length + 1 > block.last + embargo_days
        }
        assert ends == allowed
    assert [first for first, _ in blocks] == [first_row, *(after for _, after in blocks[:-1])]
    assert blocks[-1][1] == stop
    assert rows(splits.test) <= set(range(stop, days))


@pytest.mark.parametrize("kind", ["dates", "walk_forward"])
def test_other_kinds_cut_the_sessions_from_the_first_whole_one_on_as_a_series_is_cut(kind: str) -> None:
    axis = axis_of(700, first_row=100)
    params = split_params(kind, day(axis, 400), day(axis, 600), folds=3, embargo_days=4)
    found, expected = cut_days(axis, params, 30, 6), make_splits(axis.dates_T[100:], params, 30, 6, seed=0)
    assert len(found.folds) == len(expected.folds)
    for ours, theirs in zip(found.folds, expected.folds, strict=True):
        np.testing.assert_array_equal(ours.train.ends_N(30, 6), theirs.train.ends_N(30, 6) + 100)
        np.testing.assert_array_equal(ours.validation.ends_N(30, 6), theirs.validation.ends_N(30, 6) + 100)
    np.testing.assert_array_equal(found.test.ends_N(30, 6), expected.test.ends_N(30, 6) + 100)


def test_fractions_count_the_sessions_from_the_first_whole_one_on() -> None:
    splits = cut_days(
        axis_of(1100, first_row=100),
        PanelSplitParams(kind="purged_kfold", folds=4, test_start=None, test_fraction=0.2),
        30,
        6,
    )
    assert [(s.first, s.last) for s in splits.test.segments] == [(900, 1099)]
    assert [f.validation.segments[0].first for f in splits.folds] == [100, 300, 500, 700]


def test_a_day_with_too_few_members_is_no_sample_and_is_counted() -> None:
    panel = made_up(days=420, seed=5)
    universe = find_universe(panel, UniverseParams(min_history=5))
    columns = build_columns(panel, universe, ("ret_1", "vol_21"))
    inputs = normalise(columns.values_TSF, universe.member_TS, "rank")
    axis = day_axis(panel.dates_T, universe, inputs, min_stocks=11)
    labels = forward_returns(panel, RankTargetParams(), (5,))
    splits = cut_days(axis, split_params("dates", day(axis, 200), day(axis, 300)), 30, 6)
    members_T = (universe.member_TS & inputs.here_TS).sum(axis=1)
    assert members_T[axis.first_row] >= 11
    assert (members_T[: axis.first_row] < 11).all()
    for region in Region:
        split = splits.region(region)
        rows_N, candidates_N = sample_rows(axis, split, 30, 6), split.ends_N(30, 6)
        np.testing.assert_array_equal(rows_N, [row for row in candidates_N if members_T[row] >= 11])
        count = count_days(axis, split, 30, labels, 0, panel.symbols_S)
        thin = [row for row in candidates_N if members_T[row] < 11]
        assert (count.samples, count.too_few) == (len(rows_N), len(thin))
        assert count.first_too_few == (day(axis, thin[0]) if thin else None)
        stocks_NS = axis.stocks_TS[rows_N]
        assert count.labels + count.no_entry == stocks_NS.sum()
        left = np.flatnonzero((stocks_NS & labels.left_early_TSM[rows_N, :, 0]).any(axis=0))
        assert count.left == tuple(panel.symbols_S[stock] for stock in left)
    assert sum(axis.enough_T) < len(axis.dates_T) - axis.first_row


def test_a_region_with_too_few_days_is_refused_with_counts_and_the_first_thin_day() -> None:
    axis = axis_of(700)
    axis.stocks_TS[420:450] = False
    panel = made_up(days=700, stocks=12, gaps=False)
    labels = forward_returns(panel, RankTargetParams(), (5,))
    splits = cut_days(axis, split_params("dates", day(axis, 350), day(axis, 600)), 30, 6)
    counts = {region: count_days(axis, splits.region(region), 30, labels, 0, panel.symbols_S) for region in Region}
    check_days(counts, min_days=60, min_stocks=10)
    with pytest.raises(BadInput) as refused:
        check_days(counts, min_days=200, min_stocks=10)
    assert refused.value.faults == (
        "validation needs 200 days with at least 10 stocks, has 185; 30 days have fewer, the first is 2001-02-24",
        "test needs 200 days with at least 10 stocks, has 65",
    )


def test_a_sample_whose_labels_are_too_few_is_none_to_judge_on() -> None:
    axis = axis_of(200)
    panel = made_up(days=200, stocks=12, gaps=False)
    panel.close_TS[100:, :3] = np.nan
    labels = forward_returns(panel, RankTargetParams(), (1,))
    splits = cut_days(axis, split_params("dates", day(axis, 80), day(axis, 150)), 10, 2)
    count = count_days(axis, splits.test, 10, labels, 0, panel.symbols_S)
    assert (count.samples, count.judged) == (39, 0)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (split_params("walk_forward", None, None, purge_days=5), r"at least target.entry_lag \+ horizon \(6\), got 5"),
        (
            PanelSplitParams(kind="purged_kfold", test_start=None, purge_days=5),
            r"at least target.entry_lag \+ horizon \(6\), got 5",
        ),
        (PanelSplitParams(kind="purged_kfold", test_start=dt.date(2030, 1, 1)), "lie before it"),
        (PanelSplitParams(kind="purged_kfold", test_start=dt.date(2000, 1, 3)), "lie before it"),
    ],
)
def test_splits_that_cannot_be_are_refused(rules: PanelSplitParams, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        cut_days(axis_of(300), rules, 30, 6)


def test_a_panel_without_a_day_of_enough_stocks_is_refused() -> None:
    panel = made_up(days=100)
    universe = find_universe(panel, UniverseParams(min_history=20))
    inputs = normalise(build_columns(panel, universe, ("ret_1",)).values_TSF, universe.member_TS, "rank")
    with pytest.raises(BadInput, match=r"no session has more than 1\d members"):
        day_axis(panel.dates_T, universe, inputs, min_stocks=15)
