"""Models of a study of either kind: what they share, and the recipe of a rung. Light imports only."""

from __future__ import annotations

from tsladder.artifacts.plans import Recipe
from tsladder.models.spec import Geometry
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.cells import geometry_of
from tsladder.planning.panel_cells import panel_geometry, stocks_of
from tsladder.planning.panel_recipe import panel_recipe_of
from tsladder.planning.recipe import recipe_of


def geometry_for(places: Places, params: AnyParams, horizon: int | None = None) -> Geometry:
    """Return the geometry of the models of `horizon`, which is the same for all horizons of a series study; None: the
    first. Raises BadInput where a panel study has no panel."""
    if isinstance(params, PanelParams):
        return panel_geometry(params, horizon or params.horizons[0], stocks_of(places, params))
    return geometry_of(params)


def recipe_for(params: AnyParams, rung: str, horizon: int | None = None) -> Recipe:
    """Return the training recipe of `rung` and `horizon`; None: the first."""
    if isinstance(params, PanelParams):
        return panel_recipe_of(params, rung, horizon or params.horizons[0])
    return recipe_of(params.training, params.search.chosen, rung, params.target.task)
