"""A leak planted into one step of a panel study is caught by its probe, and by no other but those named beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from tests.audit.panel.leaks import (
    FAST,
    PeekingRidge,
    estimate_in_the_file,
    estimate_of,
    moved_end,
    next_day_of_the_others,
    still_there_at_the_end,
    with_first_column,
    with_step,
    with_table,
    with_table_column,
)

from tsladder.artifacts.audit import PANEL_PROBES
from tsladder.audit.panel.build import IN_ORDER
from tsladder.audit.panel.future import truncated_panel
from tsladder.audit.panel.subject import PanelSubject
from tsladder.panel.panel import Panel
from tsladder.panel.targets import Labels, forward_returns
from tsladder.params.panel_sections import RankTargetParams
from tsladder.ranking.ranks import centred_ranks
from tsladder.vocabulary import ProbeOutcome

Plant = Callable[[PanelSubject], PanelSubject]


def labels_on_validation_are_fitted_to(subject: PanelSubject) -> PanelSubject:
    return with_step(subject, learners=(PeekingRidge(subject.fit_days.validation_T), *FAST[1:]))


def labels_on_test_are_fitted_to(subject: PanelSubject) -> PanelSubject:
    test_T = subject.scored_T & ~subject.fit_days.validation_T
    return with_step(subject, learners=(PeekingRidge(test_T), *FAST[1:]))


def the_table_has_labels_of_its_own(subject: PanelSubject) -> PanelSubject:
    own_TS = subject.y_TS(subject.first_horizon)
    return with_table(
        subject,
        lambda table, inputs, y_TS: (
            table
            if len(y_TS) < len(own_TS) or y_TS.shape[1] < own_TS.shape[1]
            else dataclasses.replace(table, return_DS=own_TS)
        ),
    )


def a_label_is_among_the_columns(subject: PanelSubject) -> PanelSubject:
    return with_table_column(
        subject, "max_21", lambda inputs, y_TS: centred_ranks(y_TS, inputs.axis.stocks_TS & np.isfinite(y_TS))
    )


def a_column_averages_the_days_around(subject: PanelSubject) -> PanelSubject:
    def centred(panel: Panel) -> np.ndarray:
        close_TS = np.nan_to_num(panel.close_TS)
        return (np.roll(close_TS, 1, axis=0) + close_TS + np.roll(close_TS, -1, axis=0)) / np.maximum(close_TS, 1e-9)

    return with_first_column(subject, centred)


def a_column_knows_the_next_day_of_the_others(subject: PanelSubject) -> PanelSubject:
    return with_first_column(subject, next_day_of_the_others)


def members_are_those_that_survive(subject: PanelSubject) -> PanelSubject:
    return still_there_at_the_end(subject)


def a_column_is_the_level_of_the_price(subject: PanelSubject) -> PanelSubject:
    return with_first_column(subject, lambda panel: panel.close_TS)


def a_column_of_the_file_estimates_the_label(subject: PanelSubject) -> PanelSubject:
    return estimate_in_the_file(subject, noise=1.0)


def a_column_of_the_models_alone_estimates_the_label(subject: PanelSubject) -> PanelSubject:
    return with_first_column(subject, estimate_of(subject, noise=1.0))


def stocks_without_a_label_are_not_ranked(subject: PanelSubject) -> PanelSubject:
    return with_table(
        subject,
        lambda table, inputs, y_TS: dataclasses.replace(table, member_DS=table.member_DS & np.isfinite(y_TS)),
    )


def training_ends_inside_validation(subject: PanelSubject) -> PanelSubject:
    return moved_end(subject, 5)


def samples_have_no_room_for_their_labels(subject: PanelSubject) -> PanelSubject:
    honest = subject.pipeline.samples
    return with_step(subject, samples=lambda inputs, split, span: honest(inputs, split, 0))


def labels_of(subject: PanelSubject, entry_lag: int, longer: int) -> PanelSubject:
    """Labels of another lag and of horizons that are longer by so many sessions."""

    def labels(panel: Panel) -> Labels:
        target = RankTargetParams(entry_lag=entry_lag, same_close=True)
        return forward_returns(panel, target, [horizon + longer for horizon in subject.horizons])

    return with_step(subject, labels=labels)


def labels_reach_two_sessions_further(subject: PanelSubject) -> PanelSubject:
    return labels_of(subject, 1, 2)


def labels_begin_at_the_close_of_their_day(subject: PanelSubject) -> PanelSubject:
    return labels_of(subject, 0, 0)


LEAKS: tuple[tuple[Plant, set[str]], ...] = (
    (labels_on_validation_are_fitted_to, {"permuted_labels"}),
    (the_table_has_labels_of_its_own, {"permuted_labels"}),
    # Whoever changes labels sees it: the columns change with them, and rank far too well.
    (
        a_label_is_among_the_columns,
        {"permuted_labels", "planted_future_column", "label_blind_cross_section", "turned_test_labels"},
    ),
    # What looks ahead sees a cut as well as other prices, and only the cut takes stocks away.
    (a_column_averages_the_days_around, {"truncated_panel", "future_of_others"}),
    (a_column_knows_the_next_day_of_the_others, {"truncated_panel", "future_of_others"}),
    (members_are_those_that_survive, {"truncated_panel"}),
    (a_column_is_the_level_of_the_price, {"rescaled_history"}),
    (a_column_of_the_file_estimates_the_label, {"planted_future_column"}),
    (a_column_of_the_models_alone_estimates_the_label, {"planted_future_column"}),
    (stocks_without_a_label_are_not_ranked, {"label_blind_cross_section"}),
    (training_ends_inside_validation, {"days_and_label_reach"}),
    (samples_have_no_room_for_their_labels, {"days_and_label_reach"}),
    (labels_reach_two_sessions_further, {"days_and_label_reach"}),
    (labels_begin_at_the_close_of_their_day, {"entry_lag"}),
    (labels_on_test_are_fitted_to, {"turned_test_labels"}),
)


def test_every_probe_that_can_fail_has_a_leak_of_its_own() -> None:
    # A fixed order of stocks is named, never failed: see test_shuffled_days.
    alone = {name for _, caught in LEAKS if len(caught) == 1 for name in caught}
    assert alone == set(PANEL_PROBES) - {"future_of_others", "shuffled_days"}


SECOND_OF_THEIR_PROBES = (
    the_table_has_labels_of_its_own,
    a_column_knows_the_next_day_of_the_others,
    a_column_of_the_models_alone_estimates_the_label,
    samples_have_no_room_for_their_labels,
    labels_reach_two_sessions_further,
)
"""Leaks that are planted in the slow tests alone: another one fails the same probes."""


@pytest.mark.parametrize(
    ("plant", "caught"),
    [
        pytest.param(plant, caught, marks=pytest.mark.slow if plant in SECOND_OF_THEIR_PROBES else ())
        for plant, caught in LEAKS
    ],
    ids=[plant.__name__ for plant, _ in LEAKS],
)
def test_a_planted_leak_fails_its_probe_and_no_other(subject: PanelSubject, plant: Plant, caught: set[str]) -> None:
    leaking = plant(subject)
    findings = [probe(leaking) for probe in IN_ORDER]
    failed = {finding.name: finding.words for finding in findings if finding.outcome is ProbeOutcome.FAILED}
    assert set(failed) == caught, failed


def test_the_column_that_looks_ahead_is_named(subject: PanelSubject) -> None:
    assert subject.inputs.columns[0] in truncated_panel(a_column_averages_the_days_around(subject)).words
