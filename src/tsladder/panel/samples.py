"""Samples of a panel study, from the panel and the question: members, normalised columns, labels and sample days."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass

import numpy as np

from tsladder.panel.columns import TIERS, build_columns
from tsladder.panel.days import DayAxis, day_axis
from tsladder.panel.graph import DayGraph, build_graph, graph_fingerprint, refuse_graph
from tsladder.panel.normalise import Inputs, normalise
from tsladder.panel.panel import Panel
from tsladder.panel.targets import Labels, forward_returns
from tsladder.panel.universe import Universe, find_universe
from tsladder.params import PanelParams


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PanelInputs:
    """Inputs of models, known at each session's close. `columns`: names of the F columns of `inputs`, in order.
    `graph`: None where `with_graph` made none."""

    panel: Panel
    universe: Universe
    columns: tuple[str, ...]
    inputs: Inputs
    axis: DayAxis
    graph: DayGraph | None = None

    def fingerprint(self) -> str:
        """Hash (SHA-256, hex) of the sessions, the stocks, the members, the columns that models read, and the prices
        that labels and daily returns are made of."""
        digest = hashlib.sha256()
        digest.update("\n".join(self.panel.symbols_S).encode())
        for values in (
            self.panel.dates_T.astype("datetime64[D]").astype("<i8"),
            self.universe.member_TS,
            self.inputs.here_TS,
            self.inputs.x_TSF.astype("<f4", copy=False),
            self.panel.traded_TS,
            self.panel.close_TS.astype("<f8", copy=False),
        ):
            digest.update(np.ascontiguousarray(values).data)
        return digest.hexdigest()


def build_inputs(panel: Panel, params: PanelParams) -> PanelInputs:
    """Find the members of each day and normalise the columns of `data.tier`; `with_graph` adds the graph.

    Raises BadInput where the panel lacks what the question needs, and where no day has `universe.min_stocks` members.
    """
    universe = find_universe(panel, params.universe)
    columns = TIERS[params.data.tier]
    made = build_columns(panel, universe, columns, params.data.lags)
    inputs = normalise(made.values_TSF, universe.member_TS, params.windows.normalisation)
    axis = day_axis(panel.dates_T, universe, inputs, params.universe.min_stocks)
    if params.graph is not None:
        refuse_graph(panel, axis, params.graph, params.windows.context_length)
    return PanelInputs(panel=panel, universe=universe, columns=columns, inputs=inputs, axis=axis)


def with_graph(inputs: PanelInputs, params: PanelParams) -> PanelInputs:
    """Add the graph over the stocks of each day; return `inputs` as they are where the question has none."""
    if params.graph is None:
        return inputs
    return dataclasses.replace(inputs, graph=build_graph(inputs.panel, inputs.axis, params.graph))


def graph_of(inputs: PanelInputs, params: PanelParams) -> str | None:
    """Return the fingerprint of the graph that `with_graph` adds, without making it; None where there is none."""
    return None if params.graph is None else graph_fingerprint(inputs.panel, inputs.axis, params.graph)


def build_labels(panel: Panel, params: PanelParams) -> Labels:
    """Return the forward returns of all horizons of the question. Raises BadInput as `forward_returns` does."""
    return forward_returns(panel, params.target, params.horizons)
