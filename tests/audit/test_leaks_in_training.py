"""Leaks planted in what is fitted: caught by `shuffled_targets` and `blanked_test_targets`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.audit.leaks import (
    column_replaced,
    column_shifted,
    in_every_region,
    joined,
    with_step,
    with_windows,
)

from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.shuffled import shuffled_targets
from tsladder.audit.small_model import SmallModelResult
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Splits
from tsladder.data.windows import WindowSet
from tsladder.evaluation.baselines import LAST_DAY_RATIO_LOGISTIC
from tsladder.vocabulary import ProbeOutcome, Region


def idle(windows: WindowSet, _epochs: int | None) -> SmallModelResult:
    """A trainer that takes no time and teaches nothing."""
    return SmallModelResult(
        weights="", validation_loss=0.7, p_N=np.full(len(windows.validation), 0.5), ended="completed"
    )


@pytest.mark.slow
def test_a_label_among_the_inputs_is_caught_by_shuffled_targets(subject: Subject) -> None:
    leaking = with_windows(subject, lambda windows, _table, y_T: column_replaced(windows, np.nan_to_num(2 * y_T - 1)))
    finding = shuffled_targets(leaking)
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["model_z"] > 6
    assert finding.numbers["logistic_z"] > 6
    assert "labels are in the inputs" in finding.words


def test_a_trainer_that_fits_validation_too_is_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.train

    def peeking(windows: WindowSet, epochs: int | None) -> SmallModelResult:
        """Of whole trainings this leak shows nothing; they need not be run."""
        if epochs is None:
            return idle(windows, epochs)
        both = joined(windows.train, windows.validation)
        return honest(dataclasses.replace(windows, train=both), epochs)

    finding = shuffled_targets(with_step(subject, train=peeking))
    assert finding.outcome is ProbeOutcome.FAILED
    assert finding.numbers["peeking"] == "the small model's weights"


def test_a_baseline_that_is_fitted_on_validation_is_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.forecasts

    def peeking(windows: WindowSet, ratio: WindowSet, table: FeatureTable, region: Region) -> dict[str, Floats]:
        scored = windows.region(region)
        return dict(
            honest(
                dataclasses.replace(windows, train=joined(windows.train, scored)),
                dataclasses.replace(ratio, train=joined(ratio.train, ratio.region(region))),
                table,
                region,
            )
        )

    finding = shuffled_targets(with_step(subject, forecasts=peeking, train=idle))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "fitting sees validation's labels" in finding.words
    assert LAST_DAY_RATIO_LOGISTIC in str(finding.numbers["peeking"])


def test_labels_that_the_pipeline_fetches_for_itself_are_caught_by_shuffled_targets(subject: Subject) -> None:
    honest = subject.pipeline.windows

    def own_labels(table: FeatureTable, splits: Splits, _y_T: Floats) -> WindowSet:
        return honest(table, splits, subject.pipeline.labels(table, splits.horizon))

    finding = shuffled_targets(with_step(subject, windows=own_labels, ratio_windows=own_labels, train=idle))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "labels of its own" in finding.words
    assert finding.numbers["deals_with_other_labels"] == finding.numbers["deals"]


def test_a_model_that_learns_nothing_makes_shuffled_targets_inconclusive(subject: Subject) -> None:
    finding = shuffled_targets(with_step(subject, train=idle))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "could have missed a leak" in finding.words


def test_a_model_that_cannot_be_trained_makes_shuffled_targets_inconclusive(subject: Subject) -> None:
    broken = SmallModelResult(weights="", validation_loss=None, p_N=None, ended="diverged")
    finding = shuffled_targets(with_step(subject, train=lambda _windows, _epochs: broken))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "diverged" in finding.words


def test_a_trainer_that_fits_the_test_region_is_caught_by_blanked_test_targets(subject: Subject) -> None:
    honest = subject.pipeline.train

    def peeking(windows: WindowSet, epochs: int | None) -> SmallModelResult:
        return honest(dataclasses.replace(windows, train=joined(windows.train, windows.test)), epochs)

    finding = blanked_test_targets(with_step(subject, train=peeking))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "weights of the trained model" in finding.words


def test_windows_shown_by_test_labels_are_caught_by_blanked_test_targets(subject: Subject) -> None:
    def leak(windows: WindowSet, _table: FeatureTable, _y_T: Floats) -> WindowSet:
        rate = float(windows.test.y_N.mean())
        return in_every_region(windows, lambda one: column_shifted(one, rate))

    finding = blanked_test_targets(with_windows(subject, leak))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "inputs of train" in finding.words


def test_a_baseline_fitted_on_the_test_region_is_caught_by_blanked_test_targets(subject: Subject) -> None:
    honest = subject.pipeline.forecasts

    def peeking(windows: WindowSet, ratio: WindowSet, table: FeatureTable, region: Region) -> dict[str, Floats]:
        both = dataclasses.replace(windows, train=joined(windows.train, windows.test))
        both_ratio = dataclasses.replace(ratio, train=joined(ratio.train, ratio.test))
        return dict(honest(both, both_ratio, table, region))

    finding = blanked_test_targets(with_step(subject, forecasts=peeking))
    assert finding.outcome is ProbeOutcome.FAILED
    assert "forecasts of base_rate" in finding.words
