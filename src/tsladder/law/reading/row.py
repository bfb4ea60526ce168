"""One sound row of a table of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYTHING = "all"
"""The one group of a table without the column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`number` counts as the file does: the header is row 1. `table`: the file, told where there are several.

    further     the cells of columns that mean nothing to a law, numbers as such; without those that are empty
    loss_step   unit of the last digit that the column of losses shows
    """

    number: int
    n_params: float
    loss: float
    n_data: float | None = None
    group: str = EVERYTHING
    seed: str | None = None
    se: float | None = None
    loss_step: float | None = None
    further: Mapping[str, float | str] = field(default_factory=dict)
    table: str | None = None

    @property
    def place(self) -> str:
        """Where it stands, in a message."""
        return f"row {self.number}" if self.table is None else f"{self.table} row {self.number}"
