"""plan.json in the live record of a search: the question that decides the search's trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.plans import SearchPlan
from tsladder.artifacts.record import json_of, read_record, write_record
from tsladder.artifacts.store import canonical, read_json
from tsladder.errors import WorkFailed
from tsladder.params import SpaceParams

QUESTION = "plan.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementaryQuestion:
    """Question of the supplementary search of a cell.

    `search`: key of the cell's search. `winner`: its choice. `supplement`: settings that are varied around the winner.
    `code`: module -> fingerprint.
    """

    search: str
    winner: Choice
    supplement: Mapping[str, Any]
    trials: int
    code: Mapping[str, str]


SearchQuestion = SearchPlan | SupplementaryQuestion


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchedTask:
    """Fields of a search plan that can be read from live records of any version of tsladder."""

    strategy: str
    objective: str
    space: SpaceParams


@dataclass(frozen=True, kw_only=True, slots=True)
class _SearchedPlan:
    search: SearchedTask


def searched_task(path: Path) -> SearchedTask | None:
    """Read the search task of the question at `path`; return None if it cannot be read or is that of a supplementary
    search."""
    try:
        return read_record(_SearchedPlan, path).search
    except (WorkFailed, OSError):
        return None


def is_question(path: Path, question: SearchQuestion) -> bool:
    """Check whether the file `path` holds `question`, value for value.

    Whatever another version wrote there is another question. Raises FileNotFoundError, and WorkFailed if the file is
    damaged.
    """
    return canonical(read_json(path)) == canonical(json_of(question))


def write_question(path: Path, question: SearchQuestion) -> None:
    """Replace the question at `path`."""
    write_record(path, question)
