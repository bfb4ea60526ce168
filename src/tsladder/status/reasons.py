"""List the reasons why stages of a cell would run again: parameters, modules and files that changed, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tsladder.artifacts.plans import plain_plan
from tsladder.artifacts.search_question import QUESTION
from tsladder.places import Places
from tsladder.status.dvc_yaml import PLAN
from tsladder.status.freshness import Change, ChangeKind, Freshness
from tsladder.status.plan_changes import MODULE, PARAMETER, plan_changes
from tsladder.status.question import StudyQuestion
from tsladder.status.run_cache import cache_file

DATA, FILE, OUTPUT, COMMAND, NEVER_BUILT, UNKNOWN = "data", "file", "output", "command", "never_built", "unknown"
UNFINISHED = "unfinished"
_ORDER = (NEVER_BUILT, PARAMETER, DATA, MODULE, "plan", COMMAND, FILE, OUTPUT, UNKNOWN, UNFINISHED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Reason why stages are stale: `name` was `old` when the `stages` were built, and is `new`; None: it did or does
    not exist.

    `kind`: parameter (dotted path in params.yaml), module (dotted name; fingerprints of the syntax tree, or MD5s of the
    file where a stage depends on the file), data (a file of bars), plan (a value that follows from the code), command,
    file and output (of another stage, of the stage itself), never_built, unknown (the plan changed, and no copy of its
    earlier text is left), unfinished (nothing changed: the stage `name` ended without a result; no `old` and no `new`).
    """

    kind: str
    name: str
    old: Any
    new: Any
    stages: tuple[str, ...]


def reasons_of(
    places: Places, question: StudyQuestion, freshness: Freshness, stages: Sequence[str], live: list[Path]
) -> list[Reason]:
    """Return the reasons of those of the `stages` that are stale by themselves; `live`: folders of the cell's live
    searches."""
    merged: dict[tuple[str, str, str], Reason] = {}
    for stage in stages:
        for change in freshness.changes(stage):
            for reason in _reasons(places, question, freshness, change, live):
                key = (reason.kind, reason.name, repr((reason.old, reason.new)))
                known = merged.get(key)
                merged[key] = reason if known is None else replace(known, stages=(*known.stages, stage))
    return sorted(merged.values(), key=lambda reason: _ORDER.index(reason.kind))


def _reasons(
    places: Places, question: StudyQuestion, freshness: Freshness, change: Change, live: list[Path]
) -> list[Reason]:
    of_stage = (change.stage,)
    if change.kind is ChangeKind.UNFINISHED:
        return [Reason(kind=UNFINISHED, name=change.stage, old=None, new=None, stages=of_stage)]
    if change.kind is ChangeKind.FILE and change.name in question.texts and change.old is not None:
        return _plan_reasons(places, question, freshness, change, live)
    kind, name = _kind_and_name(change)
    return [Reason(kind=kind, name=name, old=change.old, new=change.new, stages=of_stage)]


def _kind_and_name(change: Change) -> tuple[str, str]:
    if change.kind is not ChangeKind.FILE:
        return str(change.kind), change.name
    # Code and data of a study in a folder of its project lie above it.
    path = Path(change.name.removeprefix("../"))
    if path.suffix == ".py":
        parts = path.with_suffix("").parts
        return MODULE, ".".join(parts[1:] if parts[0] == "src" else parts)
    return (DATA if path.parts[0] == "data" else FILE), path.as_posix()


def _plan_reasons(
    places: Places, question: StudyQuestion, freshness: Freshness, change: Change, live: list[Path]
) -> list[Reason]:
    old = _recorded_plan(places, change.name, change.old, live)
    if old is None:
        return [Reason(kind=UNKNOWN, name=change.name, old=change.old, new=change.new, stages=(change.stage,))]
    old_raw = _nested(freshness.lock.get(PLAN, {}).get("params", {}).get("params.yaml", {}))
    new = question.plan_of(change.name)
    named = plan_changes(old, new, raw=question.raw, old_raw=old_raw)
    return [Reason(kind=kind, name=name, old=was, new=now, stages=(change.stage,)) for kind, name, was, now in named]


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert parameters as dvc.lock records them, with keys dotted or not, to the form of params.yaml."""
    found: dict[str, Any] = {}
    for dotted, value in values.items():
        *sections, last = dotted.split(".")
        section = found
        for name in sections:
            section = section.setdefault(name, {})
        section[last] = value
    return found


def _recorded_plan(places: Places, path: str, md5: str, live: list[Path]) -> Mapping[str, Any] | None:
    """Find the text that plan file `path` had with the MD5 `md5`; None where no copy is left.

    Until the plan stage runs again the text is still in its place; after that DVC's cache has it, and the live records
    in the folders `live` have the plan of a search.
    """
    for candidate in _copies(places, path, md5, live):
        try:
            content = candidate.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            continue
        if hashlib.md5(content, usedforsecurity=False).hexdigest() == md5:
            return plain_plan(content)
    return None


def _copies(places: Places, path: str, md5: str, live: list[Path]) -> Iterator[Path]:
    yield places.root / path
    yield from (folder / QUESTION for folder in live)
    yield cache_file(places.dvc_cache, md5)
