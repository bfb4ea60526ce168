"""Leaks planted among the features: caught by `planted_future_feature` and `truncated_future`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from tests.audit.leaks import (
    with_step,
)

from tsladder.audit.planted import plant, planted_future_feature
from tsladder.audit.subject import Floats, Subject
from tsladder.audit.truncation import truncated_future
from tsladder.data.bars import Bars
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import WindowSet
from tsladder.errors import BadInput
from tsladder.vocabulary import ProbeOutcome


def test_features_that_are_never_made_again_hide_a_planted_future_from_the_first_detector(subject: Subject) -> None:
    finding = planted_future_feature(with_step(subject, features=lambda _bars: subject.table))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "cutting off the future did not change it" in finding.words
    assert finding.needs == "features that are made again from the bars they are given"


def test_windows_that_leave_the_planted_column_out_hide_it_from_the_second_detector(subject: Subject) -> None:
    honest = subject.pipeline.windows

    def forgetful(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        known = len(subject.table.columns)
        shorter = dataclasses.replace(table, columns=table.columns[:known], values_TF=table.values_TF[:, :known])
        return honest(shorter, splits, y_T)

    finding = planted_future_feature(with_step(subject, windows=forgetful, ratio_windows=forgetful))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert finding.numbers["planted_skill"] == finding.numbers["own_skill"]
    assert "windows that show every column" in str(finding.needs)


def test_a_future_that_is_already_among_the_features_is_caught_by_its_skill(subject: Subject) -> None:
    finding = planted_future_feature(dataclasses.replace(subject, table=plant(subject.table, subject.target, 1)))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "seems to know the future" in finding.words


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
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["columns_changed"] == 1
    assert subject.table.names[0] in finding.words


def test_a_stored_table_that_the_code_would_not_make_is_caught_by_truncated_future(subject: Subject) -> None:
    values_TF = subject.table.values_TF.copy()
    values_TF[5, 3] *= 1.001
    finding = truncated_future(
        dataclasses.replace(subject, table=dataclasses.replace(subject.table, values_TF=values_TF))
    )
    assert finding.outcome is ProbeOutcome.FAILED
    assert subject.table.names[3] in finding.words


def test_features_that_cannot_be_made_without_the_future_fail_truncated_future(subject: Subject) -> None:
    honest = subject.pipeline.features

    def picky(bars: Bars) -> FeatureTable:
        if len(bars.dates_T) < len(subject.bars.dates_T):
            raise BadInput("a value is missing")
        return honest(bars)

    finding = truncated_future(with_step(subject, features=picky))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "a value is missing" in finding.words
