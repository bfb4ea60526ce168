"""Promises of the port `Learner`, to be run on every implementation."""

from __future__ import annotations

import dataclasses

import numpy as np

from tsladder.audit.panel.learner import Fitted, Learner, RankingData
from tsladder.audit.panel.subject import PanelSubject


class LearnerContract:
    """A class of tests that inherits this one has fixtures `learner`, and `subject` to fit it on."""

    def test_it_scores_every_ranked_stock_of_the_days_asked_for_and_no_other(
        self, learner: Learner, subject: PanelSubject
    ) -> None:
        asked_T = subject.scored_T & (np.arange(len(subject.scored_T)) % 3 == 0)
        score_TS = learner.fit(subject.data, subject.fit_days).score(subject.data, asked_T)
        there_TS = subject.data.table.member_DS & asked_T[:, None]
        assert np.isfinite(score_TS[there_TS]).all()
        assert np.isnan(score_TS[~there_TS]).all()

    def test_the_same_data_give_the_same_model(self, learner: Learner, subject: PanelSubject) -> None:
        one, other = (learner.fit(subject.data, subject.fit_days) for _ in range(2))
        assert one.weights == other.weights
        assert same_scores(subject, one, other)

    def test_fitting_sees_no_label_but_those_of_its_days(self, learner: Learner, subject: PanelSubject) -> None:
        seen_T = subject.fit_days.train_T | subject.fit_days.validation_T
        one = learner.fit(subject.data, subject.fit_days)
        other = learner.fit(other_labels(subject, ~seen_T), subject.fit_days)
        assert one.weights == other.weights
        assert same_scores(subject, one, other)

    def test_without_validation_days_fitting_sees_the_labels_of_training_alone(
        self, learner: Learner, subject: PanelSubject
    ) -> None:
        blind = dataclasses.replace(subject.fit_days, validation_T=np.zeros_like(subject.scored_T))
        one = learner.fit(subject.data, blind)
        other = learner.fit(other_labels(subject, ~blind.train_T), blind)
        assert one.weights == other.weights
        assert same_scores(subject, one, other)

    def test_scoring_reads_no_label(self, learner: Learner, subject: PanelSubject) -> None:
        fitted = learner.fit(subject.data, subject.fit_days)
        everywhere_T = np.ones_like(subject.scored_T)
        before_TS = fitted.score(subject.data, subject.scored_T)
        after_TS = fitted.score(other_labels(subject, everywhere_T), subject.scored_T)
        assert np.array_equal(before_TS, after_TS, equal_nan=True)

    def test_a_learner_that_is_fitted_to_labels_changes_with_those_of_training(
        self, learner: Learner, subject: PanelSubject
    ) -> None:
        one = learner.fit(subject.data, subject.fit_days)
        other = learner.fit(other_labels(subject, subject.fit_days.train_T), subject.fit_days)
        assert same_scores(subject, one, other) is (learner.permutations == 0)


def other_labels(subject: PanelSubject, days_T: np.ndarray) -> RankingData:
    """The study's data with labels of the days `days_T` turned round, every seventh taken away."""
    y_TS = subject.y_TS(subject.first_horizon).copy()
    y_TS[days_T] *= -1.0
    y_TS[np.flatnonzero(days_T)[::7]] = np.nan
    return subject.with_labels(y_TS)


def same_scores(subject: PanelSubject, one: Fitted, other: Fitted) -> bool:
    """Do both score validation and test alike, bit for bit?"""
    one_TS, other_TS = (fitted.score(subject.data, subject.scored_T) for fitted in (one, other))
    return np.array_equal(one_TS, other_TS, equal_nan=True)
