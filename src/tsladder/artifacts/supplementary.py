"""Files of the second phase of searches: selection.json says which budgets have one, summary.json what a cell found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedBudgets:
    """The budgets that have a second phase, and budget -> why."""

    status: CellStatus = CellStatus.DONE
    budgets: tuple[str, ...]
    reasons: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementSummary:
    """The second phase of one cell. Scores are of the `objective`, higher is better; `best` is what it varied, of trial
    `best_number`; `finished`: why it ended before all of its trials."""

    cell: str
    budget: str
    horizon: int
    status: CellStatus = CellStatus.DONE
    objective: str
    winner_score: float | str
    trials_total: int
    trials_done: int
    best_score: float | None
    best_number: int | None
    best: Mapping[str, float] | None
    standard_error: float | None
    finished: str | None


def read_selection(path: Path) -> SelectedBudgets | Ending:
    """Raises FileNotFoundError and WorkFailed."""
    return read_done(SelectedBudgets, path)


def write_selection(path: Path, selection: SelectedBudgets | Ending) -> None:
    """Replace `path`."""
    write_record(path, selection)


def read_summary(path: Path) -> SupplementSummary | Ending:
    """Raises FileNotFoundError and WorkFailed."""
    return read_done(SupplementSummary, path)


def write_summary(path: Path, summary: SupplementSummary | Ending) -> None:
    """Replace `path`."""
    write_record(path, summary)
