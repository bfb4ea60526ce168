"""Read the rows of all named files; report all files that cannot be read in one refusal."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, DateOrder
from tsladder.ingest.numbers import Decimal
from tsladder.ingest.panel.rows import StockRows, read_rows
from tsladder.ingest.panel.sources import Source
from tsladder.steps import OnStep

_FAULTS_SHOWN = 20
_ORDERS = {"DD/MM": DateOrder.DMY, "DD.MM": DateOrder.DMY, "DD-MM": DateOrder.DMY, "MM/DD": DateOrder.MDY,
           "MM.DD": DateOrder.MDY, "MM-DD": DateOrder.MDY}  # fmt: skip


def read_all(sources: Sequence[Source], choices: Choices, *, today: datetime.date, on_step: OnStep) -> list[StockRows]:
    """Read the rows of each file, in the order of `sources`.

    A file in which the order of day and month or the decimal mark is ambiguous is read like the other files, if these
    agree. Raises BadInput that names every file that cannot be read.
    """
    read: dict[Source, StockRows] = {}
    refused: dict[Source, BadInput] = {}
    for place, source in enumerate(sources):
        _read_one(source, choices, today, read, refused)
        on_step(f"read {source.name}", place + 1, len(sources))
    agreed = _with_common_format(list(read.values()), choices)
    if agreed != choices:
        for source in list(refused):
            refused.pop(source)
            _read_one(source, agreed, today, read, refused)
    if refused:
        raise _combined(refused, len(sources))
    return [read[source] for source in sources]


def _read_one(
    source: Source,
    choices: Choices,
    today: datetime.date,
    read: dict[Source, StockRows],
    refused: dict[Source, BadInput],
) -> None:
    try:
        read[source] = read_rows(source.read(choices), source.stem, choices, today=today)
    except BadInput as error:
        refused[source] = error


def _with_common_format(parts: Sequence[StockRows], choices: Choices) -> Choices:
    """Return `choices`; what it leaves open is set to the date order and decimal mark that all files share."""
    orders = {_ORDERS.get(part.notation[:5]) for part in parts}
    marks = {part.decimal for part in parts}
    order = next(iter(orders)) if len(orders) == 1 else None
    mark = next(iter(marks)) if len(marks) == 1 else None
    return replace(
        choices,
        date_order=choices.date_order or order,
        decimal=choices.decimal or (None if mark is None else Decimal(mark)),
    )


def _combined(refused: dict[Source, BadInput], files: int) -> BadInput:
    errors = list(refused.values())
    if len(errors) == 1:
        return errors[0]
    faults: list[str] = []
    for error in errors:
        faults.append(error.headline)
        faults += [f"  {fault}" for fault in error.faults]
    if len(faults) > _FAULTS_SHOWN:
        faults = [*faults[:_FAULTS_SHOWN], f"and {len(faults) - _FAULTS_SHOWN} more lines"]
    return BadInput(f"{len(errors)} of {files} files cannot be read; nothing was written:", faults)
