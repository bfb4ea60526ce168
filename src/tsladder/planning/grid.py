"""Grid of the architectures of a parameter budget. Pure, no torch.

A budget's grid is every (d_model, n_layers, n_heads, d_ff) of the lists below whose exact parameter count lies within
25 % of the budget and which its family admits. Heads do not change the count, so a *shape* is a (d_model, n_layers,
d_ff). A family may have depths of its own (`OwnDepths`), also of layers over a graph, which then belong to the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from tsladder.errors import BadInput
from tsladder.families import load
from tsladder.families.parts.family import Family
from tsladder.families.parts.panel_family import OwnDepths
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.vocabulary import parse_budget

TOLERANCE = 0.25
SMALL_BELOW = 750_000
MIN_HEAD_WIDTH = 4
FF_RATIOS = (2, 4)
HEADS = (2, 4, 8, 16, 32)
WIDTHS = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
DEPTHS = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 180, 192, 256)
SMALL_WIDTHS = (8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128)
SMALL_DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16)

COORDINATES: dict[str, Callable[[ModelSpec], int]] = {
    "d_model": lambda spec: spec.d_model,
    "n_layers": lambda spec: spec.n_layers,
    "n_heads": lambda spec: spec.n_heads,
}
"""Coordinates of every grid's architectures that a search explores, each with a function that reads it from a model."""

N_GRAPH = "n_graph"
"""Further coordinate of a grid whose architectures differ in their number of layers over a graph."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Members of a budget's grid, sorted by parameter count, then width, depth, feed-forward width and heads."""

    budget: str
    members: tuple[ModelSpec, ...]

    @property
    def n_budget(self) -> int:
        return parse_budget(self.budget)

    @property
    def shapes(self) -> tuple[ModelSpec, ...]:
        """One member per shape, with the fewest heads."""
        first: dict[tuple[int, ...], ModelSpec] = {}
        for member in self.members:
            first.setdefault(member.shape, member)
        return tuple(first.values())

    @property
    def coordinates(self) -> dict[str, Callable[[ModelSpec], int]]:
        """The coordinates of this grid's architectures that a search explores, each with a function that reads it from
        a model."""
        return COORDINATES | ({N_GRAPH: lambda spec: spec.n_graph} if len(self.graph_depths) > 1 else {})

    @property
    def graph_depths(self) -> tuple[int, ...]:
        """Numbers of layers over a graph that members have, ascending; (0,) without one."""
        return tuple(sorted({member.n_graph for member in self.members}))

    def heads_of(self, member: ModelSpec) -> tuple[int, ...]:
        """Return the head counts that this grid offers for the shape of `member`."""
        return tuple(other.n_heads for other in self.members if other.shape == member.shape)


def build_grid(geometry: Geometry, budget: str) -> Grid:
    """Build the grid of all members of `budget`. Raises BadInput when there is none."""
    target = parse_budget(budget)
    small = target < SMALL_BELOW
    family = load(geometry.family)
    widths = SMALL_WIDTHS if small else WIDTHS
    depths, graph_depths = _depths(family, small=small)
    members = []
    for d_model, n_layers, n_graph, n_heads, ratio in product(widths, depths, graph_depths, HEADS, FF_RATIOS):
        if d_model % n_heads or (small and d_model // n_heads < MIN_HEAD_WIDTH):
            continue
        spec = ModelSpec(
            geometry=geometry,
            d_model=d_model,
            n_layers=n_layers,
            n_heads=n_heads,
            d_ff=ratio * d_model,
            n_graph=n_graph,
        )
        if is_within(spec, target) and family.in_grid(spec):
            members.append(spec)
    if not members:
        tokens = family.tokens(geometry)
        raise BadInput(
            f"the rung {budget} has no architecture within {TOLERANCE:.0%} of {target:,} parameters for a "
            f"{geometry.family} of {geometry.n_features} features ({tokens.count} tokens of "
            f"{tokens.inputs} values): take another rung, {family.fewer_parameters}"
        )
    members.sort(key=lambda spec: (spec.n_params_formula, *spec.shape, spec.n_heads))
    return Grid(budget, tuple(members))


def _depths(family: Family, *, small: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of layers, and of layers over a graph, that a grid of `family` tries."""
    if isinstance(family, OwnDepths):
        return family.depths, family.graph_depths
    return (SMALL_DEPTHS if small else DEPTHS), (0,)


def is_within(spec: ModelSpec, target: int) -> bool:
    """Check whether the exact parameter count (without RevIN's affine parameters) lies within 25 % of `target`."""
    return abs(spec.n_params_formula - target) <= TOLERANCE * target
