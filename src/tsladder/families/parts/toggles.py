"""Parts of a model that can be switched on and off between the phases of a training. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tsladder.families.parts.family import Family
    from tsladder.families.parts.model import Model


@runtime_checkable
class Toggled(Protocol):
    """A family whose models have such parts. Each changes no output until it has been trained, so switching it on
    continues a training smoothly."""

    @property
    def toggles(self) -> tuple[str, ...]:
        """Names of the parts."""

    @property
    def graph_toggles(self) -> tuple[str, ...]:
        """Names of the parts that models have only where stocks have neighbours in a graph."""

    def activate(self, model: Model, parts: Collection[str]) -> frozenset[str]:
        """Compute these parts of `model` and no others from now on. Return the names of the parameters that no output
        then depends on."""


def toggles_of(family: Family) -> tuple[str, ...]:
    """Return the names of the parts that models of `family` can have; empty for a family without any."""
    return family.toggles if isinstance(family, Toggled) else ()


def graph_toggles_of(family: Family) -> tuple[str, ...]:
    """Return those parts that models of `family` have only where there is a graph."""
    return family.graph_toggles if isinstance(family, Toggled) else ()
