"""spool.jsonl in the folder mlruns: everything that waits to be logged to MLflow, one line each.

Every process that works on a study appends to the file; one at a time drains it, in order. A line that the store has
is marked by a further line, ``{"done": key}``, and both go when the file is compacted: a kill at any instant loses no
line, and at worst lets the next process look into the store for one that is there already.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from tsladder.artifacts.record import NanIfNull, OmitNone, json_of, record_of
from tsladder.artifacts.store import canonical, cut_torn_tail, replacing
from tsladder.errors import WorkFailed
from tsladder.locks import held_file

SPOOL = "spool.jsonl"
REFUSED = "spool.refused.jsonl"

_PATIENCE = 5.0
"""Seconds after which a spool that another process holds counts as one that cannot be written: it is held for
milliseconds."""
_COMPACT_AFTER = 500
"""Number of done lines from which they are removed while others still wait."""

_WAITS = b'{"key":"'
_DONE = b'{"done":"'
"""Beginnings of a line, and of the mark of a line that is done."""

Number = Annotated[float, NanIfNull()]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledCell:
    """Run of a cell, by its name and the tags under which it is found or created: their `study_key` identifies it."""

    name: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledRun:
    """Run that ended. It stands below the run of `cell`, below the run of the line `below`, or below none.

    `artifacts`: path -> folder inside the run's artifacts. `unless_logged`: the run is there already where a run of the
    same name and attempt that has ended stands below the same cell.
    """

    name: str
    tags: Mapping[str, str]
    cell: Annotated[SpooledCell | None, OmitNone()] = None
    below: Annotated[str | None, OmitNone()] = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Number] = field(default_factory=dict)
    curves: Mapping[str, tuple[tuple[int, Number], ...]] = field(default_factory=dict)
    extra_tags: Mapping[str, str] = field(default_factory=dict)
    status: str
    start_ms: int
    end_ms: int
    artifacts: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    unless_logged: bool = False

    @property
    def identity(self) -> tuple[str, str | None]:
        """Name and attempt, which a cell has once."""
        return self.name, self.extra_tags.get("attempt")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledEnd:
    """End of the run of a cell."""

    cell: SpooledCell
    status: str
    metrics: Mapping[str, Number] = field(default_factory=dict)
    extra_tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledLaw:
    """Law to register; `record` is the content of scaling.json."""

    record: Mapping[str, Any]
    files: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SpooledComparison:
    """Files that compare the cells of a study."""

    files: tuple[str, ...]
    tags: Mapping[str, str]
    description: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SpoolLine:
    """One thing to do in the store for an `experiment`; exactly one of the fields from `opened` on is set.

    `opened`: a cell on which work begins. `left_open`: a cell, of which the runs that a dead owner left running are
    closed.
    """

    key: str
    experiment: str
    opened: Annotated[SpooledCell | None, OmitNone()] = None
    run: Annotated[SpooledRun | None, OmitNone()] = None
    left_open: Annotated[SpooledCell | None, OmitNone()] = None
    ended: Annotated[SpooledEnd | None, OmitNone()] = None
    law: Annotated[SpooledLaw | None, OmitNone()] = None
    comparison: Annotated[SpooledComparison | None, OmitNone()] = None

    @property
    def words(self) -> str:
        """Short name of the line for messages."""
        if self.run is not None:
            return self.run.name
        if self.law is not None:
            return "the law"
        if self.comparison is not None:
            return "the comparison"
        if self.opened is not None:
            return f"the start of {self.opened.name}"
        if self.ended is not None:
            return f"the end of {self.ended.cell.name}"
        return f"runs of {self.left_open.name} left open" if self.left_open is not None else "nothing"


def new_key() -> str:
    """Return the key of a new line."""
    return uuid.uuid4().hex


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Lines that wait, oldest first. `damaged`: number of lines that could not be read and were set aside."""

    lines: tuple[SpoolLine, ...]
    damaged: int = 0


class Turn(Enum):
    """Right to drain a spool: another process has it, or it is held here, after another holder or again."""

    OF_ANOTHER = "of another"
    AFTER_ANOTHER = "after another"
    AGAIN = "again"


class Spool:
    """The file spool.jsonl of one folder. A method raises OSError where the file cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / SPOOL
        self.refused = folder / REFUSED

    def append(self, lines: Sequence[SpoolLine]) -> bool:
        """Append `lines` and wait until they are on disk. Returns True where a torn line of a killed process was cut
        off first; it was never acknowledged, and is kept in spool.jsonl.torn."""
        content = b"".join(_text_of(line) + b"\n" for line in lines)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._held():
            torn = self._cut_torn_line()
            with self.path.open("ab") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        return torn

    def waiting(self) -> Waiting:
        """Return the lines that wait. Lines that cannot be read are moved to spool.refused.jsonl."""
        if not self.path.exists():
            return Waiting(lines=())
        with self._held():
            open_lines = self._open_lines()
            lines, damaged = [], []
            for text in open_lines:
                try:
                    lines.append(record_of(SpoolLine, json.loads(text), source=str(self.path)))
                except (ValueError, WorkFailed) as error:
                    damaged.append((text, str(error)))
            if damaged:
                unreadable = {text for text, _ in damaged}
                for text, reason in damaged:
                    self._refuse(text, reason)
                self._replace([text for text in open_lines if text not in unreadable])
        return Waiting(lines=tuple(lines), damaged=len(damaged))

    def count(self) -> int:
        """Return the number of lines that wait, readable or not."""
        if not self.path.exists():
            return 0
        with self._held():
            return len(self._open_lines())

    def done(self, key: str) -> None:
        """Mark the line `key` as one that the store has. This does not wait for the disk: where the mark is lost, the
        store itself tells."""
        with self._held():
            self._cut_torn_line()
            with self.path.open("ab") as stream:
                stream.write(_DONE + key.encode() + b'"}\n')

    def compact(self) -> None:
        """Remove the lines that are done where none waits, and where they have become many."""
        if not self.path.exists():
            return
        with self._held():
            content = self.path.read_bytes()
            waiting = self._open_lines()
            done = content.count(b"\n") - len(waiting)
            if not waiting and content.endswith(b"\n"):
                os.truncate(self.path, 0)
            elif done >= max(_COMPACT_AFTER, len(waiting)):
                self._replace(waiting)

    def refuse(self, line: SpoolLine, reason: str) -> None:
        """Move a line that the store will never take to spool.refused.jsonl."""
        with self._held():
            self._refuse(_text_of(line), reason)
        self.done(line.key)

    @contextmanager
    def draining(self, name: str = "", *, patience: float = 0.0) -> Iterator[Turn]:
        """Hold the right to drain the spool during the block under the name `name`, waiting for it for `patience`
        seconds; yields whether it is held. The kernel frees it when its holder dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "spool.drain.lock"
        with held_file(path, patience=patience) as mine:
            if not mine:
                yield Turn.OF_ANOTHER
                return
            again = path.read_text(encoding="utf-8", errors="replace") == name
            if not again:
                path.write_text(name, encoding="utf-8")
            yield Turn.AGAIN if again else Turn.AFTER_ANOTHER

    @contextmanager
    def _held(self) -> Iterator[None]:
        with held_file(self.folder / "spool.lock", patience=_PATIENCE) as mine:
            if not mine:
                raise TimeoutError(f"another process has held {self.folder / 'spool.lock'} for {_PATIENCE:.0f} s")
            yield

    def _cut_torn_line(self) -> bool:
        """Cut off what a process that was killed while it appended has left behind the last line. The caller holds the
        lock."""
        try:
            with self.path.open("rb") as stream:
                if stream.seek(0, os.SEEK_END) == 0:
                    return False
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) == b"\n":
                    return False
        except FileNotFoundError:
            return False
        return cut_torn_tail(self.path) is not None

    def _open_lines(self) -> list[bytes]:
        """Return the texts of the whole lines that are neither done nor marks."""
        texts = self.path.read_bytes().split(b"\n")[:-1]
        done = {_key(text, _DONE) for text in texts if text.startswith(_DONE)}
        return [text for text in texts if not text.startswith(_DONE) and _key(text, _WAITS) not in done]

    def _replace(self, texts: Sequence[bytes]) -> None:
        with replacing(self.path) as temporary, temporary.open("wb") as stream:
            stream.write(b"".join(text + b"\n" for text in texts))
            stream.flush()
            os.fsync(stream.fileno())

    def _refuse(self, text: bytes, reason: str) -> None:
        with self.refused.open("a", encoding="utf-8") as stream:
            stream.write(canonical({"reason": reason, "line": text.decode("utf-8", "backslashreplace")}) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def _text_of(line: SpoolLine) -> bytes:
    """Return the text of a line. Its key stands first, where it is found without reading the line."""
    rest = _without_nan(json_of(line))
    del rest["key"]
    return _WAITS + line.key.encode() + b'",' + canonical(rest)[1:].encode()


def _key(text: bytes, before: bytes) -> bytes | None:
    """Return the key that stands after `before` at the beginning of `text`; None where it begins otherwise."""
    return text[len(before) :].partition(b'"')[0] if text.startswith(before) else None


def _without_nan(value: Any) -> Any:
    """Return `value` with None in place of numbers that JSON does not have."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, Mapping):
        return {name: _without_nan(item) for name, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list) else value
