"""Training recipe of a cell of a panel study. No torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tsladder.artifacts.plans import PanelRecipe, PhaseRecipe
from tsladder.families import load
from tsladder.families.parts.toggles import graph_toggles_of, toggles_of
from tsladder.params import PanelParams
from tsladder.params.phases import PhaseParams
from tsladder.planning.recipe import recipe_of
from tsladder.tasks.parts.ranking_loss_names import mixture, weighed


def forecast_horizons(params: PanelParams, horizon: int) -> tuple[int, ...]:
    """Return the horizons that a model of a cell of `horizon` forecasts: that of the cell first, then those that
    `training.horizon_weights`, or that of a phase, names."""
    training = params.training
    named = set(training.horizon_weights or {}).union(*(phase.horizon_weights or {} for phase in training.phase_list))
    return (horizon, *(other for other in params.horizons if other != horizon and other in named))


def panel_recipe_of(params: PanelParams, budget: str, horizon: int) -> PanelRecipe:
    """Return the recipe of the cells of rung `budget` and `horizon`."""
    training = params.training
    phases = _phases(params, horizon)
    plain = recipe_of(training, params.search.chosen, budget, params.target.task)
    shared = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    return PanelRecipe(
        **{**shared, "loss": ", then ".join(dict.fromkeys(map(mixture, training.mixtures)))},
        loss_weights=weighed(training.loss_weights),
        horizon_weights=_weights_of_horizons(params, horizon, training.horizon_weights),
        transform=params.target.transform,
        train_every=training.train_every,
        stocks_per_day=training.stocks_per_day,
        day_weights=training.day_weights,
        phases=phases or None,
    )


def _phases(params: PanelParams, horizon: int) -> tuple[PhaseRecipe, ...]:
    """Return the phases of the trainings of `horizon`, with everything that they take from the section training."""
    training = params.training
    return tuple(
        PhaseRecipe(
            name=phase.name,
            epochs=phase.epochs,
            learning_rate=phase.learning_rate,
            active=_active(params, phase),
            loss_weights=weighed(phase.loss_weights or training.loss_weights),
            horizon_weights=_weights_of_horizons(
                params, horizon, training.horizon_weights if phase.horizon_weights is None else phase.horizon_weights
            ),
            max_gradient_norm=training.max_gradient_norm
            if phase.max_gradient_norm == "training"
            else phase.max_gradient_norm,
        )
        for phase in training.phase_list
    )


def _active(params: PanelParams, phase: PhaseParams) -> tuple[str, ...]:
    """Return the parts of a model that `phase` trains, in the order in which the family names them."""
    family = load(params.model.family)
    missing = graph_toggles_of(family) if params.graph is None else ()
    there = tuple(toggle for toggle in toggles_of(family) if toggle not in missing)
    if isinstance(phase.active, str):
        return there if phase.active == "all" else ()
    return tuple(toggle for toggle in there if toggle in phase.active)


def _weights_of_horizons(params: PanelParams, horizon: int, weights: Mapping[int, float] | None) -> tuple[float, ...]:
    """Return the weights of all horizons that a model forecasts, 1 for that of its cell and 0 where none is given."""
    others = forecast_horizons(params, horizon)[1:]
    return (1.0, *((weights or {}).get(other, 0.0) for other in others))
