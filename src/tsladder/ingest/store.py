"""Storage of clean bars as Parquet, with their manifest: written whole or not at all, never over other bars without
`force`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from tsladder.data.manifest import SHA256, manifest_path, sha256_of
from tsladder.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd


class Outcome(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"
    RECORD = "record"
    """The same values, of which something else is on record; of panels only."""


def judge(frame: pd.DataFrame, target: Path, *, force: bool) -> Outcome:
    """Determine what storing `frame` at `target` would do. Raises BadInput if other bars are there and `force` is not
    set.

    Bars are equal if their values are: the bytes of a Parquet file change with the library that writes it.
    """
    if not target.exists():
        return Outcome.NEW
    if not target.is_file():
        raise BadInput(f"{target} is no file, and the bars cannot be stored there: choose another --symbol")
    if _holds(target, frame):
        return Outcome.UNCHANGED
    if not force:
        raise BadInput(f"{target} exists and holds other bars: replace them with --force, or choose another --symbol")
    return Outcome.REPLACED


def store(frame: pd.DataFrame | None, record: Mapping[str, Any], target: Path) -> None:
    """Write `frame` (None: the bars there stay as they are) and its manifest, so that a reader sees whole files only.

    Raises BadInput if the files cannot be written.
    """
    bars = _part(target)
    manifest = _part(manifest_path(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            if frame is not None:
                with bars.open("wb") as stream:
                    frame.to_parquet(stream, index=False)
                    _keep(stream)
            told = {**record, SHA256: sha256_of(target if frame is None else bars)}
            with manifest.open("w", encoding="utf-8") as text:
                json.dump(told, text, indent=1, ensure_ascii=False, allow_nan=False)
                text.write("\n")
                _keep(text)
            if frame is not None:
                bars.replace(target)
            manifest.replace(manifest_path(target))
        finally:
            bars.unlink(missing_ok=True)
            manifest.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {error.strerror or error}") from None


def _part(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def _keep(stream: IO[Any]) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _holds(target: Path, frame: pd.DataFrame) -> bool:
    import pandas as pd

    try:
        there = pd.read_parquet(target)
    except (OSError, ValueError):
        return False
    if list(there.columns) != list(frame.columns) or len(there) != len(frame):
        return False
    if not pd.api.types.is_datetime64_any_dtype(there["Date"].dtype):
        return False
    return all(
        np.array_equal(there[name].to_numpy(), frame[name].to_numpy())
        for name in frame.columns
        if pd.api.types.is_numeric_dtype(there[name].dtype) or name == "Date"
    ) and all(pd.api.types.is_numeric_dtype(there[name].dtype) for name in frame.columns if name != "Date")
