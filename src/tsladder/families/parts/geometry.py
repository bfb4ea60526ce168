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


class Architecture(Protocol):
    """One model of a geometry: width, depth, heads and feed-forward width."""

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
