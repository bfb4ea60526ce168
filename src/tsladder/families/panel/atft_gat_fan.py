"""ATFT-GAT-FAN: a temporal fusion transformer over each stock, graph attention between stocks, adaptive normalisation.

It reads the newest `days` sessions. Frequency and slice adaptive normalisation (Ye et al. 2024; Liu et al. 2023) take
oscillations, levels and spreads out of the columns and tell them apart; variable selection weighs the columns (Lim et
al. 2021); an LSTM and causal blocks run over the sessions; GATv2 (Brody et al. 2022) lets a stock attend to its
neighbours in a graph; the head gives quantiles. The parts are in the folder `atft`, one module each.

Adapted to ranking: nothing that a normalisation took out is put back, since no level is forecast. No statistic runs
over stocks or over a batch, so a stock's output depends on others through the graph alone. Stocks have no identity.

Variable selection holds 42 to 79 % of all parameters, and its share falls with the width. The size of a model is
therefore three figures: `n_params`; `n_params_body`, all but variable selection; `n_params_blocks`, LSTM, causal blocks
and graph layers. A law is shown against each.

Without a graph (`neighbours` 0) models have no graph layers: `n_graph` is 0.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, cast

from tsladder.families.panel.atft.active import TOGGLES, Active
from tsladder.families.panel.atft.costs import AtftCosts
from tsladder.families.panel.atft.sizes import SLICE_SESSIONS
from tsladder.families.parts.family import Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.panel_family import PanelFamily
from tsladder.families.parts.panel_geometry import panel_geometry

if TYPE_CHECKING:
    from tsladder.families.panel.atft.module import AtftGatFan
    from tsladder.families.parts.model import Model

POSITION_SD = 0.02
"""Standard deviation of the positions when training begins."""


class AtftFamily:
    """The family whose tokens are sessions of one stock, then stocks in a graph."""

    leaves = ("days", "fan_components")
    fewer_parameters = "fewer columns"
    depths = (1, 2, 3, 4, 6, 8)
    graph_depths = (0, 1, 2, 3, 4)
    toggles = TOGGLES
    graph_toggles = ("gat",)
    count_words = types.MappingProxyType(
        {"n_params_blocks": "of temporal and graph layers", "n_params_body": "without variable selection"}
    )

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        days, components = settings["days"], settings["fan_components"]
        if days > context_length:
            return {"days": f"must fit into windows.context_length ({context_length} sessions), got {days}"}
        if days < SLICE_SESSIONS or days % SLICE_SESSIONS:
            slices = f"a multiple of {SLICE_SESSIONS}, the sessions of a slice that is normalised by itself"
            return {"days": f"must be {slices}, got {days}"}
        most = days // 2
        if not 1 <= components <= most:
            limit = f"the frequencies of model.days ({days} sessions)"
            return {"fan_components": f"must be 1 to {most}, {limit}, got {components}"}
        return {}

    def tokens(self, geometry: Geometry) -> Tokens:
        return Tokens(count=panel_geometry(geometry).days, inputs=geometry.n_features)

    def in_grid(self, model: Architecture) -> bool:
        """Graph layers exist where there is a graph, and only there."""
        return (model.n_graph > 0) == (panel_geometry(model.geometry).neighbours > 0)

    def costs(self, model: Architecture) -> AtftCosts:
        return AtftCosts(model=model, geometry=panel_geometry(model.geometry))

    def build(
        self,
        model: Architecture,
        *,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None = None,
    ) -> AtftGatFan:
        from tsladder.families.panel.atft.module import AtftGatFan

        return AtftGatFan(
            model,
            panel_geometry(model.geometry),
            position_sd=POSITION_SD,
            dropout=dropout,
            activation_checkpointing=activation_checkpointing,
            lowered=lowered,
            stocks_at_once=stocks_at_once,
        )

    def activate(self, model: Model, parts: Collection[str]) -> frozenset[str]:
        if unknown := sorted(set(parts) - set(TOGGLES)):
            raise ValueError(f"the parts that can be switched on are {', '.join(TOGGLES)}, got {', '.join(unknown)}")
        module = cast("AtftGatFan", model)
        module.activate(Active(**{toggle: toggle in parts for toggle in TOGGLES}))
        return module.inactive_parameters()


FAMILY: PanelFamily = AtftFamily()
