"""artifacts/inputs.json and manifests.json: which files in data/ a study reads, by content.

No code reads them back: DVC compares them, and so finds which stages are stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class BarsBeside:
    """`beside`: symbol that is read beside `data.symbol` -> SHA-256 of its file of bars."""

    beside: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestRecords:
    """`manifests`: symbol -> SHA-256 of what `tsladder ingest` recorded beside its bars, None where that is nothing."""

    manifests: Mapping[str, str | None]


def write_inputs(path: Path, inputs: BarsBeside) -> None:
    """Replace inputs.json."""
    write_record(path, inputs)


def write_manifests(path: Path, manifests: IngestRecords) -> None:
    """Replace manifests.json."""
    write_record(path, manifests)
