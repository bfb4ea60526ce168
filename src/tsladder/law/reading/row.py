"""One valid row of a table of points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYTHING = "all"
"""Name of the only group of a table without a group column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a table. `number` counts as in the file, where the header is row 1. `table`: its file, given where
    there are several.

    further     the cells of columns without a role, numbers as such; empty cells are left out
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
        """The row's position, for messages."""
        return f"row {self.number}" if self.table is None else f"{self.table} row {self.number}"
