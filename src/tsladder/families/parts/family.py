"""The protocol `Family`: everything that the program asks of a model family. Imports no torch.

tests/families/contract.py holds the promises of every implementation. A family of encoder blocks gets its counts,
memory and time from `EncoderCosts` and its module from `TokenEncoder`; any other one brings its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tsladder.families.parts.geometry import Architecture, Geometry

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """The tokens of a window: `count` of them, each embedded from `inputs` values."""

    count: int
    inputs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Activations:
    """Memory, in bytes per window, that training holds besides weights, gradients and optimizer.

    `blocks`: kept by all layers for the backward pass; `checkpointed`: the same under activation checkpointing, where a
    layer keeps only its input and the largest one is computed again. `largest_block`: kept by the largest layer.
    `moment`: needed temporarily inside that layer, on top. `edges`: inputs, and what is kept around the layers.
    """

    blocks: float
    checkpointed: float
    largest_block: float
    moment: float
    edges: float


class Costs(Protocol):
    """Parameter counts, memory and work of one architecture."""

    @property
    def n_params_blocks(self) -> int:
        """Number of parameters of the repeated layers alone."""

    @property
    def n_params_body(self) -> int:
        """Number of parameters of all but the embedding (with learned positions), the head and RevIN's affine."""

    @property
    def n_params(self) -> int:
        """Exact number of parameters without RevIN's affine."""

    @property
    def largest_weight(self) -> int:
        """Number of values of the largest weight matrix of the repeated layers."""

    def activations(self, body: int) -> Activations:
        """Return the memory of the activations, with `body` bytes for a number of the model's body (4 in fp32, 2 in
        bf16)."""

    @property
    def products(self) -> float:
        """Multiplications and additions of the forward pass of one window."""

    @property
    def moved(self) -> float:
        """Numbers that elementwise work reads and writes for one window, forward and backward."""

    @property
    def calls(self) -> int:
        """Number of layers that each micro-batch passes through, one after the other."""


class Family(Protocol):
    """A model family: its models, their counts, memory and work, and their construction."""

    @property
    def leaves(self) -> tuple[str, ...]:
        """Settings in the section `model` of params.yaml, besides `family`, that it reads; the others are ignored."""

    @property
    def fewer_parameters(self) -> str:
        """Remedy where a grid is empty because the smallest model is too large; ends "take another rung, ..."."""

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        """Check `settings`, the values of its leaves, for windows of so many days; return leaf -> fault, empty where
        all fit.

        The leaf `family` stands for a fault of the windows themselves.
        """

    def tokens(self, geometry: Geometry) -> Tokens:
        """Return the tokens of a window of `geometry`."""

    def in_grid(self, model: Architecture) -> bool:
        """Check whether a budget's grid may hold `model`; False, for example, for more heads in a model without
        attention."""

    def costs(self, model: Architecture) -> Costs:
        """Return counts, memory and work of `model`, without building it."""

    def build(self, model: Architecture, *, dropout: float, activation_checkpointing: bool, lowered: bool) -> Model:
        """Build `model`, freshly initialised from torch's seeded generator. Imports torch.

        `lowered`: its body holds bf16 from the start, layer by layer, so that it never exists in fp32 as a whole; its
        values are those of a body lowered afterwards.
        """
