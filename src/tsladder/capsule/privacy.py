"""What a capsule tells of the machine it was made on: no absolute path, no name of the host or of the user.

Records hold numbers and names of ours; what a library said when a training failed may hold anything.
"""

from __future__ import annotations

import getpass
import json
import re
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.capsule.layout import is_plan
from tsladder.errors import WorkFailed
from tsladder.records import canonical, json_text

_ENDS = r"[^\s/'\",:;()<>\[\]{}\\]"
_PATH = re.compile(rf"(?<![\w.:/])/(?:{_ENDS}+/)+({_ENDS}*)")
"""An absolute path of two names or more. Addresses of web pages and fractions are none."""

_TEXT = (".json", ".jsonl", ".yaml", ".csv")
_SAID = ("message", "dropped_reason")


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """What would tell where a capsule was made. `roots`: folders, the deepest first."""

    roots: tuple[str, ...]
    user: str
    host: str

    @classmethod
    def of(cls, study: Path) -> Here:
        """This machine, with the study in the folder `study`."""
        folders = {study, study.resolve(), Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix)}
        roots = sorted((str(folder) for folder in folders if len(folder.parts) > 1), key=len, reverse=True)
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a user without a name, as in some containers
            user = ""
        return cls(roots=tuple(roots), user=user, host=socket.gethostname())

    def scrub(self, text: str) -> str:
        """Absolute paths shortened to their last name."""
        for root in self.roots:
            text = re.sub(rf"(?<![\w.:/]){re.escape(root)}(?![\w.-])", "...", text)
        text = _PATH.sub(r".../\1", text)
        return text.replace(f"{self.user}@{self.host}", "user@host") if self.user and self.host else text

    def scrub_said(self, text: str) -> str:
        """The same of words that a library may have said, where the name of the host may stand alone."""
        text = self.scrub(text)
        return re.sub(rf"(?<![\w-]){re.escape(self.host)}(?![\w-])", "host", text) if self.host else text


def without_traces(name: str, content: bytes, here: Here) -> bytes:
    """The member's content without what tells of `here`; the same bytes where there is nothing to take out.

    Plan files stay as they are: the study's identity is computed from them, and they hold the question only. Raises
    WorkFailed where one nevertheless names a folder of this machine.
    """
    if not name.endswith(_TEXT):
        return content
    text = content.decode("utf-8")
    if is_plan(name):
        if here.scrub(text) != text:
            raise WorkFailed(f"{name} names a folder of this machine and cannot go into a capsule: see what it says")
        return content
    if name.endswith(".json"):
        return _rewritten(text, lambda whole: _of_json(whole, json_text, here))
    if name.endswith(".jsonl"):
        return b"".join(
            _rewritten(line, lambda one: _of_json(one, lambda record: canonical(record) + "\n", here))
            for line in text.splitlines(keepends=True)
        )
    return _rewritten(text, here.scrub)


def _rewritten(text: str, how: Callable[[str], str]) -> bytes:
    return how(text).encode("utf-8")


def _of_json(text: str, write: Callable[[Any], str], here: Here) -> str:
    record = json.loads(text)
    clean = _clean(record, here)
    return text if clean == record else write(clean)


def _clean(value: Any, here: Here) -> Any:
    if isinstance(value, dict):
        ends = "status" in value
        return {
            key: here.scrub_said(inner)
            if isinstance(inner, str) and (key in _SAID or (key == "reason" and ends))
            else _clean(inner, here)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_clean(inner, here) for inner in value]
    return here.scrub(value) if isinstance(value, str) else value
