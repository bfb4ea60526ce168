"""Phases of a training: a model is trained in several parts one after the other, each with losses, a learning rate and
parts of the model of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tsladder.params.sections import Count, Name, Positive
from tsladder.typed_yaml import MayBeLeftOut, Range

_Weight = Annotated[float, Range(0.0)]


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseParams:
    """One phase. `learning_rate`: factor on that of the trial. `active`: parts of the model that are computed and
    trained, of those that its family can switch off: `all`, `none`, or their names. `loss_weights` and
    `horizon_weights` null, and `max_gradient_norm` `training`: those of the section training."""

    name: Name
    epochs: Count
    learning_rate: Annotated[Positive, MayBeLeftOut()] = 1.0
    active: Annotated[Literal["all", "none"] | tuple[str, ...], MayBeLeftOut()] = "all"
    loss_weights: Annotated[Mapping[str, _Weight] | None, MayBeLeftOut()] = None
    horizon_weights: Annotated[Mapping[int, _Weight] | None, MayBeLeftOut()] = None
    max_gradient_norm: Annotated[Literal["training"] | Positive | None, MayBeLeftOut()] = "training"


CLASSIC = (
    PhaseParams(
        name="baseline",
        epochs=5,
        active="none",
        loss_weights={"quantile": 1.0},
        horizon_weights={1: 1.0, 5: 0.0, 10: 0.0, 20: 0.0},
        max_gradient_norm=1.0,
    ),
    PhaseParams(
        name="adaptive_norm",
        epochs=10,
        active=("fan", "san"),
        loss_weights={"quantile": 1.0, "sharpe": 0.1},
        horizon_weights={1: 1.0, 5: 0.45, 10: 0.25, 20: 0.1},
        max_gradient_norm=1.0,
    ),
    PhaseParams(
        name="graph",
        epochs=8,
        learning_rate=0.2,
        active=("fan", "san", "gat"),
        loss_weights={"quantile": 1.0, "sharpe": 0.1, "ic": 0.05},
        horizon_weights={1: 1.0, 5: 0.8, 10: 0.6, 20: 0.4},
        max_gradient_norm=1.0,
    ),
    PhaseParams(
        name="fine_tune",
        epochs=6,
        learning_rate=0.1,
        active="all",
        loss_weights={"quantile": 1.0, "sharpe": 0.15, "ic": 0.05},
        horizon_weights={1: 1.0, 5: 0.8, 10: 0.6, 20: 0.4},
        max_gradient_norm=0.5,
    ),
)
"""Phases of the earlier study, named by `classic`: 29 epochs. Its learning rates were 5e-4, 5e-4, 1e-4 and 5e-5.
Horizons that a study does not have are left out."""
