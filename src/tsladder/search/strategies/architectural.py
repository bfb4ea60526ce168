"""The strategy of the first study: force the extremes of the grid, then let the sampler search.

An extreme is the smallest or largest value of a coordinate that some member of the grid has, so it always
exists. Among the members that have it the one nearest the budget is taken, and of equals one not forced yet:
the deepest shape is often the narrowest as well, and training it twice would teach nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import Grid

COORDINATES: dict[str, Callable[[ModelSpec], int]] = {
    "d_model": lambda spec: spec.d_model,
    "n_layers": lambda spec: spec.n_layers,
    "n_heads": lambda spec: spec.n_heads,
}


class Architectural:
    """Smallest and largest d_model, n_layers and n_heads: six configurations, fewer where the grid is smaller."""

    def forced(self, grid: Grid) -> tuple[tuple[str, ModelSpec], ...]:
        chosen: list[tuple[str, ModelSpec]] = []
        for name, coordinate in COORDINATES.items():
            for word, pick in (("smallest", min), ("largest", max)):
                extreme = pick(coordinate(member) for member in grid.members)
                having = [member for member in grid.members if coordinate(member) == extreme]
                fresh = [member for member in having if member not in [spec for _, spec in chosen]]
                if fresh:
                    nearest = min(fresh, key=lambda spec: (_distance(spec, grid), _middling_heads(spec), spec.shape))
                    chosen.append((f"{word} {name}", nearest))
        return tuple(chosen)


def _distance(spec: ModelSpec, grid: Grid) -> int:
    return abs(spec.n_params_formula - grid.n_budget)


def _middling_heads(spec: ModelSpec) -> int:
    return abs(spec.n_heads - 8)
