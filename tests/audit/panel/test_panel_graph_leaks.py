"""The audit sees the graph: one that knows the future, or the level of prices, is caught by the probes of inputs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from tests.audit.panel.conftest import audited, question
from tests.audit.panel.leaks import FAST, with_step
from tests.panel.made_up import made_up

from tsladder.audit.panel.build import IN_ORDER
from tsladder.audit.panel.day_values import NEIGHBOURS, compare, day_values
from tsladder.audit.panel.future import future_of_others, truncated_panel
from tsladder.audit.panel.labels_at_scoring import label_blind_cross_section
from tsladder.audit.panel.learner import Floats, RankingData
from tsladder.audit.panel.subject import PanelSubject
from tsladder.panel.graph import DayGraph, build_graph
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs
from tsladder.params import GraphParams
from tsladder.vocabulary import ProbeOutcome

RULES = GraphParams(days=40, neighbours=5, at_least=2, sector_peers=1)
CORRELATIONS = "correlations with neighbours"
GraphOf = Callable[[PanelInputs], DayGraph]


def sectored(panel: Panel) -> Panel:
    sector_TS = np.empty(panel.close_TS.shape, dtype=object)
    sector_TS[:] = np.random.default_rng(0).choice(["banks", "oil", ""], panel.close_TS.shape[1])
    return dataclasses.replace(panel, sector_TS=sector_TS)


@pytest.fixture(scope="module")
def subject() -> PanelSubject:
    asked = dataclasses.replace(question((1,)), graph=RULES)
    return with_step(audited(sectored(made_up(700, 14)), asked), learners=FAST)


def with_graph_of(subject: PanelSubject, made: GraphOf) -> PanelSubject:
    """`subject` with the graph that `made` makes of the inputs."""
    honest = subject.pipeline.inputs

    def inputs(panel: Panel) -> PanelInputs:
        own = honest(panel)
        return dataclasses.replace(own, graph=made(own))

    return with_step(subject, inputs=inputs)


def failed(subject: PanelSubject) -> dict[str, str]:
    findings = [probe(subject) for probe in IN_ORDER]
    return {finding.name: finding.words for finding in findings if finding.outcome is ProbeOutcome.FAILED}


def of_tomorrows_returns(inputs: PanelInputs) -> DayGraph:
    close_TS = inputs.panel.close_TS
    tomorrow = dataclasses.replace(inputs.panel, close_TS=np.vstack([close_TS[1:], close_TS[-1:]]))
    return build_graph(tomorrow, inputs.axis, RULES)


def of_stocks_that_are_traded_tomorrow(inputs: PanelInputs) -> DayGraph:
    traded_TS = inputs.panel.traded_TS
    stocks_TS = inputs.axis.stocks_TS & np.vstack([traded_TS[1:], traded_TS[-1:]])
    return build_graph(inputs.panel, dataclasses.replace(inputs.axis, stocks_TS=stocks_TS), RULES)


def of_stocks_that_are_still_there_at_the_end(inputs: PanelInputs) -> DayGraph:
    stocks_TS = inputs.axis.stocks_TS & inputs.panel.traded_TS[-21:].any(axis=0)
    return build_graph(inputs.panel, dataclasses.replace(inputs.axis, stocks_TS=stocks_TS), RULES)


def of_todays_sectors(inputs: PanelInputs) -> DayGraph:
    """As of a table of today: a stock whose last row is later has another sector."""
    sector_TS = inputs.panel.sector_TS
    assert sector_TS is not None
    last_S = np.where(inputs.panel.traded_TS[-5:].any(axis=0), "stays", "left")
    return build_graph(
        dataclasses.replace(inputs.panel, sector_TS=np.broadcast_to(last_S.astype(object), sector_TS.shape)),
        inputs.axis,
        RULES,
    )


def of_price_levels(inputs: PanelInputs) -> DayGraph:
    """Stocks with dearer neighbours have fewer of them."""
    made = build_graph(inputs.panel, inputs.axis, RULES)
    close_TSk = np.nan_to_num(inputs.panel.close_TS)[
        np.arange(len(inputs.panel.dates_T))[:, None, None], made.neighbours_TSk
    ]
    dear_TSk = close_TSk > 3.0
    return DayGraph(
        neighbours_TSk=np.where(dear_TSk, -1, made.neighbours_TSk).astype(np.int16),
        edges_TSkK=np.where(dear_TSk[..., None], np.float32(0.0), made.edges_TSkK),
    )


def test_the_studys_own_graph_passes_every_probe_that_compares_inputs_and_is_named(subject: PanelSubject) -> None:
    assert subject.inputs.graph is not None
    assert (subject.inputs.graph.neighbours_TSk >= 0).any()
    assert failed(subject) == {}
    for probe in (truncated_panel, future_of_others):
        assert "neighbours kept every bit" in probe(subject).words


@pytest.mark.parametrize(
    ("made", "caught"),
    [
        (of_tomorrows_returns, {"truncated_panel", "future_of_others"}),
        pytest.param(of_price_levels, {"rescaled_history"}, marks=pytest.mark.slow),
        pytest.param(of_stocks_that_are_traded_tomorrow, {"truncated_panel"}, marks=pytest.mark.slow),
        pytest.param(of_stocks_that_are_still_there_at_the_end, {"truncated_panel"}, marks=pytest.mark.slow),
        pytest.param(of_todays_sectors, {"truncated_panel"}, marks=pytest.mark.slow),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_graph_that_leaks_fails_its_probes_and_no_other(
    subject: PanelSubject, made: GraphOf, caught: set[str]
) -> None:
    found = failed(with_graph_of(subject, made))
    assert set(found) == caught, found


def test_neighbours_that_know_tomorrow_are_named(subject: PanelSubject) -> None:
    words = truncated_panel(with_graph_of(subject, of_tomorrows_returns)).words
    assert NEIGHBOURS in words
    assert CORRELATIONS in words


def test_neighbours_are_compared_by_symbol_whatever_other_stocks_there_are(subject: PanelSubject) -> None:
    """A stock that is not there moves the numbers of all that follow; one that was a neighbour leaves a change."""
    known = day_values(subject.inputs, subject.data.table)
    made = subject.inputs.graph
    assert made is not None
    assert compare(known, known, 700).over(0.0) == []
    other = made.neighbours_TSk.copy()
    row, stock = np.argwhere(other[..., 1] >= 0)[-1]
    other[row, stock, :2] = other[row, stock, 1::-1]
    swapped = dataclasses.replace(subject.inputs, graph=dataclasses.replace(made, neighbours_TSk=other))
    again = day_values(swapped, subject.data.table)
    assert compare(known, again, row).over(0.0) == []
    changes = compare(known, again, row + 1)
    assert changes.over(1e6) == [NEIGHBOURS]


class OfLabelledStocks(PanelSubject):
    """A study whose graph leaves out the stocks without a label."""

    def with_labels(self, y_TS: Floats) -> RankingData:
        data = super().with_labels(y_TS)
        axis = dataclasses.replace(self.inputs.axis, stocks_TS=self.inputs.axis.stocks_TS & np.isfinite(y_TS))
        graph = build_graph(self.panel, axis, RULES)
        return dataclasses.replace(data, inputs=dataclasses.replace(data.inputs, graph=graph))


def test_a_graph_that_hangs_on_labels_is_caught(subject: PanelSubject) -> None:
    fields = {field.name: getattr(subject, field.name) for field in dataclasses.fields(subject)}
    found = label_blind_cross_section(OfLabelledStocks(**fields))
    assert found.outcome is ProbeOutcome.FAILED
    assert NEIGHBOURS in found.words
