"""The sizes of a model: those that a study fixes for all its models, and those of one architecture. Pure, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """Family, window and inputs: the same for all models of a study.

    `patch_len` and `stride` exist for every family; a family's `leaves` say which of them it reads. `revin`: the model
    learns RevIN's affine on its inputs.
    """

    family: str
    context_length: int
    n_features: int
    patch_len: int
    stride: int
    revin: bool
    n_outputs: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelGeometry(Geometry):
    """Family, window and inputs of the models of a panel study: a sample is a day of `stocks` stocks.

    `horizons`: horizons that are forecast, the cell's own first; `quantiles`: outputs for each of them, 1 for a score.
    `n_outputs` is the product of both. `days`: newest sessions of the window that are read, by families that read fewer
    than all. `fan_components`: frequencies that adaptive normalisation removes. `neighbours`: places for the neighbours
    of a stock in the graph; 0 where there is no graph.
    """

    stocks: int
    horizons: int = 1
    quantiles: int = 1
    days: int = 0
    fan_components: int = 0
    neighbours: int = 0


class Architecture(Protocol):
    """One model of a geometry: width, depth, heads and feed-forward width; `n_graph`: layers over the graph of the
    stocks, in families that have them."""

    @property
    def geometry(self) -> Geometry: ...

    @property
    def d_model(self) -> int: ...

    @property
    def n_layers(self) -> int: ...

    @property
    def n_heads(self) -> int: ...

    @property
    def d_ff(self) -> int: ...

    @property
    def n_graph(self) -> int: ...
