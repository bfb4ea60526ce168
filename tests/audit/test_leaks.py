"""Each leak, planted on purpose, is caught by the probe that looks for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from tests.audit.leaks import (
    column_replaced,
    column_shifted,
    in_every_region,
    joined,
    longer_training,
    with_segment,
    with_step,
    with_windows,
)

from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.build import IN_ORDER
from tsladder.audit.days import label_reach, shared_days
from tsladder.audit.normalisation import normalisation
from tsladder.audit.planted import plant, planted_future_feature
from tsladder.audit.shuffled import shuffled_targets
from tsladder.audit.small_model import Learned
from tsladder.audit.subject import Floats, Subject
from tsladder.audit.truncation import truncated_future
from tsladder.errors import BadInput, WorkFailed
from tsladder.evaluation.baselines import LAST_DAY_RATIO_LOGISTIC
from tsladder.market.bars import Bars
from tsladder.market.features import FeatureTable
from tsladder.market.splits import Splits
from tsladder.market.windows import WindowSet
from tsladder.vocabulary import Region


@pytest.mark.parametrize("probe", IN_ORDER, ids=lambda probe: probe.__name__)
def test_a_study_in_shuffled_blocks_under_revin_passes(in_blocks: Subject, probe: object) -> None:
    finding = probe(in_blocks)  # type: ignore[operator]
    assert finding.passed, finding.words


# 1 shuffled targets


def idle(windows: WindowSet, _epochs: int | None) -> Learned:
    """A trainer that takes no time and teaches nothing."""
    return Learned(weights="", validation_loss=0.7, p_N=np.full(len(windows.validation), 0.5), ended="completed")


def test_a_label_among_the_inputs_is_caught_by_shuffled_targets(subject: Subject) -> None:
    leaking = with_windows(subject, lambda windows, _table, y_T: column_replaced(windows, np.nan_to_num(2 * y_T - 1)))
    finding = shuffled_targets(leaking)
    assert not finding.passed
    assert finding.numbers["model_z"] > 6
    assert finding.numbers["logistic_z"] > 6
    assert "labels are in the inputs" in finding.words


def test_a_trainer_that_fits_validation_too_is_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.train

    def peeking(windows: WindowSet, epochs: int | None) -> Learned:
        both = joined(windows.train, windows.validation)
        return honest(dataclasses.replace(windows, train=both), epochs)

    finding = shuffled_targets(with_step(subject, train=peeking))
    assert not finding.passed
    assert finding.numbers["peeking"] == "the small model's weights"


def test_a_baseline_that_is_fitted_on_validation_is_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.forecasts

    def peeking(windows: WindowSet, ratio: WindowSet, close_T: Floats, region: Region) -> dict[str, Floats]:
        scored = windows.region(region)
        return dict(
            honest(
                dataclasses.replace(windows, train=joined(windows.train, scored)),
                dataclasses.replace(ratio, train=joined(ratio.train, ratio.region(region))),
                close_T,
                region,
            )
        )

    finding = shuffled_targets(with_step(subject, forecasts=peeking, train=idle))
    assert not finding.passed
    assert "fitting sees validation's labels" in finding.words
    assert LAST_DAY_RATIO_LOGISTIC in str(finding.numbers["peeking"])


def test_labels_that_the_pipeline_fetches_for_itself_are_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.windows

    def own_labels(table: FeatureTable, splits: Splits, _y_T: Floats) -> WindowSet:
        return honest(table, splits, subject.pipeline.labels(table, splits.horizon))

    finding = shuffled_targets(with_step(subject, windows=own_labels, ratio_windows=own_labels, train=idle))
    assert not finding.passed
    assert "labels of its own" in finding.words
    assert finding.numbers["deals_with_other_labels"] == finding.numbers["deals"]


def test_a_model_that_learns_nothing_makes_shuffled_targets_fail_as_blind(subject: Subject) -> None:
    finding = shuffled_targets(with_step(subject, train=idle))
    assert not finding.passed
    assert "would have seen no leak" in finding.words


def test_a_model_that_cannot_be_trained_makes_shuffled_targets_fail(subject: Subject) -> None:
    broken = Learned(weights="", validation_loss=None, p_N=None, ended="diverged")
    finding = shuffled_targets(with_step(subject, train=lambda _windows, _epochs: broken))
    assert not finding.passed
    assert "diverged" in finding.words


# 2 planted future feature


def test_features_that_are_never_made_again_hide_a_planted_future_from_the_first_detector(subject: Subject) -> None:
    finding = planted_future_feature(with_step(subject, features=lambda _bars: subject.table))
    assert not finding.passed
    assert "cutting off the future did not change it" in finding.words


def test_windows_that_leave_the_planted_column_out_hide_it_from_the_second_detector(subject: Subject) -> None:
    honest = subject.pipeline.windows

    def forgetful(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        known = len(subject.table.columns)
        shorter = dataclasses.replace(table, columns=table.columns[:known], values_TF=table.values_TF[:, :known])
        return honest(shorter, splits, y_T)

    finding = planted_future_feature(with_step(subject, windows=forgetful, ratio_windows=forgetful))
    assert not finding.passed
    assert finding.numbers["planted_skill"] == finding.numbers["own_skill"]


def test_a_future_that_is_already_among_the_features_is_caught_by_its_skill(subject: Subject) -> None:
    finding = planted_future_feature(dataclasses.replace(subject, table=plant(subject.table, subject.target, 1)))
    assert not finding.passed
    assert "seems to know the future" in finding.words


# 3 truncated future


def with_column(subject: Subject, fill: object) -> Subject:
    """The first feature of the study is what `fill` makes of the bars, in the stored table and whenever made again."""
    honest = subject.pipeline.features

    def features(bars: Bars) -> FeatureTable:
        table = honest(bars)
        values_TF = table.values_TF.copy()
        values_TF[:, 0] = fill(bars)[-len(values_TF) :]  # type: ignore[operator]
        return dataclasses.replace(table, values_TF=values_TF)

    return dataclasses.replace(with_step(subject, features=features), table=features(subject.bars))


def centred_average(bars: Bars) -> Floats:
    return sliding_window_view(np.pad(bars.close_T, 2, mode="edge"), 5).mean(axis=1)


def close_of_the_week(bars: Bars) -> Floats:
    """What a weekly feature shows that does not wait for its week to end."""
    week_T = (bars.dates_T.astype(np.int64) + 3) // 7
    last_of_week = np.searchsorted(week_T, week_T, side="right") - 1
    return bars.close_T[last_of_week]


def scaled_by_the_mean_of_all_days(bars: Bars) -> Floats:
    return bars.close_T / bars.close_T.mean()


@pytest.mark.parametrize("fill", [centred_average, close_of_the_week, scaled_by_the_mean_of_all_days])
def test_a_feature_that_looks_ahead_is_named_by_truncated_future(subject: Subject, fill: object) -> None:
    finding = truncated_future(with_column(subject, fill))
    assert not finding.passed
    assert finding.numbers["columns_changed"] == 1
    assert subject.table.names[0] in finding.words


def test_a_stored_table_that_the_code_would_not_make_is_caught_by_truncated_future(subject: Subject) -> None:
    values_TF = subject.table.values_TF.copy()
    values_TF[5, 3] *= 1.001
    finding = truncated_future(
        dataclasses.replace(subject, table=dataclasses.replace(subject.table, values_TF=values_TF))
    )
    assert not finding.passed
    assert subject.table.names[3] in finding.words


def test_features_that_cannot_be_made_without_the_future_fail_truncated_future(subject: Subject) -> None:
    honest = subject.pipeline.features

    def picky(bars: Bars) -> FeatureTable:
        if len(bars.dates_T) < len(subject.bars.dates_T):
            raise BadInput("a value is missing")
        return honest(bars)

    finding = truncated_future(with_step(subject, features=picky))
    assert not finding.passed
    assert "a value is missing" in finding.words


# 4 normalisation


def test_a_window_normalised_by_the_day_after_it_is_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        return in_every_region(windows, lambda one: column_shifted(one, one.series_TF[one.ends_N + 1, 0]))

    finding = normalisation(with_windows(subject, leak))
    assert not finding.passed
    assert finding.numbers["largest_change_own_days"] > 0.1


def test_a_mean_over_all_windows_of_the_region_is_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        return in_every_region(
            windows, lambda one: column_shifted(one, one.last_day()[:, 0].mean()) if len(one) else one
        )

    finding = normalisation(with_windows(subject, leak))
    assert not finding.passed
    assert finding.numbers["largest_change_own_days"] > 1e-6


def test_training_statistics_taken_over_validation_days_are_caught_by_normalisation(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        if len(windows.train) == 0:
            return windows
        mean = float(windows.validation.last_day()[:, 0].mean())
        return in_every_region(windows, lambda one: column_shifted(one, mean))

    finding = normalisation(with_windows(subject, leak))
    assert not finding.passed
    assert "mean and standard deviation of training" in finding.words
    assert finding.numbers["largest_change_own_days"] == 0.0


def test_windows_that_never_change_make_normalisation_fail_as_untried(subject: Subject) -> None:
    def stubborn(_table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        return subject.pipeline.windows(subject.table, splits, y_T)

    finding = normalisation(with_step(subject, windows=stubborn, ratio_windows=stubborn))
    assert not finding.passed
    assert "nothing was tried" in finding.words


# 5 shared days


def test_overlapping_regions_are_caught_by_shared_days(subject: Subject) -> None:
    ((first, last),) = subject.splits_records[3]["splits"]["validation"]["segments"]
    finding = shared_days(with_segment(subject, 3, Region.VALIDATION, first - 10, last))
    assert not finding.passed
    assert finding.numbers["shared_days"] == 10
    assert "h3: train and validation share 10 days" in finding.words


def test_windows_cut_beyond_their_region_are_caught_by_shared_days(subject: Subject) -> None:
    finding = shared_days(with_step(subject, windows=longer_training(subject.pipeline.windows, 1)))
    assert not finding.passed
    assert finding.numbers["days_outside_segments"] == len(subject.horizons)


def test_a_date_that_stands_in_two_rows_is_caught_by_shared_days(subject: Subject) -> None:
    ((first, _),) = subject.splits_records[1]["splits"]["validation"]["segments"]
    dates_T = subject.table.dates_T.copy()
    dates_T[first] = dates_T[first - 1]
    finding = shared_days(dataclasses.replace(subject, table=dataclasses.replace(subject.table, dates_T=dates_T)))
    assert not finding.passed
    assert finding.numbers["shared_days"] == len(subject.horizons)


# 6 label reach


def test_a_label_that_looks_too_far_ahead_is_caught_by_label_reach(subject: Subject) -> None:
    honest = subject.pipeline.labels

    def further(table: FeatureTable, horizon: int) -> Floats:
        y_T = honest(table, horizon + 2)
        y_T[-horizon - 2 : -horizon] = 0.0
        return y_T

    finding = label_reach(with_step(subject, labels=further))
    assert not finding.passed
    assert finding.numbers["h1_days_ahead"] == 3
    assert finding.numbers["h1_days_touched"] == 2


def test_windows_with_the_label_of_another_day_are_caught_by_label_reach(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, y_T: Floats) -> WindowSet:
        return in_every_region(
            windows, lambda one: dataclasses.replace(one, y_N=y_T[one.ends_N - 1].astype(np.float32))
        )

    finding = label_reach(with_windows(subject, leak))
    assert not finding.passed
    assert "do not carry the label of their last day" in finding.words


def test_training_labels_that_reach_into_validation_are_caught_by_label_reach(subject: Subject) -> None:
    finding = label_reach(with_step(subject, windows=longer_training(subject.pipeline.windows, 2)))
    assert not finding.passed
    assert "labels of train reach 2 days into what validation shows" in finding.words


def test_training_windows_that_touch_a_held_out_block_are_caught_by_label_reach(in_blocks: Subject) -> None:
    finding = label_reach(with_step(in_blocks, windows=longer_training(in_blocks.pipeline.windows, 1)))
    assert not finding.passed
    assert finding.numbers["h2_days_touched"] == 1


def test_regions_out_of_order_are_caught_by_label_reach(subject: Subject) -> None:
    ((first, last),) = subject.splits_records[1]["splits"]["validation"]["segments"]
    ((test_first, test_last),) = subject.splits_records[1]["splits"]["test"]["segments"]
    swapped = with_segment(subject, 1, Region.VALIDATION, test_first, test_last)
    finding = label_reach(with_segment(swapped, 1, Region.TEST, first, last))
    assert not finding.passed
    assert finding.numbers["h1_days_touched"] == 0


# 7 blanked test targets


def test_a_trainer_that_fits_the_test_region_is_caught_by_blanked_test_targets(subject: Subject) -> None:
    honest = subject.pipeline.train

    def peeking(windows: WindowSet, epochs: int | None) -> Learned:
        return honest(dataclasses.replace(windows, train=joined(windows.train, windows.test)), epochs)

    finding = blanked_test_targets(with_step(subject, train=peeking))
    assert not finding.passed
    assert "weights of the trained model" in finding.words


def test_windows_shown_by_test_labels_are_caught_by_blanked_test_targets(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        rate = float(windows.test.y_N.mean())
        return in_every_region(windows, lambda one: column_shifted(one, rate))

    finding = blanked_test_targets(with_windows(subject, leak))
    assert not finding.passed
    assert "inputs of train" in finding.words


def test_a_baseline_fitted_on_the_test_region_is_caught_by_blanked_test_targets(subject: Subject) -> None:
    honest = subject.pipeline.forecasts

    def peeking(windows: WindowSet, ratio: WindowSet, close_T: Floats, region: Region) -> dict[str, Floats]:
        both = dataclasses.replace(windows, train=joined(windows.train, windows.test))
        both_ratio = dataclasses.replace(ratio, train=joined(ratio.train, ratio.test))
        return dict(honest(both, both_ratio, close_T, region))

    finding = blanked_test_targets(with_step(subject, forecasts=peeking))
    assert not finding.passed
    assert "forecasts of base_rate" in finding.words


# what cannot be probed


def test_a_region_without_windows_is_an_error_and_no_pass(subject: Subject) -> None:
    ((first, _),) = subject.splits_records[1]["splits"]["validation"]["segments"]
    empty = with_segment(subject, 1, Region.VALIDATION, first, first + 5)
    with pytest.raises(WorkFailed, match="horizon 1 has no window in validation"):
        shared_days(empty)
