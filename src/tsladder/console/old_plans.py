"""What a plan file said when a stage was built with it: found by the MD5 that dvc.lock recorded, wherever a copy is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tsladder.artifacts.plans import plain_plan
from tsladder.places import Places


def recorded_plan(places: Places, path: str, md5: str, live: list[Path]) -> Mapping[str, Any] | None:
    """The plan `path` of that MD5; None where no copy is left.

    It is still in its place until the plan stage runs again; then DVC's cache has it, and of a search's plan the live
    records in the folders `live`.
    """
    for candidate in _copies(places, path, md5, live):
        try:
            content = candidate.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
            return plain_plan(content)
    return None


def _copies(places: Places, path: str, md5: str, live: list[Path]) -> Iterator[Path]:
    yield places.root / path
    yield from (folder / "plan.json" for folder in live)
    yield places.dvc_cache / "files" / "md5" / md5[:2] / md5[2:]
