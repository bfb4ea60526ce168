"""Files that are read again only when they have changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tsladder.artifacts.store import read_json, read_lines

T = TypeVar("T")


class Unchanged:
    """What files held when last read, for as long as their size, time and inode stay. Nobody may change what it hands
    out."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, object], tuple[object, Any]] = {}

    def json(self, path: Path) -> dict[str, Any]:
        """As `read_json`."""
        return self.read(path, read_json)

    def lines(self, path: Path) -> list[dict[str, Any]]:
        """As `read_lines`."""
        return self.read(path, read_lines)

    def read(self, path: Path, how: Callable[[Path], T]) -> T:
        """`how(path)`, called once for as long as the file stays as it is."""
        seen = self._seen(path)
        known = self._read.get((path, how))
        if known is None or known[0] != seen or seen is None:
            known = self._read[path, how] = seen, how(path)
        found: T = known[1]
        return found

    def _seen(self, path: Path) -> object:
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
