"""Plan file that plans nothing: of a cell above the top rung, or of a stage that was not asked for.

It is read without the records of other plan files, whose import takes most of the time of a stage with nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tsladder.artifacts.record import OmitNone, record_of
from tsladder.artifacts.store import read_json
from tsladder.errors import WorkFailed

AGAIN = "remove it and run `dvc repro plan`"


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPlanned:
    """Plan file of a cell above the top rung, or of a stage that was not asked for, with the reason."""

    cell: Annotated[str | None, OmitNone()] = None
    budget: Annotated[str | None, OmitNone()] = None
    horizon: Annotated[int | None, OmitNone()] = None
    reason: Annotated[str | None, OmitNone()] = None
    planned: Literal[False] = False


def read_not_planned(path: Path) -> NotPlanned | None:
    """Read the plan file `path`; return None where it plans something. Raises WorkFailed if it is missing or
    damaged."""
    return nothing_in(plan_content(path), path)


def plan_content(path: Path) -> dict[str, Any]:
    """Read the plan file `path` of any kind as plain data. Raises WorkFailed if it is missing or no JSON object."""
    try:
        return read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro plan` first") from None


def nothing_in(content: Mapping[str, Any], path: Path) -> NotPlanned | None:
    """Return the plan with this `content`, of the file `path`, as a record if it plans nothing, else None. Raises
    WorkFailed if it is damaged."""
    if content.get("planned") is not False:
        return None
    return record_of(NotPlanned, content, source=str(path), remedy=AGAIN)
