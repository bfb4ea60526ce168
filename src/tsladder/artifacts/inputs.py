"""artifacts/inputs.json and manifests.json: hashes of the files in data/ that a study reads.

No code reads them back: DVC compares them and so finds the stages that are stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class BarsBeside:
    """Further symbols of a study. `beside`: symbol that is read beside `data.symbol` -> SHA-256 of its file of bars."""

    beside: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestRecords:
    """Ingestion manifests of a study's symbols.

    `manifests`: symbol -> SHA-256 of the manifest that `tsladder ingest` wrote beside its bars; None if there is none.
    """

    manifests: Mapping[str, str | None]


def write_inputs(path: Path, inputs: BarsBeside) -> None:
    """Replace inputs.json."""
    write_record(path, inputs)


def write_manifests(path: Path, manifests: IngestRecords) -> None:
    """Replace manifests.json."""
    write_record(path, manifests)
