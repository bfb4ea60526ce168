"""Strategy of the first study: force the extremes of the grid, then let the sampler search.

An extreme is the smallest or largest value of a coordinate that some member of the grid has, so it always exists. Among
the members that have it, the strategy takes the one nearest the budget that is not forced already, since the deepest
shape is often the narrowest as well and training it twice would teach nothing. Extremes that few members have choose
first, so that they are not left without a member of their own. The deepest are trained first; where there are too few
trials for all, the extremes of depth and width are kept before those of the heads.
"""

from __future__ import annotations

from collections.abc import Iterator

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import Grid
from tsladder.search.decisions import Forced

RANKS = ("largest n_layers", "largest d_model", "smallest n_layers", "smallest d_model")
"""Extremes that a search with too few trials keeps first, in this order; the others come after them."""


class Architectural:
    """Strategy that forces the smallest and largest d_model, n_layers and n_heads, and n_graph where models differ in
    it: six configurations or eight, fewer where the grid is smaller."""

    learns = True
    supplement = None

    def forced(self, grid: Grid) -> tuple[Forced, ...]:
        having = dict(_extremes(grid))
        chosen: dict[str, ModelSpec] = {}
        for what in sorted(having, key=lambda what: len(having[what])):
            fresh = [member for member in having[what] if member not in chosen.values()]
            if fresh:
                chosen[what] = min(
                    fresh, key=lambda spec: (_distance(spec, grid), _distance_from_usual_heads(spec), spec.shape)
                )
        # Deep models take longest: starting them first leaves no worker idle at the end.
        deepest_first = sorted(chosen.items(), key=lambda item: -item[1].n_layers)
        return tuple(Forced(what, spec, rank=_rank(what)) for what, spec in deepest_first)


def _rank(what: str) -> int:
    return RANKS.index(what) if what in RANKS else len(RANKS)


def _extremes(grid: Grid) -> Iterator[tuple[str, list[ModelSpec]]]:
    """Yield each extreme in words, and the members that have it."""
    for name, coordinate in grid.coordinates.items():
        for word, pick in (("smallest", min), ("largest", max)):
            extreme = pick(coordinate(member) for member in grid.members)
            yield f"{word} {name}", [member for member in grid.members if coordinate(member) == extreme]


def _distance(spec: ModelSpec, grid: Grid) -> int:
    return abs(spec.n_params_formula - grid.n_budget)


def _distance_from_usual_heads(spec: ModelSpec) -> int:
    return abs(spec.n_heads - 8)


STRATEGY = Architectural()
