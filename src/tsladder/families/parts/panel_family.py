"""Port of the families of models of a panel: what they offer beyond the port `Family`, and the depths that any family
may choose itself. Imports no torch.

tests/families/panel_contract.py holds the promises of every implementation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tsladder.families.parts.family import Activations, Costs, Family
from tsladder.families.parts.geometry import Architecture

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model


class PanelCosts(Costs, Protocol):
    """Parameter counts, memory and work of one architecture; a sample, called window in `Costs`, is a day with all its
    stocks."""

    def activations_in_chunks(self, body: int, stocks_at_once: int) -> Activations:
        """Return the memory of the activations where sequences of so many stocks are computed at once, and again in the
        backward pass; layers keep only their input."""

    def calls_in_chunks(self, stocks_at_once: int) -> int:
        """Return the number of layers that each micro-batch then passes through, one after the other."""


class PanelFamily(Family, Protocol):
    """A model family of a panel of stocks."""

    def costs(self, model: Architecture) -> PanelCosts:
        """Return counts, memory and work of `model`, without building it."""

    def build(
        self,
        model: Architecture,
        *,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None = None,
    ) -> Model:
        """Build `model` as `Family.build` does. `stocks_at_once`: stocks whose sequences are computed at once; None:
        all."""


@runtime_checkable
class OwnDepths(Protocol):
    """A family whose grids have depths of its own instead of those of `planning.grid`."""

    @property
    def depths(self) -> tuple[int, ...]:
        """Numbers of layers."""

    @property
    def graph_depths(self) -> tuple[int, ...]:
        """Numbers of layers over the graph of the stocks; (0,) without one."""
