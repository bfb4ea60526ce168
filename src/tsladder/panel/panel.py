"""Panel: daily values of many stocks on one axis of sessions, with its origin (source, licence, known biases).

Axis letters in all modules of this package:

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
    """Kind of return that a change of Close measures: total (with dividends) or price (without them)."""

    TOTAL = "total"
    PRICE = "price"


class UniverseKind(StrEnum):
    """Choice of the stocks of a file.

    SURVIVORS: stocks that still existed at its end. AS_LISTED: the stocks of some list. POINT_IN_TIME: the stocks of
    each day, including those that were delisted later.
    """

    SURVIVORS = "survivors"
    AS_LISTED = "as_listed"
    POINT_IN_TIME = "point_in_time"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dropped:
    """Rows or stocks that were left out of the file: the reason and their number."""

    why: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelOrigin:
    """Origin of a panel, which its values do not show.

    `bias`: one sentence for each way in which the choice of stocks or days biases results; empty for a panel with every
    stock of every day. `currency`: None if unknown. `ingestion`: account of `tsladder ingest`; empty for a panel made
    in another way.
    """

    source: str
    licence: str
    returns: Returns
    universe: UniverseKind
    bias: tuple[str, ...]
    dropped: tuple[Dropped, ...] = ()
    currency: str | None = None
    ingestion: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the origin as a plain record; an empty `ingestion` is left out."""
        record = dataclasses.asdict(self) | {
            "bias": list(self.bias),
            "dropped": [dataclasses.asdict(d) for d in self.dropped],
        }
        if not self.ingestion:
            del record["ingestion"]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PanelOrigin:
        """Read a record of `to_json`; other keys are ignored. Raises KeyError or ValueError for any other record."""
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
    """Manifest of a panel's file: its origin, and counts made when it was written.

    `not_traded_rows`: rows without a Close. `delisted`: symbols whose last Close lies before the last session.
    `sha256`: column -> hash of its values, independent of how the file encodes them.
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
        """Return one flat record that holds the keys of the origin, too."""
        counted = {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name != "origin"}
        lists = {name: list(counted[name]) for name in ("columns", "delisted")}
        return self.origin.to_json() | counted | lists | {"sha256": dict(self.sha256)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PanelManifest:
        """Read a record of `to_json`; other keys are ignored. Raises KeyError or ValueError for any other record."""
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
    """Daily values of S stocks on T sessions. A stock was traded on the sessions with a Close; a missing number is NaN.

    All prices are adjusted except `close_raw_TS`, the price paid on the day. `turnover_TS` is in currency. `sector_TS`
    holds text, "" where it is unknown. Columns that the file does not have are None.
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
        """True on sessions on which a stock was traded: those with a Close."""
        return np.isfinite(self.close_TS)

    @property
    def traded_value_TS(self) -> FloatTS | None:
        """Turnover in currency: that of the file, or else Close times Volume; None if the file has neither.

        The product is right if both are adjusted by the same factors. If Close is adjusted for dividends too, it is too
        small in the past.
        """
        if self.turnover_TS is not None:
            return self.turnover_TS
        return None if self.volume_TS is None else self.close_TS * self.volume_TS


def until(panel: Panel, row: int) -> Panel:
    """Return the panel as it was known at the close of session `row`.

    Later sessions are cut off, and with them the stocks that were not traded before. The manifest stays that of the
    whole file.
    """
    seen = np.flatnonzero(panel.traded_TS[: row + 1].any(axis=0))
    values: dict[str, Any] = {
        name: None if (value := getattr(panel, name)) is None else value[: row + 1, seen].copy()
        for name in (field.name for field in dataclasses.fields(panel))
        if name.endswith("_TS")
    }
    symbols_S = tuple(panel.symbols_S[stock] for stock in seen)
    return dataclasses.replace(panel, dates_T=panel.dates_T[: row + 1].copy(), symbols_S=symbols_S, **values)
