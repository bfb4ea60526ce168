"""Remove absolute paths and the names of host and user from the files of a capsule.

Records hold numbers and names of tsladder's own, but the message of a library when a training failed may hold anything.
"""

from __future__ import annotations

import getpass
import json
import re
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import canonical, json_text
from tsladder.capsule.layout import is_plan
from tsladder.errors import WorkFailed

_ENDS = r"[^\s/'\",:;()<>\[\]{}\\]"
_PATH = re.compile(rf"(?<![\w.:/])/(?:{_ENDS}+/)+({_ENDS}*)")
"""Pattern of an absolute path of at least two names; addresses of web pages and fractions do not match."""

_RECORDS = (".json", ".jsonl")
_TEXT = (".yaml", ".csv")
_MESSAGE_KEYS = ("message", "dropped_reason")


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineNames:
    """Names that would reveal the machine on which a capsule was made. `roots`: folders, the deepest first."""

    roots: tuple[str, ...]
    user: str
    host: str

    @classmethod
    def of(cls, study: Path) -> MachineNames:
        """Return the names of this machine, with the study in the folder `study`."""
        folders = {study, study.resolve(), Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix)}
        roots = sorted((str(folder) for folder in folders if len(folder.parts) > 1), key=len, reverse=True)
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user without a name, as in some containers
            user = ""
        return cls(roots=tuple(roots), user=user, host=socket.gethostname())

    def scrub(self, text: str) -> str:
        """Return `text` with absolute paths shortened to their last name."""
        for root in self.roots:
            text = re.sub(rf"(?<![\w.:/]){re.escape(root)}(?![\w.-])", "...", text)
        text = _PATH.sub(r".../\1", text)
        return text.replace(f"{self.user}@{self.host}", "user@host") if self.user and self.host else text

    def scrub_message(self, text: str) -> str:
        """Return `text`, possibly a library's message, cleaned as by `scrub` and also of the host name where it stands
        alone."""
        text = self.scrub(text)
        return re.sub(rf"(?<![\w-]){re.escape(self.host)}(?![\w-])", "host", text) if self.host else text


def without_machine_names(contents: Mapping[str, bytes], names: MachineNames) -> dict[str, bytes]:
    """Return member name -> content without traces of `names`; the same bytes where there is nothing to remove.

    A library's message is cleaned alike wherever it is repeated, as a law repeats why a cell was dropped. Plan files
    stay as they are: the study's identity is computed from them, and they hold the question only. Raises WorkFailed
    where a plan file nevertheless names a folder of this machine, and where a record is damaged.
    """
    records = {name: _records(name, content) for name, content in contents.items() if name.endswith(_RECORDS)}
    messages = {text for lines in records.values() for line in lines for text in _messages(line)}
    # Longest first, since a message may contain another one.
    replacements = {text: names.scrub_message(text) for text in sorted(messages, key=len, reverse=True)}
    return {name: _cleaned(name, content, records.get(name), names, replacements) for name, content in contents.items()}


def _records(name: str, content: bytes) -> list[Any]:
    """Return the record of a JSON file, or the records of its lines."""
    try:
        texts = content.decode("utf-8").splitlines() if name.endswith(".jsonl") else [content.decode("utf-8")]
        return [json.loads(text) for text in texts]
    except ValueError as error:
        advice = "`dvc repro plan`" if is_plan(name) else "`dvc repro`"
        raise WorkFailed(f"{name} is damaged ({error}): remove it and run {advice}") from None


def _messages(value: Any) -> Iterator[str]:
    """Yield the fields that may hold words of a library: messages and reasons."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and (key in _MESSAGE_KEYS or (key == "reason" and "status" in value)):
                yield inner
            else:
                yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)


def _cleaned(
    name: str, content: bytes, records: list[Any] | None, names: MachineNames, replacements: Mapping[str, str]
) -> bytes:
    if is_plan(name):
        text = content.decode("utf-8")
        if names.scrub(text) != text:
            raise WorkFailed(f"{name} holds a path of this machine and cannot go into a capsule: check what it says")
        return content
    if records is not None:
        clean = [_clean(record, names, replacements) for record in records]
        if clean == records:
            return content
        return (
            "".join(canonical(r) + "\n" for r in clean) if name.endswith(".jsonl") else json_text(clean[0])
        ).encode()
    if name.endswith(_TEXT):
        quoted = {message.replace('"', '""'): clean.replace('"', '""') for message, clean in replacements.items()}
        return str(_clean(content.decode("utf-8"), names, quoted if name.endswith(".csv") else replacements)).encode()
    return content


def _clean(value: Any, names: MachineNames, replacements: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _clean(inner, names, replacements) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, names, replacements) for inner in value]
    if not isinstance(value, str):
        return value
    for message, clean in replacements.items():
        if message:
            value = value.replace(message, clean)
    return names.scrub(value)
