"""artifacts/ingestion.json: what ingestion found and changed in the bars of a study, and which of it may distort the
law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record
from tsladder.vocabulary import Region


class ManifestState(StrEnum):
    """State of the manifest beside a file of bars. FOUND: it belongs to exactly these bars. OTHER_BARS: it belongs to a
    file with other bytes."""

    FOUND = "found"
    NONE = "none"
    OTHER_BARS = "other_bars"
    DAMAGED = "damaged"


class SymbolRole(StrEnum):
    """Purpose for which a study reads a symbol's bars: the law, training windows beside those of the law, or columns of
    the tier."""

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
    """One kind of finding in the bars of a symbol, or of change to them, with its `count`.

    `used`: number of them within the days of each region at the study's first horizon; None if the days are not known.
    `largest`: the largest one, in words. `first_days`: in time order. `option`: the option of `tsladder ingest` that
    made the change.
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
    """Ingestion of the bars of one symbol.

    Fields that `tsladder ingest` recorded are empty or None unless `manifest` is FOUND; `findings` made in the bars
    themselves are there in any case.
    """

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
    """Ingestion of all symbols of a study.

    `cautions`: horizon -> sentences without a full stop, to be shown beside the verdict.
    """

    symbols: tuple[SymbolIngestion, ...]
    cautions: Mapping[int, tuple[str, ...]]


def read_ingestion(path: Path) -> IngestionRecord:
    """Read the ingestion record at `path`. Raises FileNotFoundError if it does not exist, as in studies and capsules of
    older versions, and WorkFailed if it is damaged."""
    return read_record(IngestionRecord, path)


def write_ingestion(path: Path, ingestion: IngestionRecord) -> None:
    """Replace the ingestion record at `path`."""
    write_record(path, ingestion)
