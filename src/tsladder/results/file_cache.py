"""Cache of file contents: a file is read again only when it has changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class FileCache:
    """Cache of the contents of files, valid as long as a file's size, modification time and inode stay the same.
    Callers must not modify what it returns."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, object], tuple[object, Any]] = {}

    def read(self, path: Path, how: Callable[[Path], T]) -> T:
        """Return `how(path)`, called again only when the file has changed."""
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
