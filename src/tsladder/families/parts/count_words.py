"""Words for the two parameter counts of a family beside the count of all parameters. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from tsladder.families.parts.family import Family

ENCODER = {"n_params_blocks": "blocks", "n_params_body": "body"}
"""Count -> words to follow "N" for a family of encoder blocks: `Costs` says what is counted."""


@runtime_checkable
class OwnCounts(Protocol):
    """A family whose two further counts are of other parts of a model than an encoder's blocks and body."""

    @property
    def count_words(self) -> Mapping[str, str]:
        """Return n_params_blocks and n_params_body -> words to follow "N", such as "without variable selection"."""


def own_count_words(family: Family) -> Mapping[str, str] | None:
    """Return the words of a family that counts parts of its own; None for a family of encoder blocks."""
    return family.count_words if isinstance(family, OwnCounts) else None
