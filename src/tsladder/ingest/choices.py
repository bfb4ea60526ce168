"""Choices of the user for a file that is ambiguous, and the repairs that the user asks for."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tsladder.ingest.names import Role
from tsladder.ingest.numbers import Decimal


class DateOrder(StrEnum):
    """Order of day, month and year in a numeric date. YMD is for two-digit years."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


class DayShift(StrEnum):
    """Day that a bar belongs to, relative to the written day, which may not be that of the exchange."""

    AS_WRITTEN = "as-written"
    NEXT = "next"
    PREVIOUS = "previous"

    @property
    def days(self) -> int:
        return {DayShift.AS_WRITTEN: 0, DayShift.NEXT: 1, DayShift.PREVIOUS: -1}[self]


class MissingVolume(StrEnum):
    """Treatment of a day with prices and no volume, in a file that has a volume on other days."""

    ZERO = "zero"
    DROP = "drop"


class Field(StrEnum):
    """Content of the cells of a table with one column per stock."""

    CLOSE = "close"
    RETURN = "return"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions:
    """Days of the rows of a table without dates: the last row is of `last_day`, each row before it of the session of
    the exchange `calendar` before."""

    calendar: str
    last_day: datetime.date


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """Choices of the user for one file. None: the file must be unambiguous itself.

    `columns` maps a role to the heading it is taken from, "" for none. `header` names the columns of a file without a
    header. `zone` is the exchange's: an IANA name or an offset; times without a zone then count as UTC. `century` is
    18, 19 or 20, for two-digit years. `of_stocks`: the file belongs to a panel and may have a column for each stock,
    which then holds `field`; `sessions` date its rows.
    """

    only_symbol: str | None = None
    date_order: DateOrder | None = None
    decimal: Decimal | None = None
    columns: Mapping[Role, str] = field(default_factory=dict)
    header: tuple[str, ...] | None = None
    encoding: str | None = None
    zone: str | None = None
    days: DayShift | None = None
    century: int | None = None
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    repair_range: bool = False
    missing_volume: MissingVolume | None = None
    drop_faulty_rows: bool = False
    of_stocks: bool = False
    field: Field | None = None
    sessions: Sessions | None = None
