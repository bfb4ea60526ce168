"""How bars came into data/: `NAME.manifest.json` beside `NAME.parquet`, written by `tsladder ingest`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SHA256 = "parquet_sha256"


def manifest_path(bars: Path) -> Path:
    return bars.with_name(f"{bars.stem}.manifest.json")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_manifest(bars: Path) -> dict[str, Any] | None:
    """What `tsladder ingest` recorded of the Parquet file `bars`; None where it recorded nothing, or of other bytes.

    Keys are those of `tsladder ingest --json`: `warnings`, `notes`, `repairs`, `dropped`, `jumps`, `zone` and so on.
    """
    try:
        record = json.loads(manifest_path(bars).read_text(encoding="utf-8"))
        return record if isinstance(record, dict) and record.get(SHA256) == sha256_of(bars) else None
    except (OSError, ValueError):
        return None
