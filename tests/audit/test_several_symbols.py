"""The audit of a study of two symbols: a leak through the other one is a leak."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.audit.leaks import with_days, with_step
from tests.studies import make_study, params_of, synthetic_bars, verb

from tsladder.artifacts.plans import AuditPlan, read_plan
from tsladder.audit.blanked import blanked_test_targets
from tsladder.audit.build import open_subject
from tsladder.audit.days import label_reach, shared_days
from tsladder.audit.normalisation import normalisation
from tsladder.audit.small_model import SmallModelResult
from tsladder.audit.subject import Subject
from tsladder.audit.truncation import truncated_future
from tsladder.data.bars import Bars
from tsladder.data.features import FeatureTable
from tsladder.data.windows import WindowSet
from tsladder.vocabulary import ProbeOutcome


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    places = make_study(tmp_path_factory.mktemp("pooled"), data__symbols=["tiny", "other"], data__tier="a20")
    other = synthetic_bars(880, seed=4).drop(index=range(50, 880, 43))
    other.to_parquet(places.bars("other"), index=False)
    for name in ("inputs", "features", "splits", "plan"):
        verb(name)(places, params_of(places))
    return open_subject(places, read_plan(AuditPlan, places.audit_plan))


def with_later_training(subject: Subject, days: int) -> Subject:
    """The splits file gives the other symbol's training that many days more."""
    found = subject.splits_records[1].splits
    own, (first, last) = found.train.segments
    train = dataclasses.replace(found.train, segments=(own, (first, last + days)))
    return with_days(subject, 1, dataclasses.replace(found, train=train))


def idle(windows: WindowSet, _epochs: int | None) -> SmallModelResult:
    return SmallModelResult(
        weights="", validation_loss=0.7, p_N=np.full(len(windows.validation), 0.5), ended="completed"
    )


def test_two_sound_symbols_pass(subject: Subject) -> None:
    findings = [probe(subject) for probe in (truncated_future, normalisation, shared_days, label_reach)]
    findings.append(blanked_test_targets(with_step(subject, train=idle)))
    assert [finding.words for finding in findings if not finding.passed] == []
    assert findings[0].numbers["cuts"] > 10 * len(subject.table.first_rows)


def test_training_windows_of_another_symbol_in_the_years_of_validation_are_caught(subject: Subject) -> None:
    """They lie in other rows, and on the same days."""
    leaking = with_later_training(subject, 60)
    shared, reach = shared_days(leaking), label_reach(leaking)
    assert shared.outcome is ProbeOutcome.FAILED
    assert "train and validation share" in shared.words
    assert shared.numbers["days_outside_segments"] == 0, "the windows do obey the splits file"
    assert reach.outcome is ProbeOutcome.FAILED
    assert "spans of training touch" in reach.words


def test_a_feature_that_knows_the_future_of_the_second_symbol_alone_is_caught(subject: Subject) -> None:
    honest = subject.pipeline.features

    def features(bars: Bars) -> FeatureTable:
        table = honest(bars)
        if bars.symbol != "other":
            return table
        values_TF = table.values_TF.copy()
        values_TF[:, 3] /= values_TF[-1, 3]
        return dataclasses.replace(table, values_TF=values_TF)

    finding = truncated_future(with_step(subject, features=features))
    assert finding.outcome is ProbeOutcome.FAILED
    assert subject.table.names[3] in finding.words


def test_a_mean_over_the_rows_of_both_symbols_is_seen_by_normalisation(subject: Subject) -> None:
    """Those of the other symbol's later years are among them."""

    def cut(table: FeatureTable, splits: object, y_T: np.ndarray) -> WindowSet:
        level_F = table.values_TF.mean(axis=0)
        return subject.pipeline.windows(dataclasses.replace(table, values_TF=table.values_TF - level_F), splits, y_T)  # type: ignore[arg-type]

    finding = normalisation(with_step(subject, windows=cut, ratio_windows=cut))
    assert finding.outcome is ProbeOutcome.FAILED
