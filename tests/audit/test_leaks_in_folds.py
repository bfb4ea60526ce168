"""Leaks planted in one fold of a walk forward: caught by the probes that look at days and at normalisation."""

from __future__ import annotations

import dataclasses

import pytest
from tests.audit.leaks import column_shifted, with_fold_segment, with_step

from tsladder.audit.days import label_reach, shared_days
from tsladder.audit.normalisation import normalisation
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import FoldWindows, WindowSet
from tsladder.errors import WorkFailed
from tsladder.vocabulary import ProbeOutcome, Region


def segment(subject: Subject, fold: int, region: Region) -> tuple[int, int]:
    ((first, last),) = getattr(subject.splits_records[2].splits.folds[fold - 1], region.value).segments
    return first, last


def test_an_honest_walk_forward_passes_and_its_gaps_are_measured(walking: Subject) -> None:
    shared, reach = shared_days(walking), label_reach(walking)
    assert (shared.passed, reach.passed, normalisation(walking).passed) == (True, True, True)
    made = walking.windows(2)
    counted = sum(len(fold.train) + len(fold.validation) for fold in made.folds) + len(made.test)
    assert shared.numbers["windows"] == counted
    # A purge of four days for labels of two leaves two days between; the embargo is three.
    assert reach.numbers["h2_days_from_train_to_validation"] == 1 + 2
    assert reach.numbers["h2_days_from_validation_to_test"] == 1 + 3


@pytest.mark.parametrize("fold", [1, 2])
def test_a_fold_that_trains_on_its_own_validation_is_caught(walking: Subject, fold: int) -> None:
    first, last = segment(walking, fold, Region.TRAIN)
    leaking = with_fold_segment(walking, 2, fold, Region.TRAIN, first, last + 10)
    shared, reach = shared_days(leaking), label_reach(leaking)
    assert shared.outcome is ProbeOutcome.FAILED
    # Two days were free between them.
    assert shared.numbers["shared_days"] == 8
    assert f"h2 fold {fold}: train and validation share 8 days" in shared.words
    assert reach.outcome is ProbeOutcome.FAILED
    assert reach.numbers["h2_days_touched"] == 8
    assert f"h2 fold {fold}: labels of train reach 8 days into what validation shows" in reach.words


def test_a_fold_whose_training_reaches_into_test_is_caught(walking: Subject) -> None:
    ((test_first, _),) = walking.splits_records[2].splits.test.segments
    first, _ = segment(walking, 1, Region.TRAIN)
    finding = shared_days(with_fold_segment(walking, 2, 1, Region.TRAIN, first, test_first + 4))
    assert "h2 fold 1: train and test share 5 days" in finding.words


def test_two_folds_that_are_validated_on_the_same_days_are_caught(walking: Subject) -> None:
    first, last = segment(walking, 1, Region.VALIDATION)
    finding = shared_days(with_fold_segment(walking, 2, 1, Region.VALIDATION, first, last + 9))
    assert finding.outcome is ProbeOutcome.FAILED
    # Three of them are the embargo's.
    assert finding.numbers["shared_days"] == 6
    assert "validation of h2 fold 1 and its own share 6 days" in finding.words


def test_a_fold_normalised_by_what_a_later_one_trains_on_is_caught(walking: Subject) -> None:
    honest = walking.pipeline.windows

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        made = honest(table, splits, y_T)
        if not made.earlier:
            return made
        mean = float(made.train.last_day()[:, 0].mean() + made.train.shift_NF[:, 0].mean())
        first, *rest = made.earlier
        leaked = FoldWindows(train=column_shifted(first.train, mean), validation=column_shifted(first.validation, mean))
        return dataclasses.replace(made, earlier=(leaked, *rest))

    finding = normalisation(with_step(walking, windows=cut, ratio_windows=cut))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["largest_change_statistics"] > 1e-6
    assert finding.numbers["largest_change_own_days"] <= 1e-6


def test_windows_of_fewer_folds_than_are_stored_are_an_error(walking: Subject) -> None:
    honest = walking.pipeline.windows

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        made = honest(table, splits, y_T)
        return dataclasses.replace(made, earlier=made.earlier[1:])

    with pytest.raises(WorkFailed, match="3 folds are stored and 2 are trained on"):
        shared_days(with_step(walking, windows=cut))


def test_a_fold_without_windows_is_an_error_and_no_pass(walking: Subject) -> None:
    first, _ = segment(walking, 1, Region.VALIDATION)
    with pytest.raises(WorkFailed, match="no window in validation of fold 1"):
        shared_days(with_fold_segment(walking, 2, 1, Region.VALIDATION, first, first + 3))
