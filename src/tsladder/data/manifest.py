"""The record of an ingestion, `NAME.manifest.json` beside `NAME.parquet`, written by `tsladder ingest`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.ingestion import ManifestState
from tsladder.artifacts.inputs import IngestRecords
from tsladder.data.inputs import further_symbols
from tsladder.params import DataParams
from tsladder.places import Places

SHA256 = "parquet_sha256"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A manifest as found. `record`: keys are those of `tsladder ingest --json` (`warnings`, `notes`, `repairs`,
    `dropped`, `zone` and so on); empty unless FOUND."""

    state: ManifestState
    record: Mapping[str, Any]


def manifest_path(bars: Path) -> Path:
    return bars.with_name(f"{bars.stem}.manifest.json")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def find_manifest(bars: Path) -> Manifest:
    """Find the manifest beside the Parquet file `bars`, and its state. Does not raise."""
    try:
        record = json.loads(manifest_path(bars).read_text(encoding="utf-8"))
        recorded = record.get(SHA256) if isinstance(record, dict) else None
        if not isinstance(recorded, str):
            return Manifest(state=ManifestState.DAMAGED, record={})
        if recorded != sha256_of(bars):
            return Manifest(state=ManifestState.OTHER_BARS, record={})
        return Manifest(state=ManifestState.FOUND, record=record)
    except FileNotFoundError:
        return Manifest(state=ManifestState.NONE, record={})
    except (OSError, ValueError):
        return Manifest(state=ManifestState.DAMAGED, record={})


def read_manifest(bars: Path) -> dict[str, Any] | None:
    """Read the record of `tsladder ingest` for the Parquet file `bars`; None where there is none, or one of other
    bytes."""
    found = find_manifest(bars)
    return dict(found.record) if found.state is ManifestState.FOUND else None


def manifest_digests(places: Places, data: DataParams) -> IngestRecords:
    """Return every symbol that the study reads -> SHA-256 of its manifest, None where there is none.

    A change of these makes the stage `ingestion` stale, and no other. DVC cannot depend on a file that may be missing.
    """
    symbols = dict.fromkeys((data.symbol, *further_symbols(data)))
    return IngestRecords(manifests={symbol: _digest(manifest_path(places.bars(symbol))) for symbol in symbols})


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None
