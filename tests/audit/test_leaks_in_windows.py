"""Leaks planted in windows, splits and labels: caught by `normalisation`, `shared_days` and `label_reach`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.audit.leaks import (
    column_shifted,
    in_every_region,
    longer_training,
    with_segment,
    with_step,
    with_windows,
)

from tsladder.audit.days import label_reach, shared_days
from tsladder.audit.normalisation import normalisation
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import WindowSet
from tsladder.errors import WorkFailed
from tsladder.vocabulary import ProbeOutcome, Region


def test_a_window_normalised_by_the_day_after_it_is_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        return in_every_region(windows, lambda one: column_shifted(one, one.series_TF[one.ends_N + 1, 0]))

    finding = normalisation(with_windows(subject, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["largest_change_own_days"] > 0.1


def test_a_mean_over_all_windows_of_the_region_is_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        return in_every_region(
            windows, lambda one: column_shifted(one, one.last_day()[:, 0].mean()) if len(one) else one
        )

    finding = normalisation(with_windows(subject, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["largest_change_own_days"] > 1e-6


def test_training_statistics_taken_over_validation_days_are_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        if len(windows.train) == 0:
            return windows
        mean = float(windows.validation.last_day()[:, 0].mean())
        return in_every_region(windows, lambda one: column_shifted(one, mean))

    finding = normalisation(with_windows(subject, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "mean and standard deviation of training" in finding.words
    assert finding.numbers["largest_change_own_days"] == 0.0


def test_windows_that_never_change_leave_normalisation_inconclusive(subject: Subject) -> None:
    def stubborn(_table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        return subject.pipeline.windows(subject.table, splits, y_T)

    finding = normalisation(with_step(subject, windows=stubborn, ratio_windows=stubborn))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "nothing was tried" in finding.words


def test_overlapping_regions_are_caught_by_shared_days(subject: Subject) -> None:
    ((first, last),) = subject.splits_records[3].splits.validation.segments
    finding = shared_days(with_segment(subject, 3, Region.VALIDATION, first - 10, last))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["shared_days"] == 10
    assert "h3: train and validation share 10 days" in finding.words


def test_windows_cut_beyond_their_region_are_caught_by_shared_days(subject: Subject) -> None:
    finding = shared_days(with_step(subject, windows=longer_training(subject.pipeline.windows, 1)))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["days_outside_segments"] == len(subject.horizons)


def test_a_date_that_stands_in_two_rows_is_caught_by_shared_days(subject: Subject) -> None:
    ((first, _),) = subject.splits_records[1].splits.validation.segments
    dates_T = subject.table.dates_T.copy()
    dates_T[first] = dates_T[first - 1]
    finding = shared_days(dataclasses.replace(subject, table=dataclasses.replace(subject.table, dates_T=dates_T)))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["shared_days"] == len(subject.horizons)


def test_a_label_that_looks_too_far_ahead_is_caught_by_label_reach(subject: Subject) -> None:
    honest = subject.pipeline.labels

    def further(table: FeatureTable, horizon: int) -> Floats:
        y_T = honest(table, horizon + 2)
        y_T[-horizon - 2 : -horizon] = 0.0
        return y_T

    finding = label_reach(with_step(subject, labels=further))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["h1_days_ahead"] == 3
    assert finding.numbers["h1_days_touched"] == 2


def test_windows_with_the_label_of_another_day_are_caught_by_label_reach(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, y_T: Floats) -> WindowSet:
        return in_every_region(
            windows, lambda one: dataclasses.replace(one, y_N=y_T[one.ends_N - 1].astype(np.float32))
        )

    finding = label_reach(with_windows(subject, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "do not carry the label of their last day" in finding.words


def test_training_labels_that_reach_into_validation_are_caught_by_label_reach(subject: Subject) -> None:
    finding = label_reach(with_step(subject, windows=longer_training(subject.pipeline.windows, 2)))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "labels of train reach 2 days into what validation shows" in finding.words


def test_training_windows_that_touch_a_held_out_block_are_caught_by_label_reach(in_blocks: Subject) -> None:
    finding = label_reach(with_step(in_blocks, windows=longer_training(in_blocks.pipeline.windows, 1)))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["h2_days_touched"] == 1


def test_regions_out_of_order_are_caught_by_label_reach(subject: Subject) -> None:
    ((first, last),) = subject.splits_records[1].splits.validation.segments
    ((test_first, test_last),) = subject.splits_records[1].splits.test.segments
    swapped = with_segment(subject, 1, Region.VALIDATION, test_first, test_last)
    finding = label_reach(with_segment(swapped, 1, Region.TEST, first, last))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["h1_days_touched"] == 0


def test_a_region_without_windows_is_an_error_and_no_pass(subject: Subject) -> None:
    ((first, _),) = subject.splits_records[1].splits.validation.segments
    empty = with_segment(subject, 1, Region.VALIDATION, first, first + 5)
    with pytest.raises(WorkFailed, match="horizon 1 has no window in validation"):
        shared_days(empty)
