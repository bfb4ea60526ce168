"""What files and folders hold, by DVC's own identities: the MD5 of a file, and of a folder's listing.

A folder is the MD5 of the JSON list of its files, each with its MD5 and path, sorted by path. Names in .dvcignore do
not count. A file is read once for as long as its size, time and inode stay. Files of TRUSTED_FROM bytes and more, which
are weights of models, are compared by size alone: reading gigabytes would take seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

TRUSTED_FROM = 16 * 1024 * 1024
FOLDER = ".dir"

Signature = tuple[int, int, int]


class Hashes:
    """MD5s of files, kept for as long as a file's size, time and inode stay."""

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


class Contents:
    """Files below `root`. `instead`: path -> text that is to count in place of what lies on disk; a folder of which
    `instead` has a file holds those of `instead` and no other."""

    def __init__(self, root: Path, instead: Mapping[str, str], hashes: Hashes) -> None:
        self._root = root
        self._instead = instead
        self._hashes = hashes
        self._restored: dict[str, Mapping[str, str]] = {}
        self._ignored = _ignored_names(root / ".dvcignore")

    def change(self, path: str, record: Mapping[str, Any]) -> tuple[str | None, str | None] | None:
        """(identity recorded, identity now) where `path` is not what `record` of dvc.lock says; None where it is."""
        recorded = record.get("md5")
        of_folder = self._is_folder(path) if recorded is None else str(recorded).endswith(FOLDER)
        found = self._folder(path, record) if of_folder else self._file(path, record)
        return None if found == recorded else (recorded, found)

    def md5(self, path: str) -> str | None:
        """Of what lies at `path`; None where nothing does, or something so large that it is not read."""
        found = self.change(path, {})
        md5 = None if found is None else found[1]
        return md5 if md5 is not None and " " not in md5 else None

    def restore(self, path: str, files: Mapping[str, str]) -> None:
        """Take it that `path` holds `files` (path in it, "" for itself -> MD5) and nothing else."""
        self._restored[path] = files

    def _file(self, path: str, record: Mapping[str, Any]) -> str | None:
        if path in self._instead:
            return text_md5(self._instead[path])
        for owner, files in self._restored.items():
            if path == owner or path.startswith(owner + "/"):
                return files.get(path.removeprefix(owner).removeprefix("/"))
        full = self._full(path)
        try:
            status = os.stat(full)  # noqa: PTH116
            if status.st_size >= TRUSTED_FROM:
                return str(record["md5"]) if status.st_size == record.get("size") else f"{status.st_size} bytes"
            return self._hashes.md5(full, status)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            # A folder in place of a file is no file.
            return None

    def _folder(self, path: str, record: Mapping[str, Any]) -> str | None:
        replaced = {
            name.removeprefix(path + "/"): text for name, text in self._instead.items() if name.startswith(path + "/")
        }
        if replaced:
            return folder_md5({name: text_md5(text) for name, text in replaced.items()})
        if path in self._restored:
            return folder_md5(self._restored[path])
        full = self._full(path)
        restored = {
            f"{owner.removeprefix(path + '/')}/{name}".rstrip("/"): md5
            for owner, files in self._restored.items()
            if owner.startswith(path + "/")
            for name, md5 in files.items()
        }
        if not os.path.isdir(full):  # noqa: PTH112
            return folder_md5(restored) if restored else None
        # What is restored stands in place of all that lay there.
        owners = tuple(owner.removeprefix(path + "/") for owner in self._restored if owner.startswith(path + "/"))
        files = {
            name: status
            for name, status in self._files(full, "")
            if not any(name == owner or name.startswith(owner + "/") for owner in owners)
        }
        if any(status.st_size >= TRUSTED_FROM for status in files.values()):
            size = sum(status.st_size for status in files.values())
            same = size == record.get("size") and len(files) == record.get("nfiles")
            return str(record["md5"]) if same else f"{len(files)} files of {size} bytes"
        found = {name: self._hashes.md5(f"{full}/{name}", status) for name, status in files.items()}
        return folder_md5(found | restored)

    def _is_folder(self, path: str) -> bool:
        if path in self._restored:
            return "" not in self._restored[path]
        below = (*self._instead, *self._restored)
        return os.path.isdir(self._full(path)) or any(name.startswith(path + "/") for name in below)  # noqa: PTH112

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _files(self, folder: str, below: str) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if any(fnmatchcase(entry.name, pattern) for pattern in self._ignored):
                    continue
                if entry.is_dir():
                    yield from self._files(entry.path, f"{below}{entry.name}/")
                else:
                    yield f"{below}{entry.name}", entry.stat()


def folder_md5(md5s: Mapping[str, str]) -> str:
    """Of a folder whose files, by path relative to it, have these MD5s."""
    listing = [{"md5": md5s[name], "relpath": name} for name in sorted(md5s)]
    return text_md5(json.dumps(listing, sort_keys=True)) + FOLDER


def _ignored_names(path: Path) -> tuple[str, ...]:
    """The patterns of .dvcignore that are names; those with a slash inside hold only below the root and none is used.

    What DVC itself never watches is among them.
    """
    own = (".git", ".hg", ".dvc", ".dvcignore")
    if not path.exists():
        return own
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return (*own, *(line.rstrip("/") for line in lines if line and not line.startswith(("#", "!"))))
