"""Toggles of the parts of atft_gat_fan that a training may switch on and off between its phases. Imports no torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Active:
    """Parts of a model that are computed: frequency adaptive normalisation (`fan`), slice adaptive normalisation
    (`san`) and the layers over the graph of the stocks (`gat`).

    A part that is not active is left out of the forward pass; its parameters get no gradient.
    """

    fan: bool = True
    san: bool = True
    gat: bool = True


TOGGLES = tuple(field.name for field in dataclasses.fields(Active))
"""Names of the parts that can be switched on and off."""
