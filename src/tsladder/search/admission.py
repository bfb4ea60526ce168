"""What a search must have before anything is written: room for its forced configurations, and those possible."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.errors import BadInput
from tsladder.params import Params
from tsladder.planning.cells import geometry_of
from tsladder.planning.grid import build_grid
from tsladder.search.decisions import Forced
from tsladder.search.strategies import load
from tsladder.vocabulary import parse_budget


def forced_by_rung(params: Params) -> Mapping[str, tuple[Forced, ...]]:
    """What each planned rung forces. Raises BadInput that names every rung whose trials leave no room for it."""
    strategy, trials, geometry = load(params.search.strategy), params.search.trials_total, geometry_of(params)
    rungs = [rung for rung in params.ladder if parse_budget(rung) <= parse_budget(params.budget)]
    forced = {rung: strategy.forced(build_grid(geometry, rung)) for rung in rungs}
    faults = [
        f"{rung} forces {len(items)}: {'; '.join(item.what for item in items)}"
        for rung, items in forced.items()
        if len(items) > trials
    ]
    if faults:
        most = max(len(items) for items in forced.values())
        raise BadInput(
            f"search.trials is {trials} a cell and must leave room for what strategy {params.search.strategy} forces: "
            f"set it to {most} or more; nothing was run:",
            faults,
        )
    return forced
