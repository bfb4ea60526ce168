"""Training recipe of a cell of a panel study. No torch."""

from __future__ import annotations

import dataclasses
from tsladder.artifacts.plans import PanelRecipe
from tsladder.params import PanelParams
from tsladder.planning.recipe import recipe_of
from tsladder.tasks.parts.ranking_loss_names import mixture, weighed


def forecast_horizons(params: PanelParams, horizon: int) -> tuple[int, ...]:
    """Return the horizons that a model of a cell of `horizon` forecasts: that of the cell first, then those that
    `training.horizon_weights` names."""
    others = params.training.horizon_weights or {}
    return (horizon, *(other for other in params.horizons if other != horizon and other in others))


def panel_recipe_of(params: PanelParams, budget: str, horizon: int) -> PanelRecipe:
    """Return the recipe of the cells of rung `budget` and `horizon`."""
    training = params.training
    weights = training.horizon_weights or {}
    plain = recipe_of(training, params.search.chosen, budget, params.target.task)
    shared = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    return PanelRecipe(
        **{**shared, "loss": mixture(training.loss_weights)},
        loss_weights=weighed(training.loss_weights),
        horizon_weights=(1.0, *(weights[other] for other in forecast_horizons(params, horizon)[1:])),
        transform=params.target.transform,
        train_every=training.train_every,
        stocks_per_day=training.stocks_per_day,
        day_weights=training.day_weights,
    )
