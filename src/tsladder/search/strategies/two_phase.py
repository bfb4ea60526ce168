"""Strategy of the later study: chosen shapes and settings first, then the sampler.

The earlier study forced eighteen configurations in one search across budgets; here each cell trains the rows of its own
rung, so that rungs get equal effort. A rung without rows forces its widest and its deepest shape. Forced shapes are
kept when their exact parameter count lies off the budget: they enter the law at the count they have.
"""

from __future__ import annotations

from tsladder.errors import BadInput
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.planning.grid import Grid
from tsladder.search.configuration import Value
from tsladder.search.decisions import Forced, Supplement

DEFAULTS: dict[str, Value] = {"dropout": 0.5, "learning_rate": 1e-4, "weight_decay": 1e-3}
"""Settings of a forced configuration that its row does not name; d_ff is four times d_model."""

SHAPES: dict[int, dict[str, tuple[int, int, int]]] = {
    750_000: {"shallow-wide": (192, 2, 4), "deep-narrow": (128, 4, 4)},
    2_000_000: {"shallow-wide": (320, 2, 4), "deep-narrow": (192, 5, 4)},
    20_000_000: {"shallow-wide": (768, 3, 8), "deep-narrow": (384, 12, 8)},
    200_000_000: {"shallow-wide": (1536, 8, 16), "deep-narrow": (768, 28, 16)},
}
"""Budget of the rung in parameters -> name of the shape -> d_model, n_layers, n_heads."""

SETTINGS: dict[int, tuple[tuple[str, Value], ...]] = {
    2_000_000: (
        ("dropout", 0.1),
        ("dropout", 0.3),
        ("dropout", 0.7),
        ("learning_rate", 1e-5),
        ("learning_rate", 1e-3),
        ("weight_decay", 0.0),
        ("weight_decay", 1e-2),
    ),
    20_000_000: (("learning_rate", 1e-5),),
    200_000_000: (("dropout", 0.1), ("weight_decay", 0.0)),
}
"""Budget of the rung in parameters -> settings tried one at a time on its shallow-wide shape."""


class TwoPhase:
    """Strategy with forced shapes and settings in phase one, and a supplementary phase around the winners of the best
    budgets."""

    learns = True
    supplement = Supplement(
        n_heads=(1, 2, 4, 8, 16),
        settings={"learning_rate": (5e-6, 2e-3), "weight_decay": (5e-2, 0.1)},
        effective_batches=(8, 16, 32, 64, 128, 256),
    )

    def forced(self, grid: Grid) -> tuple[Forced, ...]:
        geometry = grid.members[0].geometry
        rung = SHAPES.get(grid.n_budget)
        if rung is None:
            return _widest_and_deepest(grid)
        shapes = {what: _spec(geometry, grid.budget, what, *sizes) for what, sizes in rung.items()}
        of_shapes = tuple(Forced(what, spec, DEFAULTS) for what, spec in shapes.items())
        of_settings = tuple(
            Forced(f"shallow-wide, {name} {value:g}", shapes["shallow-wide"], {**DEFAULTS, name: value})
            for name, value in SETTINGS.get(grid.n_budget, ())
        )
        return (*of_shapes, *of_settings)


def _spec(geometry: Geometry, budget: str, what: str, d_model: int, n_layers: int, n_heads: int) -> ModelSpec:
    try:
        return ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=n_heads, d_ff=4 * d_model)
    except ValueError as error:
        raise BadInput(
            f"strategy two_phase forces the {what} shape d_model {d_model}, n_layers {n_layers}, n_heads {n_heads} at "
            f"{budget}, which a {geometry.family} cannot have ({error}): correct it there or take another "
            "search.strategy"
        ) from None


def _widest_and_deepest(grid: Grid) -> tuple[Forced, ...]:
    def preference(spec: ModelSpec) -> tuple[int, int, int]:
        return (-spec.d_ff // spec.d_model, abs(spec.n_params_formula - grid.n_budget), abs(spec.n_heads - 4))

    width = max(member.d_model for member in grid.members)
    widest = min((member for member in grid.members if member.d_model == width), key=preference)
    depth = max(member.n_layers for member in grid.members)
    deepest = min((member for member in grid.members if member.n_layers == depth and member != widest), key=preference)
    return (Forced("deepest", deepest, DEFAULTS), Forced("widest", widest, DEFAULTS))


STRATEGY = TwoPhase()
