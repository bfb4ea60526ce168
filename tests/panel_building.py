"""Small models and jobs of a panel study that several test rooms build on."""

from __future__ import annotations

from collections.abc import Mapping

from tests.building import batch_plan, settings
from tests.panel.cell_days import CONTEXT
from tsladder.artifacts.plans import PanelRecipe
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.training.outcome import Job

STOCKS = 14


def panel_recipe(**changes: object) -> PanelRecipe:
    values: dict[str, object] = {
        "effective_batch": 32,
        "precision": "fp32",
        "optimizer": "adamw",
        "schedule": "cosine",
        "max_gradient_norm": 1.0,
        "patience": None,
        "min_delta": 0.0,
        "loss": "ic",
        "monitor": "val_loss",
        "loss_weights": {"ic": 1.0},
    }
    return PanelRecipe(**(values | changes))  # type: ignore[arg-type]


def panel_geometry(**changes: object) -> PanelGeometry:
    values: dict[str, object] = {
        "family": "panel_transformer",
        "context_length": CONTEXT,
        "n_features": 9,
        "patch_len": 5,
        "stride": 5,
        "revin": False,
        "stocks": STOCKS,
    }
    return PanelGeometry(**(values | changes))  # type: ignore[arg-type]


def quantile_geometry(horizons: int = 1) -> PanelGeometry:
    return panel_geometry(horizons=horizons, quantiles=5, n_outputs=5 * horizons)


def panel_spec(geometry: PanelGeometry | None = None, **changes: int) -> ModelSpec:
    sizes = {"d_model": 8, "n_layers": 3, "n_heads": 2, "d_ff": 16} | changes
    return ModelSpec(geometry=geometry or panel_geometry(), **sizes)


def of_losses(weights: Mapping[str, float]) -> tuple[PanelRecipe, ModelSpec]:
    """A recipe that trains on `weights`, and a model with the outputs that it needs."""
    day_weights = "volatility_terciles" if "regime" in weights else None
    recipe = panel_recipe(loss_weights=weights, loss=" + ".join(weights), day_weights=day_weights)
    return recipe, panel_spec(quantile_geometry() if "quantile" in weights else None)


def panel_job(**changes: object) -> Job:
    values: dict[str, object] = {
        "spec": panel_spec(),
        "settings": settings(epochs=3),
        "recipe": panel_recipe(),
        "task": "rank",
        "seed": 7,
        "plan": batch_plan(),
        "device": "cpu",
        "threads": 1,
    }
    return Job(**(values | changes))  # type: ignore[arg-type]
