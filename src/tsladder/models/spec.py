"""The sizes of a model and, from its family, its exact counts, without building it. Imports no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.families import load
from tsladder.families.parts.family import Costs, Tokens
from tsladder.families.parts.geometry import Geometry, PanelGeometry

__all__ = ["Geometry", "ModelSpec", "PanelGeometry", "spec_from_architecture"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One architecture of a geometry; `n_graph`: layers over the graph of the stocks, 0 in families without one. Raises
    ValueError where d_model is not divisible by the number of heads."""

    geometry: Geometry
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int
    n_graph: int = 0

    def __post_init__(self) -> None:
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is no multiple of n_heads {self.n_heads}")

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes that decide the parameter count: (d_model, n_layers, d_ff), then n_graph in models with a graph."""
        sizes = (self.d_model, self.n_layers, self.d_ff)
        return (*sizes, self.n_graph) if self.n_graph else sizes

    @property
    def costs(self) -> Costs:
        """Counts, memory and work, from the family. Raises BadInput for an unknown family."""
        return load(self.geometry.family).costs(self)

    @property
    def tokens(self) -> Tokens:
        """The tokens of a window: their number and the values in each."""
        return load(self.geometry.family).tokens(self.geometry)

    @property
    def stocks(self) -> int:
        """Number of windows in a sample: the stocks of a day of a panel, 1 in models of one series."""
        return self.geometry.stocks if isinstance(self.geometry, PanelGeometry) else 1

    def with_stocks(self, stocks: int) -> ModelSpec:
        """Return this architecture on days of so many stocks. Raises TypeError for a model of one series."""
        if not isinstance(self.geometry, PanelGeometry):
            raise TypeError(f"a {self.geometry.family} has no stocks, got {stocks}")
        return dataclasses.replace(self, geometry=dataclasses.replace(self.geometry, stocks=stocks))

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters of the encoder blocks alone."""
        return self.costs.n_params_blocks

    @property
    def n_params_body(self) -> int:
        """Number of parameters of all but embedding (projection of the tokens, positions) and head."""
        return self.costs.n_params_body

    @property
    def n_params_formula(self) -> int:
        """Exact number of parameters without RevIN's affine; decides membership of a grid."""
        return self.costs.n_params

    @property
    def n_params(self) -> int:
        """Exact number of trained parameters; equals the numel of the built model."""
        return self.n_params_formula + (2 * self.geometry.n_features if self.geometry.revin else 0)

    def architecture(self) -> dict[str, int]:
        """Return the fields that name an architecture in the outputs of a study; n_graph in models with a graph
        alone."""
        graph = {"n_graph": self.n_graph} if self.n_graph else {}
        return {
            "d_model": self.d_model,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "d_ff": self.d_ff,
            **graph,
            "patch_len": self.geometry.patch_len,
            "stride": self.geometry.stride,
        }


def spec_from_architecture(geometry: Geometry, architecture: Mapping[str, int]) -> ModelSpec:
    """Rebuild a spec from `ModelSpec.architecture` within a known geometry."""
    return ModelSpec(
        geometry=geometry,
        d_model=int(architecture["d_model"]),
        n_layers=int(architecture["n_layers"]),
        n_heads=int(architecture["n_heads"]),
        d_ff=int(architecture["d_ff"]),
        n_graph=int(architecture.get("n_graph", 0)),
    )
