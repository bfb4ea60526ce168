"""Format the output of `tsladder run` as plain text: a note before a run of days, and the summary at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.console.selection import CellSelection
from tsladder.formatting import aligned
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.rung_layout import OfferedModel
from tsladder.planning.study_time import days, seconds_by_cell
from tsladder.status.study_state import CellState, study_state
from tsladder.vocabulary import Cell

_WORDS = {"fresh": "PASS", "failed": "FAIL", "not_planned": "SKIP"}
_CELL_STAGES = ("hpo", "train", "evaluate", "pretrain")


def long_run_note(
    places: Places, params: AnyParams, selection: CellSelection, forced: Mapping[Cell, Sequence[OfferedModel]]
) -> str | None:
    """Return one line where what is left of `selection` is expected to take more than a day, by the trainings so far or
    else by forecast; None where it is not, or nothing is known. `forced`: by planned cell, the configurations that its
    strategy forces."""
    states = study_state(places).cells
    left = {cell: states[str(cell)].seconds_to_go for cell in selection.cells if params.is_planned(cell)}
    if None in left.values():
        # The status knows no times before the splits are built.
        forecast = seconds_by_cell(places, params, forced)
        left = {cell: forecast.get(cell) if seconds is None else seconds for cell, seconds in left.items()}
    total = days(sum(seconds for seconds in left.values() if seconds is not None))
    return None if total is None else f"about {total} left on this machine; the run can be stopped and resumed"


def summary_lines(
    states: Mapping[str, CellState], stages: Mapping[str, float], seconds: float, selection: CellSelection
) -> list[str]:
    """Return one line per cell that was to be built, with the wall time of its stages in this run and the
    training that it holds; a line on the stages of the whole study; and the total time. `stages`: stage as
    DVC names it -> seconds."""
    rows = []
    for name in map(str, selection.cells):
        state = states[name]
        rows.append(
            (
                _WORDS.get(state.state, "OPEN"),
                name,
                state.state.replace("_", " "),
                f"{state.trials_done}/{state.trials_total} trials" if state.trials_total else "",
                f"{_cell_seconds(Cell.parse(name), stages):.0f} s in this run",
                "" if state.seconds_spent is None else f"{state.seconds_spent:.0f} s of training",
                _reason(state),
            )
        )
    shared = {
        stage: seconds_taken for stage, seconds_taken in stages.items() if stage.partition("@")[0] not in _CELL_STAGES
    }
    lines = aligned(rows) if rows else []
    if shared:
        lines.append(
            "stages of the study: "
            + ", ".join(f"{stage} {seconds_taken:.0f} s" for stage, seconds_taken in shared.items())
        )
    left = 0 if selection.whole else len(states) - len(selection.cells)
    if left:
        lines.append(f"{left} other {'cell' if left == 1 else 'cells'} not selected")
    return [*lines, f"{seconds:.0f} s in total"]


def _cell_seconds(cell: Cell, stages: Mapping[str, float]) -> float:
    return sum(stages.get(f"{stage}@{cell.budget}-{cell.horizon}", 0.0) for stage in _CELL_STAGES)


def _reason(state: CellState) -> str:
    """Return the reason of a failure on one line."""
    return " ".join((state.reason or "").split())
