"""The options of `tsladder fit` that say how a table is to be read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tsladder.errors import BadInput
from tsladder.law.reading.columns import parse_columns
from tsladder.law.reading.numbers import Decimal
from tsladder.law.reading.per_size import Pick, parse_per_size


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """Options for reading a table. `columns`: role -> column, "" leaves a role out
    (`tsladder.law.reading.columns.ROLES`). `ignore`: columns that are no settings of a run. `per_size`: choices,
    applied in turn, of the loss of a size with several rows; () only where its rows are replicates. `decimal`: the
    decimal mark; None: decided from the numbers."""

    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    per_size: tuple[Pick, ...] = ()
    decimal: Decimal | None = None

    @classmethod
    def parse(
        cls,
        *,
        columns: Sequence[str] = (),
        ignore: Sequence[str] = (),
        per_size: str | None = None,
        decimal: str | None = None,
    ) -> Reading:
        """Parse options as given on the command line, where `columns` and `ignore` may be given several times.

        Raises BadInput with everything that is wrong.
        """
        refusals: list[BadInput] = []
        chosen: dict[str, str] = {}
        picks: tuple[Pick, ...] = ()
        try:
            chosen = parse_columns(columns)
        except BadInput as refusal:
            refusals.append(refusal)
        try:
            picks = () if per_size is None else parse_per_size(per_size)
        except BadInput as refusal:
            refusals.append(refusal)
        if decimal is not None and decimal not in tuple(Decimal):
            refusals.append(BadInput(f"--decimal must be point or comma, got {decimal!r}"))
        if len(refusals) == 1:
            raise refusals[0]
        if refusals:
            raise BadInput("the options cannot be read:", [str(refusal) for refusal in refusals])
        names = tuple(name.strip() for row in csv.reader(ignore, skipinitialspace=True) for name in row if name.strip())
        return cls(columns=chosen, ignore=names, per_size=picks, decimal=None if decimal is None else Decimal(decimal))

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": dict(self.columns),
            "ignore": list(self.ignore),
            "per_size": ",".join(map(str, self.per_size)) or None,
            "decimal": self.decimal,
        }
