"""Small days of a panel to train on, made of noise, and models of days."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from tsladder.artifacts.plans import PanelRecipe, PhaseRecipe
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.panel.cube import Cube, CubeContents, build_cube, open_cube
from tsladder.panel.dataset import CellDays
from tsladder.panel.day_batches import DaySamples

SESSIONS, STOCKS, FEATURES, NEIGHBOURS, CONTEXT = 90, 7, 3, 2, 12
HORIZONS = (1, 5)


def contents(seed: int = 0) -> CubeContents:
    """Noise in which the first column foretells a part of the returns. One stock is absent now and then."""
    rng = np.random.default_rng(seed)
    x_TSF = rng.normal(size=(SESSIONS, STOCKS, FEATURES)).astype(np.float32)
    here_TS = np.ones((SESSIONS, STOCKS), dtype=np.bool_)
    here_TS[::7, 2] = False
    x_TSF[~here_TS] = 0.0
    y_TSM = np.stack([0.01 * (x_TSF[..., 0] + rng.normal(size=(SESSIONS, STOCKS))) for _ in HORIZONS], axis=-1)
    others = [np.delete(np.arange(STOCKS), stock) for stock in range(STOCKS)]
    neighbours_TSk = np.array([[rng.permutation(one)[:NEIGHBOURS] for one in others] for _ in range(SESSIONS)])
    return CubeContents(
        columns=("a", "b", "c"),
        symbols_S=tuple(f"{number:02d}" for number in range(STOCKS)),
        dates_T=np.datetime64("2001-01-01") + np.arange(SESSIONS),
        horizons=HORIZONS,
        x_TSF=x_TSF,
        here_TS=here_TS,
        member_TS=here_TS,
        return_TS=(0.01 * rng.normal(size=(SESSIONS, STOCKS))).astype(np.float32),
        y_TSM=y_TSM.astype(np.float32),
        neighbours_TSk=neighbours_TSk.astype(np.int16),
        edges_TSkK=rng.normal(size=(SESSIONS, STOCKS, NEIGHBOURS, 2)).astype(np.float32),
    )


def cube(seed: int = 0) -> Cube:
    """A cube in memory alone, which cannot be sent to another process."""
    made = contents(seed)
    values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    return Cube(path=Path("of-noise.arrow"), key="0" * 64, size=0, **values)


def stored_cube(folder: Path) -> Cube:
    key = "1" * 64
    return open_cube(build_cube(folder, key, contents()), key)


def cell_days(first: int, last: int, *, within: Cube | None = None) -> CellDays:
    """The sample days on sessions `first` to `last` of a cube."""
    return CellDays(
        days=DaySamples(cube=within or cube(), rows_N=np.arange(first, last + 1), context_length=CONTEXT),
        places_M=(0, 1),
        transform="rank",
        entry_lag=1,
        horizon=1,
        cost_bps=5.0,
    )


def spec(family: str = "atft_gat_fan", *, neighbours: int = NEIGHBOURS, **changes: int) -> ModelSpec:
    geometry = PanelGeometry(
        family=family,
        context_length=CONTEXT,
        n_features=FEATURES,
        patch_len=4,
        stride=4,
        revin=False,
        n_outputs=2 * 5,
        stocks=STOCKS,
        horizons=2,
        quantiles=5,
        days=10,
        fan_components=1,
        neighbours=neighbours,
    )
    layers = {"n_layers": 2} if family == "panel_transformer" else {"n_layers": 1, "n_graph": int(neighbours > 0)}
    return ModelSpec(geometry=geometry, **({"d_model": 8, "n_heads": 2, "d_ff": 16} | layers | changes))


def phase(name: str, epochs: int, active: tuple[str, ...] = (), **changes: object) -> PhaseRecipe:
    values: dict[str, object] = {
        "name": name,
        "epochs": epochs,
        "learning_rate": 1.0,
        "active": active,
        "loss_weights": {"quantile": 1.0},
        "horizon_weights": (1.0, 0.0),
        "max_gradient_norm": 1.0,
    }
    return PhaseRecipe(**(values | changes))  # type: ignore[arg-type]


def panel_recipe(phases: tuple[PhaseRecipe, ...] | None = None, **changes: object) -> PanelRecipe:
    values: dict[str, object] = {
        "effective_batch": 16,
        "precision": "fp32",
        "optimizer": "adamw",
        "schedule": "cosine",
        "max_gradient_norm": 1.0,
        "patience": None,
        "min_delta": 0.0,
        "loss": "quantile",
        "monitor": "val_loss",
        "loss_weights": {"quantile": 1.0},
        "horizon_weights": (1.0, 0.5),
        "phases": phases,
    }
    return PanelRecipe(**(values | changes))  # type: ignore[arg-type]
