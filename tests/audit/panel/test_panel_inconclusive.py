"""Probes of a panel that could have missed a leak say so, and what they would need."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.audit.panel.conftest import audited, question
from tests.audit.panel.leaks import FixedOrder, estimate_in_the_file, with_step
from tests.panel.made_up import made_up

from tsladder.audit.panel.days import days_and_label_reach
from tsladder.audit.panel.entry import entry_lag
from tsladder.audit.panel.labels_at_scoring import label_blind_cross_section, turned_test_labels
from tsladder.audit.panel.learner import Baseline, FitDays, Fitted, RankingData
from tsladder.audit.panel.permuted import permuted_labels
from tsladder.audit.panel.planted import PLANTED, planted_future_column
from tsladder.audit.panel.shuffled_days import shuffled_days
from tsladder.audit.panel.subject import PanelSubject
from tsladder.data.splits import Segment, Split
from tsladder.errors import WorkFailed
from tsladder.panel.panel import Panel
from tsladder.panel.targets import Labels
from tsladder.ranking.baselines import RIDGE
from tsladder.vocabulary import ProbeOutcome, Region


def short_validation(subject: PanelSubject, days: int) -> PanelSubject:
    """The study with so many validation days at its first horizon."""
    splits = subject.splits[subject.first_horizon]
    (segment,) = splits.validation.segments
    last = segment.first + subject.context_length - 1 + days - 1 + splits.horizon
    validation = Split(region=Region.VALIDATION, segments=(Segment(first=segment.first, last=last),))
    return dataclasses.replace(
        subject, splits={**subject.splits, 1: dataclasses.replace(splits, validation=validation)}
    )


def test_few_validation_days_cannot_tell_permuted_labels_from_chance(subject: PanelSubject) -> None:
    short = short_validation(subject, 15)
    finding = permuted_labels(short)
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "this study has 15" in str(finding.needs)
    needed = int(str(finding.needs).split("about ")[1].split()[0])
    assert permuted_labels(short_validation(subject, needed + 3)).passed


def test_few_validation_days_leave_shuffled_days_too_near_each_other(subject: PanelSubject) -> None:
    finding = shuffled_days(short_validation(subject, 80))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert finding.needs == "at least 84 validation days"


def test_inputs_that_are_never_made_again_hide_a_planted_column_from_the_first_detector(subject: PanelSubject) -> None:
    made = subject.inputs
    finding = planted_future_column(with_step(subject, inputs=lambda _panel: made))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert "cutting off the future did not change it" in finding.words
    assert str(finding.needs).startswith("inputs that are made again")


@dataclasses.dataclass(frozen=True)
class Forgetful:
    """Ridge regression that knows only the columns it is used to."""

    name: str = RIDGE
    permutations: int = 4

    def fit(self, data: RankingData, days: FitDays) -> Fitted:
        def known(given: RankingData) -> RankingData:
            columns = {name: value_TS for name, value_TS in given.table.columns.items() if name != PLANTED}
            return dataclasses.replace(given, table=dataclasses.replace(given.table, columns=columns))

        fitted = Baseline(name=self.name).fit(known(data), days)
        return dataclasses.replace(fitted, score=lambda asked, days_T: fitted.score(known(asked), days_T))


def test_a_ridge_regression_without_the_planted_column_hides_it_from_the_second_detector(subject: PanelSubject) -> None:
    finding = planted_future_column(with_step(subject, learners=(Forgetful(),)))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE
    assert finding.needs == "a ridge regression that reads every column of its table"


def test_columns_that_rank_better_than_honest_ones_do_are_asked_for_a_reason(subject: PanelSubject) -> None:
    finding = planted_future_column(estimate_in_the_file(subject, noise=3.0))
    assert finding.outcome is ProbeOutcome.INCONCLUSIVE, finding.words
    assert finding.numbers["best_column"] == "max_21 of the baselines"
    assert "why max_21 of the baselines ranks so well" in str(finding.needs)


def test_labels_that_no_price_changes_are_not_known_to_begin_or_end_anywhere(subject: PanelSubject) -> None:
    made: Labels = subject.labels
    fixed = with_step(subject, labels=lambda _panel: made)
    reach = days_and_label_reach(fixed)
    assert reach.outcome is ProbeOutcome.INCONCLUSIVE
    assert reach.needs == "labels that follow from the prices they are made of"
    assert not entry_lag(fixed).passed


def test_a_study_without_labels_on_test_has_nothing_to_turn(subject: PanelSubject) -> None:
    honest = subject.pipeline.labels

    def labels(panel: Panel) -> Labels:
        made = honest(panel)
        y_TSM = made.y_TSM.copy()
        y_TSM[subject.validation_N[0] :] = np.nan
        return dataclasses.replace(made, y_TSM=y_TSM)

    without = with_step(subject, labels=labels)
    assert turned_test_labels(without).outcome is ProbeOutcome.INCONCLUSIVE
    assert label_blind_cross_section(without).outcome is ProbeOutcome.INCONCLUSIVE
    assert permuted_labels(without).outcome is ProbeOutcome.INCONCLUSIVE


def test_a_fixed_order_that_pays_on_every_day_is_named_static_and_not_failed(subject: PanelSubject) -> None:
    """Half of the stocks rise by one percent a day, and one model knows which."""
    stocks = len(subject.panel.symbols_S)
    drift_S = np.where(np.arange(stocks) % 2 == 0, 0.01, 0.0)
    drift_TS = np.exp(np.arange(len(subject.panel.dates_T))[:, None] * drift_S)
    rising = dataclasses.replace(
        subject,
        panel=dataclasses.replace(subject.panel, close_TS=subject.panel.close_TS * drift_TS),
    )
    finding = shuffled_days(with_step(rising, learners=(FixedOrder(drift_S),)))
    assert finding.passed
    assert finding.numbers["static"] == "fixed_order"
    assert finding.words.startswith("static: scores of fixed_order rank later days as well")
    honest = shuffled_days(with_step(subject, learners=(FixedOrder(drift_S),)))
    assert honest.numbers["static"] == "none"


def test_a_model_of_past_returns_is_not_static_for_the_labels_that_its_later_scores_hold() -> None:
    """Its scores hold the returns of the last year, so those of later days would rank a day's labels by themselves."""
    study = audited(made_up(1200, 40, gaps=False), question((1,)))
    finding = shuffled_days(with_step(study, learners=(Baseline(name="momentum_252_21", permutations=1),)))
    assert finding.numbers["static"] == "none", finding.words
    assert abs(float(finding.numbers["momentum_252_21_shuffled"])) < 0.02


def test_labels_that_reach_into_the_embargo_of_a_block_are_counted(folded: PanelSubject, walking: PanelSubject) -> None:
    for study in (folded, walking):
        wider = days_and_label_reach(dataclasses.replace(study, embargo_days=study.embargo_days + 4))
        assert wider.outcome is ProbeOutcome.FAILED
        assert "of the embargo of 11 after validation" in wider.words


def test_a_region_without_a_sample_day_stops_the_audit(subject: PanelSubject) -> None:
    with pytest.raises(WorkFailed, match="horizon 1 has no sample day in validation"):
        permuted_labels(short_validation(subject, 0))
