"""Forced trials of each rung: the configurations that its strategy forces first, as far as there are trials for
them."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.params import Params
from tsladder.planning.cells import geometry_of
from tsladder.planning.grid import build_grid
from tsladder.search.schedule import Admitted, admit
from tsladder.search.strategies import load
from tsladder.vocabulary import parse_budget


def forced_by_rung(params: Params) -> Mapping[str, Admitted]:
    """Return the forced trials of each planned rung. Raises BadInput for a configuration that the model family cannot
    have."""
    strategy, trials, geometry = load(params.search.strategy), params.search.trials_total, geometry_of(params)
    rungs = [rung for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    return {rung: admit(strategy.forced(build_grid(geometry, rung)), trials) for rung in rungs}
