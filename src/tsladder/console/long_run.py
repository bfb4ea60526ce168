"""A word before a run that takes days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.console.selection import CellSelection
from tsladder.console.status import study_state
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.rung_layout import Offered
from tsladder.planning.study_time import days, seconds_by_cell


def long_run(
    places: Places, params: Params, selection: CellSelection, forced: Mapping[str, Sequence[Offered]]
) -> str | None:
    """One line where what is left of `selection` is expected to take more than a day: by what has been trained so far,
    else by forecast. None where it is not, or nothing is known. `forced`: by rung, what its strategy forces."""
    states = study_state(places).cells
    left = {cell: states[str(cell)].seconds_to_go for cell in selection.cells if params.is_planned(cell)}
    if None in left.values():
        # Before the splits are built the status does not know.
        forecast = seconds_by_cell(places, params, forced)
        left = {cell: forecast.get(cell) if seconds is None else seconds for cell, seconds in left.items()}
    total = days(sum(seconds for seconds in left.values() if seconds is not None))
    return None if total is None else f"about {total} to go on this machine; stopped, it goes on where it was"
