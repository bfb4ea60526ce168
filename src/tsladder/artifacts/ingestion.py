"""artifacts/ingestion.json: what ingestion found in the bars of a study and changed in them, and what of it can make
the law wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record
from tsladder.vocabulary import Region


class ManifestState(StrEnum):
    """What lies beside a file of bars. FOUND: a record of just these bars. OTHER_BARS: of a file with other bytes."""

    FOUND = "found"
    NONE = "none"
    OTHER_BARS = "other_bars"
    DAMAGED = "damaged"


class SymbolRole(StrEnum):
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
class IngestionFinding:
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
    role: SymbolRole
    manifest: ManifestState
    source: str | None
    rows_read: int | None
    rows_kept: int | None
    options: tuple[str, ...]
    findings: tuple[IngestionFinding, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestionRecord:
    """`cautions`: horizon -> sentences without a full stop, for beside the verdict."""

    symbols: tuple[SymbolIngestion, ...]
    cautions: Mapping[int, tuple[str, ...]]


def read_ingestion(path: Path) -> IngestionRecord | None:
    """None where there is no such file, as in studies and capsules older than it. Raises WorkFailed for a damaged
    one."""
    try:
        return read_record(IngestionRecord, path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_ingestion(path: Path, ingestion: IngestionRecord) -> None:
    """Replace the file `path`."""
    write_record(path, ingestion)
