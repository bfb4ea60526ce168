"""A toy family of panels with layers over a graph, which is counted and never built: for grids and search spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.families.parts.family import Activations, Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.panel_family import PanelFamily

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model


@dataclass(frozen=True, slots=True)
class GraphCosts:
    model: Architecture

    @property
    def n_params_blocks(self) -> int:
        d, f = self.model.d_model, self.model.d_ff
        return self.model.n_layers * (4 * d * d + 2 * d * f) + self.model.n_graph * 2 * d * d

    @property
    def n_params_body(self) -> int:
        return self.n_params_blocks

    @property
    def n_params(self) -> int:
        return self.n_params_blocks + self.model.d_model * self.model.geometry.n_features

    largest_weight = 0
    products = moved = 0.0
    calls = 0

    def activations(self, body: int) -> Activations:
        return Activations(blocks=0.0, checkpointed=0.0, largest_block=0.0, moment=0.0, edges=0.0)

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        return self.activations(body)

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        return self.calls


class CountedGraph:
    leaves: tuple[str, ...] = ()
    fewer_parameters = "fewer columns"
    depths = (1, 2, 3, 5)
    graph_depths = (1, 2, 4)

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        return {}

    def tokens(self, geometry: Geometry) -> Tokens:
        return Tokens(count=geometry.context_length, inputs=geometry.n_features)

    def in_grid(self, model: Architecture) -> bool:
        return True

    def costs(self, model: Architecture) -> GraphCosts:
        return GraphCosts(model)

    def build(
        self,
        model: Architecture,
        *,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None = None,
    ) -> Model:
        raise NotImplementedError("it is only counted")


FAMILY: PanelFamily = CountedGraph()
