"""Compute the identities of files and folders that dvc.lock records: the MD5 of a file, and of a folder's listing.

The identity of a folder is the MD5 of the JSON list of its files, each with MD5 and path, sorted by path, followed by
".dir". Names in .dvcignore do not count. A file is read again only when its size, time or inode has changed. Files of
TRUSTED_FROM bytes and more, which are weights of models, are compared by size alone: reading gigabytes takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TRUSTED_FROM = 16 * 1024 * 1024
FOLDER = ".dir"

Signature = tuple[int, int, int]

Files = Mapping[str, str]
"""Path inside an output, "" where the output is itself a file -> MD5."""


class HashCache:
    """Cache of MD5s of files, each valid as long as the file's size, modification time and inode stay the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Signature, str]] = {}

    def md5(self, path: str, status: os.stat_result) -> str:
        signature = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._known.get(path)
        if known is not None and known[0] == signature:
            return known[1]
        with open(path, "rb") as stream:  # noqa: PTH123 - paths by the thousand
            md5 = hashlib.file_digest(stream, _md5).hexdigest()
        self._known[path] = (signature, md5)
        return md5


def _md5() -> Any:
    return hashlib.md5(usedforsecurity=False)


def text_md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def folder_md5(files: Files) -> str:
    """Return the identity of a folder that holds `files`."""
    listing = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return text_md5(json.dumps(listing, sort_keys=True)) + FOLDER


class WorkingTree:
    """Files below `root`, except for outputs whose content is set by `expect`."""

    def __init__(self, root: Path, hashes: HashCache, ignored: Path | None = None) -> None:
        """Open the files below `root`. `ignored`: the project's .dvcignore; None: the one in `root`."""
        self._root = root
        self._hashes = hashes
        self._expected: dict[str, Files] = {}
        self._ignored = _ignored_names(ignored or root / ".dvcignore")

    def expect(self, output: str, files: Files) -> None:
        """Take `output` to hold `files` and nothing else, whatever lies on disk: DVC puts them there before it runs
        downstream stages."""
        self._expected[output] = files

    def change(self, path: str, record: Mapping[str, Any]) -> tuple[str | None, str | None] | None:
        """Return (identity recorded, identity now) where `path` differs from `record` of dvc.lock; None where it does
        not."""
        recorded, found = record.get("md5"), self._identity(path, record)
        return None if found == recorded else (recorded, found)

    def md5(self, path: str) -> str | None:
        """Return the identity of `path`; None where it does not exist, or is too large to be read."""
        found = self._identity(path, {})
        return None if found is None or " " in found else found

    def _identity(self, path: str, record: Mapping[str, Any]) -> str | None:
        """Return the identity of `path`; for large files that in `record` where the size is the same, otherwise the
        size."""
        for output, files in self._expected.items():
            if (below := _below(path, output)) is not None:
                return _identity_of(_files_below(files, below))
        expected = {
            f"{inside}/{name}".rstrip("/"): md5
            for output, files in self._expected.items()
            if (inside := _below(output, path)) is not None
            for name, md5 in files.items()
        }
        found = self._found(path)
        if any(status.st_size >= TRUSTED_FROM for status in found.values()):
            size, count = sum(status.st_size for status in found.values()), len(found)
            if size == record.get("size") and count == record.get("nfiles", 1):
                return str(record["md5"])
            return f"{size} bytes" if "" in found else f"{count} files of {size} bytes"
        full = f"{self._root}/{path}"
        files = {name: self._hashes.md5(f"{full}/{name}" if name else full, status) for name, status in found.items()}
        if not files and not expected:
            return folder_md5({}) if os.path.isdir(full) else None  # noqa: PTH112
        return _identity_of(files | expected)

    def _found(self, path: str) -> dict[str, os.stat_result]:
        """Return path inside `path` -> status of every file on disk that lies in no expected output."""
        full = f"{self._root}/{path}"
        try:
            status = os.stat(full)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return {}
        if not stat.S_ISDIR(status.st_mode):
            return {"": status}
        outputs = [inside for output in self._expected if (inside := _below(output, path)) is not None]
        return {
            name: file
            for name, file in self._files(full, "")
            if all(_below(name, output) is None for output in outputs)
        }

    def _files(self, folder: str, below: str) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if any(fnmatchcase(entry.name, pattern) for pattern in self._ignored):
                    continue
                if entry.is_dir():
                    yield from self._files(entry.path, f"{below}{entry.name}/")
                else:
                    yield f"{below}{entry.name}", entry.stat()


def _below(path: str, folder: str) -> str | None:
    """Return `path` relative to `folder`, "" for `folder` itself; None where `path` does not lie in it."""
    if path == folder:
        return ""
    prefix = f"{folder}/" if folder else ""
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def texts_below(folder: str, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (path relative to `folder`, text) of those of `texts` that lie in it, or are it."""
    for path, text in texts.items():
        if (inside := _below(path, folder)) is not None:
            yield inside, text


def _files_below(files: Files, folder: str) -> Files:
    return {inside: md5 for name, md5 in files.items() if (inside := _below(name, folder)) is not None}


def _identity_of(files: Files) -> str | None:
    if "" in files:
        return files[""]
    return folder_md5(files) if files else None


def _ignored_names(path: Path) -> tuple[str, ...]:
    """Return the patterns of .dvcignore that are names, and the names that DVC itself never watches. Patterns with a
    slash inside hold only below the root and are not used."""
    own = (".git", ".hg", ".dvc", ".dvcignore")
    if not path.exists():
        return own
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return (*own, *(line.rstrip("/") for line in lines if line and not line.startswith(("#", "!"))))
