"""Files with one writer: JSON replaced atomically, and append-only JSON lines that survive a kill -9."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tsladder.errors import WorkFailed

T = TypeVar("T")


def canonical(value: object) -> str:
    """One text per value: keys sorted, no spaces, NaN refused (missing is None)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: object) -> str:
    """SHA-256 (hex) of the canonical JSON of `parts`."""
    return hashlib.sha256(canonical(list(parts)).encode()).hexdigest()


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write `value` to `path`, sorted and indented, so that a reader sees the old file or the new one, whole.

    `durable` waits for the disk; without it a loss of power may leave either, or an empty file.
    """
    write_text(path, json_text(value), durable=durable)


def json_text(value: Mapping[str, Any]) -> str:
    """The text that `write_json` leaves in a file."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Atomic replacement of a text file; its folder is made if missing."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` to be written, which takes its place when the block ends and is removed when the
    block raises. The folder is made if missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        # Also after a replacement: a rename onto another link of the same file does nothing, by POSIX.
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """The object stored at `path`. Raises WorkFailed when the file is damaged, FileNotFoundError when missing."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WorkFailed(f"{path} is damaged ({error}): remove it and run `dvc repro` again") from None
    if not isinstance(value, dict):
        raise WorkFailed(f"{path} is damaged (no JSON object): remove it and run `dvc repro` again")
    return value


@functools.cache
def if_there(read: Callable[[Path], T]) -> Callable[[Path], T | None]:
    """`read` of a file that may be missing: None where it is. The same reader always gives the same function."""

    def read_if_there(path: Path) -> T | None:
        try:
            return read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    return read_if_there


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON line and have it on disk before returning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(canonical(value) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of `path`, [] when it does not exist.

    A torn last line (the writer was killed while appending) was never acknowledged and is left out.
    A broken line anywhere else is damage: WorkFailed.
    """
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    records = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            records.append(json.loads(line))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise WorkFailed(f"{path}, line {number} is damaged ({error}); keep a copy and remove the line") from None
    return records


def cut_torn_tail(path: Path) -> bytes | None:
    """Cut an unterminated last line off `path`, keeping it in `<name>.torn`. Returns what was cut."""
    if not path.exists():
        return None
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole == len(content):
        return None
    tail = content[whole:]
    with path.with_name(path.name + ".torn").open("ab") as stream:
        stream.write(tail + b"\n")
    with path.open("r+b") as stream:
        stream.truncate(whole)
        os.fsync(stream.fileno())
    return tail


def set_aside(path: Path) -> Path:
    """Rename `path` to the first free of `<name>.aside-1`, `-2`, ...; returns the new name. Nothing is overwritten."""
    number = 1
    while (kept := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    path.rename(kept)
    return kept
