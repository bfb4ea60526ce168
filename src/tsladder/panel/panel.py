"""A panel: daily values of many stocks on one axis of sessions, and what is known of where it comes from.

Axis letters of all modules of this room:

====== ===========================================================
letter meaning
====== ===========================================================
T      sessions of the panel, ascending
S      stocks, in the order of their symbols
F      columns
M      horizons
N      sample days
====== ===========================================================
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatTS = NDArray[np.float64]
BoolTS = NDArray[np.bool_]


class Returns(StrEnum):
    """What the change of Close holds: price and dividends, or the price alone."""

    TOTAL = "total"
    PRICE = "price"


class UniverseKind(StrEnum):
    """How the stocks of a file were chosen: among those that were there at its end; as some list had them; or as
    each day had them, those that were delisted later among them."""

    SURVIVORS = "survivors"
    AS_LISTED = "as_listed"
    POINT_IN_TIME = "point_in_time"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """`count` rows or stocks that did not get into the file, and `why`."""

    why: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelOrigin:
    """What the values alone do not tell. `bias`: a sentence for each way the choice of stocks or days misleads; none
    for a panel of every stock of every day. `currency`: None where unknown. `ingestion`: what `tsladder ingest` found
    and did, empty for a panel made otherwise."""

    source: str
    licence: str
    returns: Returns
    universe: UniverseKind
    bias: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    currency: str | None = None
    ingestion: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        record = dataclasses.asdict(self) | {
            "bias": list(self.bias),
            "dropped": [dataclasses.asdict(d) for d in self.dropped],
        }
        if not self.ingestion:
            del record["ingestion"]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PanelOrigin:
        """Inverse of `to_json`; other keys are ignored. Raises KeyError or ValueError for what is no such record."""
        return cls(
            source=record["source"],
            licence=record["licence"],
            returns=Returns(record["returns"]),
            universe=UniverseKind(record["universe"]),
            bias=tuple(record["bias"]),
            dropped=tuple(Dropped(why=item["why"], count=item["count"]) for item in record["dropped"]),
            currency=record["currency"],
            ingestion=record.get("ingestion", {}),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelManifest:
    """The record in a panel's file: its origin, and what was counted when it was written.

    `not_traded_rows`: rows without a Close. `delisted`: symbols whose last Close lies before the last session.
    `sha256`: column -> hash of its values, whatever the bytes of the file are.
    """

    origin: PanelOrigin
    first_day: str
    last_day: str
    sessions: int
    symbols: int
    rows: int
    columns: tuple[str, ...]
    not_traded_rows: int
    delisted: tuple[str, ...]
    sha256: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """One flat object, the keys of the origin among the others."""
        counted = {told.name: getattr(self, told.name) for told in dataclasses.fields(self) if told.name != "origin"}
        lists = {name: list(counted[name]) for name in ("columns", "delisted")}
        return self.origin.to_json() | counted | lists | {"sha256": dict(self.sha256)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PanelManifest:
        """Inverse of `to_json`; other keys are ignored. Raises KeyError or ValueError for what is no such record."""
        return cls(
            origin=PanelOrigin.from_json(record),
            first_day=record["first_day"],
            last_day=record["last_day"],
            sessions=record["sessions"],
            symbols=record["symbols"],
            rows=record["rows"],
            columns=tuple(record["columns"]),
            not_traded_rows=record["not_traded_rows"],
            delisted=tuple(record["delisted"]),
            sha256=dict(record["sha256"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Panel:
    """Values of S stocks on T sessions. A stock is traded on the days that have a Close; all else is NaN there.

    `close_TS` is adjusted, as all prices are but `close_raw_TS`, the price that was paid on the day. `turnover_TS` is
    in currency. `sector_TS` holds text, "" where none is known. Columns that the file does not have are None.
    """

    name: str
    dates_T: NDArray[np.datetime64]
    symbols_S: tuple[str, ...]
    close_TS: FloatTS
    open_TS: FloatTS | None = None
    high_TS: FloatTS | None = None
    low_TS: FloatTS | None = None
    volume_TS: FloatTS | None = None
    turnover_TS: FloatTS | None = None
    close_raw_TS: FloatTS | None = None
    sector_TS: NDArray[np.object_] | None = None
    member_TS: BoolTS | None = None
    manifest: PanelManifest

    @property
    def traded_TS(self) -> BoolTS:
        return np.isfinite(self.close_TS)

    @property
    def traded_value_TS(self) -> FloatTS | None:
        """Turnover in currency: as the file has it, or Close times Volume; None where it has neither.

        The product is right where both are adjusted by the same factors; a Close with its dividends taken off makes it
        too small in the past.
        """
        if self.turnover_TS is not None:
            return self.turnover_TS
        return None if self.volume_TS is None else self.close_TS * self.volume_TS


def until(panel: Panel, row: int) -> Panel:
    """The panel as it was known at the close of session `row`: later sessions are cut off, and with them the stocks
    that were never traded before. The manifest stays that of the whole file."""
    seen = np.flatnonzero(panel.traded_TS[: row + 1].any(axis=0))
    values: dict[str, Any] = {
        name: None if (value := getattr(panel, name)) is None else value[: row + 1, seen].copy()
        for name in (field.name for field in dataclasses.fields(panel))
        if name.endswith("_TS")
    }
    symbols_S = tuple(panel.symbols_S[stock] for stock in seen)
    return dataclasses.replace(panel, dates_T=panel.dates_T[: row + 1].copy(), symbols_S=symbols_S, **values)
