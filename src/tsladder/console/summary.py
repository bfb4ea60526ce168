"""What `tsladder run` says in the end: of every cell PASS, FAIL, SKIP or OPEN, and where the time went. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.console.selection import CellSelection
from tsladder.console.status import CellState
from tsladder.console.tables import aligned
from tsladder.vocabulary import Cell

_WORDS = {"fresh": "PASS", "failed": "FAIL", "not_planned": "SKIP"}
_OF_A_CELL = ("hpo", "train", "evaluate")


def summary_lines(
    states: Mapping[str, CellState], stages: Mapping[str, float], seconds: float, selection: CellSelection
) -> list[str]:
    """A line a cell that was to be built: the wall time of its stages in this run and the training that it holds; a
    line of the stages of the whole study; and how long it all took. `stages`: stage as DVC names it -> seconds."""
    rows = []
    for name in map(str, selection.cells):
        state = states[name]
        rows.append(
            (
                _WORDS.get(state.state, "OPEN"),
                name,
                state.state.replace("_", " "),
                f"{state.trials_done}/{state.trials_total} trials" if state.trials_total else "",
                f"{_of_cell(Cell.parse(name), stages):.0f} s in this run",
                "" if state.seconds_spent is None else f"{state.seconds_spent:.0f} s of training",
                _reason(state),
            )
        )
    shared = {stage: taken for stage, taken in stages.items() if stage.partition("@")[0] not in _OF_A_CELL}
    lines = aligned(rows)
    if shared:
        lines.append("stages of the study: " + ", ".join(f"{stage} {taken:.0f} s" for stage, taken in shared.items()))
    left = len(states) - len(selection.cells)
    if left:
        lines.append(f"{left} other {'cell' if left == 1 else 'cells'} not asked for")
    return [*lines, f"{seconds:.0f} s in all"]


def _of_cell(cell: Cell, stages: Mapping[str, float]) -> float:
    return sum(stages.get(f"{stage}@{cell.budget}-{cell.horizon}", 0.0) for stage in _OF_A_CELL)


def _reason(state: CellState) -> str:
    """On one line."""
    return " ".join((state.reason or "").split())
