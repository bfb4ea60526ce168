"""Files of the second phase of searches: selection.json (which budgets have one) and summary.json (the result of a
cell)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectedBudgets:
    """Budgets that have a second phase. `reasons`: budget -> why it has one or has none."""

    status: CellStatus = CellStatus.DONE
    budgets: tuple[str, ...]
    reasons: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementSummary:
    """Second phase of one cell.

    Scores are those of the `objective`, higher is better. `best` holds the settings that the phase varied, with their
    values in trial `best_number`. `finished`: why the phase ended before all of its trials.
    """

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
    """Read the selected budgets, or how the stage ended without any. Raises FileNotFoundError and WorkFailed."""
    return read_done(SelectedBudgets, path)


def write_selection(path: Path, selection: SelectedBudgets | Ending) -> None:
    """Replace the selected budgets at `path`, or the record that there are none."""
    write_record(path, selection)


def read_summary(path: Path) -> SupplementSummary | Ending:
    """Read the second phase of a cell, or how it ended without a result. Raises FileNotFoundError and WorkFailed."""
    return read_done(SupplementSummary, path)


def write_summary(path: Path, summary: SupplementSummary | Ending) -> None:
    """Replace the second phase of a cell at `path`, or the record that it has no result."""
    write_record(path, summary)
