"""Forced trials of each cell: the configurations that its strategy forces first, as far as there are trials for
them."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.models.spec import Geometry
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.grids import grid_of
from tsladder.planning.study_models import geometry_for
from tsladder.search.schedule import Admitted, admit
from tsladder.search.strategies import load
from tsladder.vocabulary import Cell


def forced_by_cell(places: Places, params: AnyParams) -> Mapping[Cell, Admitted]:
    """Return the forced trials of each planned cell. Raises BadInput for a configuration that the model family cannot
    have, and where a panel study has no panel."""
    strategy, trials = load(params.search.strategy), params.search.trials_total
    planned = [cell for cell in params.cells if params.is_planned(cell)]
    geometries = {cell.horizon: geometry_for(places, params, cell.horizon) for cell in planned}
    known: dict[tuple[str, Geometry], Admitted] = {}
    found = {}
    for cell in planned:
        key = cell.budget, geometries[cell.horizon]
        if key not in known:
            known[key] = admit(strategy.forced(grid_of(geometries[cell.horizon], cell.budget)), trials)
        found[cell] = known[key]
    return found
