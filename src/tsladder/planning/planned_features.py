"""Columns that a planned study feeds its models: how many, of which tier, and those known to be constant over
training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.splits import read_splits
from tsladder.data.tier_sizes import n_features
from tsladder.errors import WorkFailed
from tsladder.panel.columns import TIERS
from tsladder.params import AnyParams, PanelParams, Params
from tsladder.places import Places


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedFeatures:
    """Columns of a planned study. `tier`: its name, with "without volume" where data.volume is false. `constant`:
    columns that are constant over training, None where features and splits of this question do not exist yet or cannot
    be read. `notes`: remarks on the tier and on constant columns."""

    tier: str
    columns: int
    constant: tuple[str, ...] | None
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        constant = None if self.constant is None else list(self.constant)
        return {"tier": self.tier, "columns": self.columns, "constant_over_training": constant}


def planned_features(places: Places, params: AnyParams, *, built: bool) -> PlannedFeatures:
    """Describe the columns of the planned study. `built`: features and splits on disk are those of the question."""
    if isinstance(params, PanelParams):
        # Columns of a panel are compared within each day, so none is constant over time.
        columns = len(TIERS[params.data.tier])
        return PlannedFeatures(tier=params.data.tier_words, columns=columns, constant=None, notes=())
    columns = n_features(params.data)
    constant = _constant(places, params) if built else None
    notes = []
    if not params.data.volume:
        notes.append(f"data.volume is false: tier {params.data.tier_words}, {columns} columns")
    if constant:
        # Imported here, since no other part of planning needs the declarations of columns.
        from tsladder.data.constant_columns import describe_constant_columns

        notes.append(describe_constant_columns(constant, columns, params.data.tier).removesuffix("."))
    return PlannedFeatures(tier=params.data.tier_words, columns=columns, constant=constant, notes=tuple(notes))


def _constant(places: Places, params: Params) -> tuple[str, ...] | None:
    from tsladder.data.constant_columns import constant_columns
    from tsladder.data.features import read_features
    from tsladder.data.splits import Splits

    try:
        splits = [Splits.of_days(read_splits(places.horizon_splits(h)).splits) for h in params.horizons]
        table = read_features(places.features)
    except (WorkFailed, OSError, ValueError, KeyError):
        # A plan does not need these files; the stages that do report what is wrong with them.
        return None
    return constant_columns(table, splits, params.windows.context_length)
