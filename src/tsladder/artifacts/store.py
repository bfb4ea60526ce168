"""Files with a single writer: JSON that is replaced atomically, and append-only JSON lines that survive a kill -9."""

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
    """Serialise `value` to its one canonical JSON text: keys sorted, no spaces, NaN refused (a missing value is
    None)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(*parts: object) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of `parts`."""
    return hashlib.sha256(canonical(list(parts)).encode()).hexdigest()


def write_json(path: Path, value: Mapping[str, Any], *, durable: bool = True) -> None:
    """Write `value` to `path`, sorted and indented, so that a reader sees either the whole old file or the whole new
    one.

    `durable` waits for the disk; without it a loss of power may leave the old file, the new one or an empty one.
    """
    write_text(path, json_text(value), durable=durable)


def json_text(value: Mapping[str, Any]) -> str:
    """Return the text that `write_json` writes to a file."""
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a text file atomically; create its folder if it is missing."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside `path`, which replaces `path` when the block ends and is removed if the block
    raises.

    The folder is created if it is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        # Also after a replacement: in POSIX, a rename onto a hard link of the same file does nothing.
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """Read the JSON object at `path`. Raises WorkFailed if the file is damaged, FileNotFoundError if it does not
    exist."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise WorkFailed(f"{path} is damaged ({error}): remove it and run `dvc repro` again") from None
    if not isinstance(value, dict):
        raise WorkFailed(f"{path} is damaged (no JSON object): remove it and run `dvc repro` again")
    return value


def if_there(read: Callable[[Path], T]) -> Callable[[Path], T | None]:
    """Wrap the reader `read` so that it returns None for a missing file. The same reader always gives the same
    function."""
    wrapped: Callable[[Path], T | None] = _if_there(read)
    return wrapped


@functools.cache
def _if_there(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def read_if_there(path: Path) -> Any:
        try:
            return read(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    return read_if_there


def append_line(path: Path, value: Mapping[str, Any]) -> None:
    """Append one JSON line and wait until it is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(canonical(value) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read the complete lines of `path`; return [] if the file does not exist.

    A torn last line (the writer was killed while appending) was never acknowledged and is left out. Raises WorkFailed
    for a broken line anywhere else.
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
    """Cut an unterminated last line off `path`, append it to `<name>.torn` and return it; return None if there is
    none."""
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
    """Rename `path` to the first free one of `<name>.aside-1`, `-2`, ... and return the new name. Nothing is
    overwritten."""
    number = 1
    while (kept := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    path.rename(kept)
    return kept
