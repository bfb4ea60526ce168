"""What a trial trains, and what a sampler draws to get there. Pure: no optuna, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.models.spec import ModelSpec
from tsladder.planning.recipe import Settings

Value = float | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """One drawn coordinate: between low and high, or one of `choices` where they are given."""

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
"""What two trials of a cell must not have in common altogether, by its names in a trial's params."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """What one trial trains."""

    spec: ModelSpec
    settings: Settings
    effective_batch: int

    def to_record(self) -> dict[str, Value]:
        """Its IDENTITY by name."""
        params = {**self.spec.architecture(), **self.settings.to_record(), "effective_batch": self.effective_batch}
        return {name: params[name] for name in IDENTITY}
