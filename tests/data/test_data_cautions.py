"""What of the bars is said beside a verdict: each kind, where it counts and where it does not."""

from __future__ import annotations

import numpy as np
import pytest

from tsladder.data.bars import Bars, adjusted_bars
from tsladder.data.data_cautions import cautions, split_like
from tsladder.data.irregular_days import IrregularDays, irregular_days
from tsladder.data.splits import Segment, Split, Splits
from tsladder.data.used_days import UsedDays
from tsladder.params import TargetParams
from tsladder.vocabulary import Region

HIGH = TargetParams(task="threshold_1pct", price="high")
CLOSE = TargetParams(task="threshold_1pct", price="close")
DAYS = 1000
WARM_UP = 100
REGIONS = {Region.TRAIN: (0, 599), Region.VALIDATION: (600, 699), Region.TEST: (700, 899)}
TRAIN, VALIDATION, TEST, BEFORE = 300, 750, 900, 50
"""Rows of the bars in each region, and in the warm-up."""


def bars() -> Bars:
    """Weekdays from 2000-01-03 on, without an event."""
    dates_T = np.busday_offset("2000-01-03", np.arange(DAYS), roll="forward").astype("datetime64[D]")
    close_T = 100.0 + np.sin(np.arange(DAYS))
    ones_T = np.ones(DAYS)
    return Bars(
        symbol="x",
        dates_T=dates_T,
        open_T=close_T.copy(),
        high_T=close_T + 1.0,
        low_T=close_T - 1.0,
        close_T=close_T,
        volume_T=1000.0 * ones_T,
    )


def used(found: Bars, *regions: Region) -> UsedDays:
    """Those days of `found` that follow the warm-up."""
    splits = {r: Split(region=r, segments=(Segment(first=a, last=b),)) for r, (a, b) in REGIONS.items()}
    cut = Splits(horizon=1, train=splits[Region.TRAIN], validation=splits[Region.VALIDATION], test=splits[Region.TEST])
    return UsedDays.of(cut, found.dates_T[WARM_UP:], regions or tuple(Region))


def split_at(row: int, ratio: float = 0.5) -> Bars:
    found = bars()
    for prices_T in (found.open_T, found.high_T, found.low_T, found.close_T):
        prices_T[row:] *= ratio
    return found


def without(rows: range) -> Bars:
    whole = bars()
    kept = np.setdiff1d(np.arange(DAYS), np.array(rows))
    series = {name: getattr(whole, f"{name}_T")[kept] for name in ("dates", "open", "high", "low", "close", "volume")}
    return Bars(symbol="x", **{f"{name}_T": values for name, values in series.items()})


def notes(found: Bars, target: TargetParams = HIGH, *, record: dict[str, object] | None = None) -> list[str]:
    return list(cautions("x", look(found, record), used(bars()), target))


def look(found: Bars, record: dict[str, object] | None = None) -> IrregularDays:
    return irregular_days(found, None, record or {})


def repaired(kind: str, rows: list[int], **entry: object) -> dict[str, object]:
    """A record of ingestion that touched these rows."""
    days = bars().dates_T
    touched = [{"row": row, "day": str(days[row]), **entry} for row in rows]
    return {"repairs": [{"kind": kind, "count": len(rows), "words": "said", "rows": touched}]}


def test_valid_bars_cause_no_caution() -> None:
    assert notes(bars()) == []


@pytest.mark.parametrize(("row", "region"), [(TRAIN, "training"), (VALIDATION, "validation"), (TEST, "test")])
def test_a_jump_is_reported_with_its_day_its_region_and_the_split_that_it_looks_like(row: int, region: str) -> None:
    (sentence,) = notes(split_at(row))
    assert f"falls by 50% on {bars().dates_T[row]} ({region}), as an unadjusted split of 2:1 does" in sentence
    assert "labels and features around that day are wrong" in sentence
    assert "Adj Close" in sentence


def test_what_lies_before_the_days_used_is_not_said_beside_the_verdict() -> None:
    assert notes(split_at(BEFORE)) == []
    assert notes(without(range(BEFORE, BEFORE + 30))) == []
    assert notes(bars(), record=repaired("drop-faulty-rows", [BEFORE], why="broken")) == []


def test_many_jumps_are_one_sentence_that_names_the_first() -> None:
    found = bars()
    for row in range(TRAIN, TRAIN + 60, 10):
        found.close_T[row:] *= 0.5
    (sentence,) = notes(found)
    assert sentence.count("falls by") == 4
    assert "2 more times" in sentence


def test_a_reverse_split_is_reported_with_the_factor_of_the_close() -> None:
    found = split_at(TRAIN, ratio=10.0)
    (sentence,) = notes(found)
    times = found.close_T[TRAIN] / found.close_T[TRAIN - 1]
    assert f"rises to {times:.3g} times the day before on" in sentence
    assert "as an unadjusted split of 1:10 does" in sentence


@pytest.mark.parametrize(
    ("ratio", "split"),
    [(0.5, "2:1"), (0.49, "2:1"), (0.1, "10:1"), (2.05, "1:2"), (0.4, "5:2"), (0.58, None), (1.45, None)],
)
def test_a_split_is_recognised_by_its_ratio(ratio: float, split: str | None) -> None:
    assert split_like(ratio) == split


def test_a_jump_that_adj_close_does_not_have_is_reported_with_the_parameter_to_set() -> None:
    jumping = split_at(TEST)
    sound = adjusted_bars(jumping, bars().close_T)
    assert "set data.adjust: true" in irregular_days(jumping, sound, {}).jump_way
    assert "Adj Close jumps there, too" in irregular_days(jumping, jumping, {}).jump_way
    assert irregular_days(sound, sound, {}, is_adjusted=True).jumps == ()


def test_a_gap_that_no_holiday_explains_is_reported_and_a_shorter_one_is_not() -> None:
    (sentence,) = notes(without(range(TRAIN, TRAIN + 20)))
    days = bars().dates_T
    assert f"no bars from {days[TRAIN - 1]} to {days[TRAIN + 20]} (31 days, training)" in sentence
    assert "labels asked before such a gap are answered after it" in sentence
    # Golden Week: a whole week and its weekends.
    assert notes(without(range(TRAIN, TRAIN + 5))) == []


def test_a_gap_between_two_regions_is_crossed_by_no_window() -> None:
    start = WARM_UP + REGIONS[Region.VALIDATION][0]
    found = without(range(start - 15, start + 15))
    segments = {Region.TRAIN: (0, 584), Region.VALIDATION: (585, 669), Region.TEST: (670, 869)}
    runs = {r: [(found.dates_T[WARM_UP + a], found.dates_T[WARM_UP + b])] for r, (a, b) in segments.items()}
    days = UsedDays(runs=runs, rows={r: b - a + 1 for r, (a, b) in segments.items()})
    assert cautions("x", look(found), days, HIGH) == ()


def test_rare_bars_are_reported() -> None:
    whole = bars()
    kept = np.concatenate([np.arange(TRAIN), np.arange(TRAIN, DAYS, 7)])
    series = {name: getattr(whole, f"{name}_T")[kept] for name in ("dates", "open", "high", "low", "close", "volume")}
    rare = Bars(symbol="x", **{f"{name}_T": values for name, values in series.items()})
    assert any("x often has no bars for days" in sentence for sentence in notes(rare))


def test_days_left_out_are_reported_by_region_and_option() -> None:
    (sentence,) = notes(bars(), record=repaired("drop-faulty-rows", [BEFORE, TRAIN, TEST, TEST + 5], why="broken"))
    assert "3 days of x inside the days used were left out (1 of training and 2 of test; --drop-faulty-rows" in sentence
    assert f"first {bars().dates_T[TRAIN]}" in sentence
    (sentence,) = notes(bars(), record=repaired("missing-volume", [TEST], why="Volume is missing: left out"))
    assert "1 day of x inside the days used was left out (1 of test; --missing-volume drop" in sentence


def test_a_row_whose_day_could_not_be_read_is_counted_and_not_placed() -> None:
    record = repaired("drop-faulty-rows", [TEST], why="broken")
    record["repairs"][0]["rows"].append({"row": 7, "day": None, "why": "no day"})  # type: ignore[index]
    found = look(bars(), record)
    assert (len(found.left_out[0].days), found.left_out[0].unknown) == (1, 1)


def test_widened_days_are_reported_above_a_small_share_with_what_they_do_to_the_target() -> None:
    step = {"high": [100.0, 105.0], "low": [99.0, 99.0]}
    few, many = [repaired("range", list(range(TEST, TEST + count)), **step) for count in (2, 5)]
    assert notes(bars(), record=few) == []
    (sentence,) = notes(bars(), record=many)
    assert "on 2.5% of the test days (5 of 200), by 5.00% at most" in sentence
    assert "labels may miss a touch" in sentence
    (sentence,) = notes(bars(), CLOSE, record=many)
    assert "labels" not in sentence


def test_days_without_trade_are_reported_as_a_share_and_by_what_their_prices_do() -> None:
    found = bars()
    found.volume_T[TEST : TEST + 2] = 0.0
    assert notes(found) == []
    found.volume_T[TEST : TEST + 20] = 0.0
    (sentence,) = notes(found)
    assert "the Volume of x is 0 on 10.0% of the test days (20 of 200)" in sentence
    assert "columns made of Volume" in sentence
    assert cautions("x", look(found), used(bars()), HIGH, volume_used=False) == ()
    found.close_T[TEST : TEST + 20] = found.close_T[TEST - 1]
    (sentence,) = notes(found)
    assert "the Close repeats the day before on 20 of these 20" in sentence
    (sentence,) = notes(found, record=repaired("missing-volume", [TEST], why="Volume is missing: taken as 0"))
    assert "(1 of them had none, --missing-volume zero)" in sentence


@pytest.mark.parametrize("volume", [0.0, np.nan])
def test_a_series_without_any_volume_has_no_days_without_trade(volume: float) -> None:
    found = bars()
    found.volume_T[:] = volume
    assert notes(found) == []


def test_a_symbol_that_is_only_trained_on_counts_in_training_alone() -> None:
    days = used(bars(), Region.TRAIN)
    assert cautions("x", look(split_at(TEST)), days, HIGH) == ()
    assert len(cautions("x", look(split_at(TRAIN)), days, HIGH)) == 1
