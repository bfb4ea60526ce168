"""artifacts/ingestion.json: what ingestion found in the bars of a study and changed in them, and what of it can make
the law wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import read_json
from tsladder.data.manifest import ManifestState
from tsladder.vocabulary import Region


class Role(StrEnum):
    """What a study reads a symbol's bars for: its law, training windows beside its own, or columns of the tier."""

    LAW = "law"
    TRAINING = "training"
    COLUMNS = "columns"


class FindingKind(StrEnum):
    JUMP = "jump"
    GAP = "gap"
    NO_TRADE = "no_trade"
    WIDENED = "widened"
    VOLUME_ZERO = "volume_taken_as_0"
    LEFT_OUT = "left_out"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One kind of thing that was found in the bars of a symbol, or done to them, as often as `count` says.

    `used`: how often inside the days of each region, at the study's first horizon; None where the days are not known.
    `largest` in words, `first_days` in time order, `option`: that of `tsladder ingest` which did it.
    """

    kind: FindingKind
    what: str
    count: int
    used: Mapping[Region, int] | None = None
    largest: str | None = None
    first_days: tuple[str, ...] = ()
    option: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolIngestion:
    """The bars of one symbol. What `tsladder ingest` recorded is empty or None unless `manifest` is FOUND; `findings`
    of the bars themselves are there all the same."""

    symbol: str
    role: Role
    manifest: ManifestState
    source: str | None
    rows_read: int | None
    rows_kept: int | None
    options: tuple[str, ...]
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingestion:
    """`cautions`: horizon -> sentences without a full stop, for beside the verdict."""

    symbols: tuple[SymbolIngestion, ...]
    cautions: Mapping[int, tuple[str, ...]]

    def to_json(self) -> dict[str, Any]:
        return {
            "symbols": [dataclasses.asdict(symbol) for symbol in self.symbols],
            "cautions": {str(horizon): list(said) for horizon, said in self.cautions.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Ingestion:
        """Inverse of `to_json`."""
        return cls(
            symbols=tuple(_symbol(symbol) for symbol in record["symbols"]),
            cautions={int(horizon): tuple(said) for horizon, said in record["cautions"].items()},
        )


def read_ingestion(path: Path) -> Ingestion | None:
    """None where there is no such file, as in studies and capsules older than it. Raises WorkFailed for a damaged
    one."""
    try:
        return Ingestion.from_json(read_json(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _symbol(record: Mapping[str, Any]) -> SymbolIngestion:
    lists = {name: tuple(record[name]) for name in ("options", "warnings", "notes")}
    return SymbolIngestion(
        symbol=record["symbol"],
        role=Role(record["role"]),
        manifest=ManifestState(record["manifest"]),
        source=record["source"],
        rows_read=record["rows_read"],
        rows_kept=record["rows_kept"],
        findings=tuple(_finding(finding) for finding in record["findings"]),
        **lists,
    )


def _finding(record: Mapping[str, Any]) -> Finding:
    used = record["used"]
    return Finding(
        kind=FindingKind(record["kind"]),
        what=record["what"],
        count=record["count"],
        used=None if used is None else {Region(region): count for region, count in used.items()},
        largest=record["largest"],
        first_days=tuple(record["first_days"]),
        option=record["option"],
    )
