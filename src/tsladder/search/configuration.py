"""Configuration that a trial trains, and the coordinates that a sampler draws for it. Pure: no optuna, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.models.spec import ModelSpec
from tsladder.planning.grid import N_GRAPH
from tsladder.planning.recipe import Settings

Value = float | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """Coordinate that a sampler draws: between low and high, or one of `choices` where they are given."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Value, ...] = ()


IDENTITY = (
    *("d_model", "n_layers", "n_heads", "d_ff", "learning_rate", "weight_decay", "dropout", "warmup_steps", "epochs"),
    "effective_batch",
)
"""Names, as in a trial's params, of what makes a configuration: no two trials of a cell may agree in all of them, nor
in the layers over a graph where models have one."""


def identity(params: Mapping[str, Value]) -> dict[str, Value]:
    """Return what makes a configuration, by name, from a trial's params."""
    graph = (N_GRAPH,) if N_GRAPH in params else ()
    return {name: params[name] for name in (*IDENTITY, *graph)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """Configuration of one trial: model, training settings and effective batch."""

    spec: ModelSpec
    settings: Settings
    effective_batch: int

    def to_record(self) -> dict[str, Value]:
        """Return what makes the configuration, by name."""
        params = {**self.spec.architecture(), **self.settings.to_record(), "effective_batch": self.effective_batch}
        return identity(params)
