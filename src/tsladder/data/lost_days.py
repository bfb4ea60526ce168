"""Days of the bars that the feature table leaves out because a second series is missing on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class LostDays:
    """`before` the table's first day (after the indicators' own warm-up), `between` its days, `after` its last one.

    `first` and `last` of them all, as ISO text; None where no day was lost.
    """

    before: int
    between: tuple[str, ...]
    after: int
    first: str | None
    last: str | None

    @property
    def count(self) -> int:
        return self.before + len(self.between) + self.after

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, **dataclasses.asdict(self), "between": list(self.between)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> LostDays:
        """Inverse of `to_json`."""
        return cls(
            before=record["before"],
            between=tuple(record["between"]),
            after=record["after"],
            first=record["first"],
            last=record["last"],
        )

    def words(self) -> str:
        """Which days they are, for a line that says how many."""
        parts = f"{self.before} before the first day kept, {len(self.between)} between, {self.after} after the last"
        return f"{self.first} to {self.last}; {parts}{_named(self.between)}"


def _named(days: Sequence[str]) -> str:
    if not days:
        return ""
    more = f" and {len(days) - _NAMED} more" if len(days) > _NAMED else ""
    return f" (those between: {', '.join(days[:_NAMED])}{more})"


def lost_days(dates_T: NDArray[np.datetime64], kept_N: NDArray[np.int64], first: int) -> LostDays:
    """Of the days `dates_T` from row `first` on, those that are not among the rows `kept_N` (ascending, not empty)."""
    rows = np.setdiff1d(np.arange(first, len(dates_T)), kept_N)
    inside = rows[(rows > kept_N[0]) & (rows < kept_N[-1])]
    return LostDays(
        before=int((rows < kept_N[0]).sum()),
        between=tuple(str(day) for day in dates_T[inside]),
        after=int((rows > kept_N[-1]).sum()),
        first=str(dates_T[rows[0]]) if len(rows) else None,
        last=str(dates_T[rows[-1]]) if len(rows) else None,
    )
