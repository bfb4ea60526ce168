"""Read and write manifest.json of a capsule: version, study, state, and the SHA-256 of every member."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from tsladder.capsule.layout import FORMAT, SERIES_FORMAT, is_cell, is_member, is_of_panel

CELL_STATES = ("not_planned", "pending", "running", "fresh", "stale", "failed")


class InvalidCapsule(Exception):
    """Fault of a capsule; the message is worded to follow the capsule's name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """Size in bytes, unpacked, and SHA-256 of one member of a capsule."""

    sha256: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> Member:
        return cls(sha256=hashlib.sha256(content).hexdigest(), size=len(content))


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """Content of manifest.json. `cells`: state of each planned cell, as `tsladder status` named it when the capsule was
    made."""

    tsladder: str
    study: str
    study_key: str
    cells: Mapping[str, str]
    members: Mapping[str, Member]

    @property
    def not_fresh(self) -> dict[str, str]:
        """Planned cells that were neither fresh nor failed, with their state: what is reported of them may be older
        than the question, or missing."""
        return not_fresh(self.cells)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT if any(map(is_of_panel, self.members)) else SERIES_FORMAT,
            "tsladder": self.tsladder,
            "study": self.study,
            "study_key": self.study_key,
            "cells": dict(self.cells),
            "members": {name: {"sha256": m.sha256, "bytes": m.size} for name, m in self.members.items()},
        }


def not_fresh(states: Mapping[str, str]) -> dict[str, str]:
    """Return the planned cells that are neither fresh nor failed. `states`: states of all cells, as named by `tsladder
    status`."""
    return {name: state for name, state in states.items() if state not in ("fresh", "failed", "not_planned")}


def parse_manifest(content: bytes) -> Manifest:
    """Parse the manifest of a capsule. Raises InvalidCapsule for a newer format and for anything that is not a
    manifest."""
    record = strict_json(content, "its manifest")
    if not isinstance(record, dict) or "format" not in record:
        raise InvalidCapsule("its manifest names no format: this is no study capsule")
    made = record["format"]
    if type(made) is not int or made < 1:
        raise InvalidCapsule(f"its manifest has the format {str(made)[:40]!r}, which is not a known one")
    if made > FORMAT:
        raise InvalidCapsule(
            f"it was made by a newer tsladder (format {made}; this one reads {FORMAT}): update tsladder and try again"
        )
    try:
        return _manifest(record)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidCapsule(f"its manifest is damaged ({type(error).__name__}: {error})") from None


def _manifest(record: Mapping[str, Any]) -> Manifest:
    unknown = set(record) - {"format", "tsladder", "study", "study_key", "cells", "members"}
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    texts = {name: record[name] for name in ("tsladder", "study", "study_key")}
    if not all(isinstance(text, str) and text.isprintable() for text in texts.values()):
        raise TypeError("tsladder, study and study_key are texts of printable characters")
    cells = dict(record["cells"])
    if not all(is_cell(name) and state in CELL_STATES for name, state in cells.items()):
        raise ValueError("a cell has an invalid name or state")
    return Manifest(**texts, cells=cells, members={name: _member(name, m) for name, m in record["members"].items()})


def _member(name: str, entry: Mapping[str, Any]) -> Member:
    sha256, size = entry["sha256"], entry["bytes"]
    if set(entry) != {"sha256", "bytes"} or type(size) is not int or size < 0:
        raise ValueError(f"{name[:80]} has no size")
    if not isinstance(sha256, str) or re.fullmatch("[0-9a-f]{64}", sha256) is None:
        raise ValueError(f"{name[:80]} has no SHA-256")
    if not is_member(name):
        raise ValueError(f"{name[:80]!r} is no file that a capsule holds")
    return Member(sha256=sha256, size=size)


def strict_json(content: bytes, what: str) -> Any:
    """Parse JSON strictly by its standard: UTF-8, no repeated key, no NaN. Raises InvalidCapsule, which names
    `what`."""
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidCapsule(f"{what} is not valid JSON ({str(error)[:120]})") from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
