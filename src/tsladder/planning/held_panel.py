"""Data of a panel in a worker's memory, before the cube is built: from the question and the panel's size. No torch."""

from __future__ import annotations

from tsladder.panel.columns import TIERS
from tsladder.panel.graph import EDGE_FEATURES
from tsladder.params import AnyParams, PanelParams
from tsladder.places import Places
from tsladder.planning.memory import NO_PANEL, HeldPanel
from tsladder.planning.panel_cells import panel_size

BATCH_BYTES, FIELD_BYTES = 160, 80
"""Bytes of a session of a cube that are no values: the header of its record batch, and what describes a field and fills
its last bytes."""

_FIELDS, _GRAPH_FIELDS = 6, 2


def panel_held(params: PanelParams, *, sessions: int, stocks: int, drawn: int | None) -> HeldPanel:
    """Return what a worker holds of a panel of so many sessions and stocks under the question `params`; `drawn`: stocks
    that are drawn on each training day, None: all.

    Training has at most the days that are left by the first windows, or the history of members, and by the days that
    validation and test need.
    """
    fields = _FIELDS if params.graph is None else _FIELDS + _GRAPH_FIELDS
    before = max(params.universe.min_history, params.windows.context_length - 1)
    return HeldPanel(
        cube_bytes=sessions * (BATCH_BYTES + FIELD_BYTES * fields + stocks * _bytes_of_a_stock(params)),
        training_days=max(0, sessions - before - 2 * params.splits.min_days),
        drawn=drawn,
    )


def panel_held_for(places: Places, params: AnyParams) -> HeldPanel:
    """Return what a worker of the study holds of its panel; nothing in a series study. Raises BadInput where a panel
    study has no panel."""
    if not isinstance(params, PanelParams):
        return NO_PANEL
    sessions, stocks = panel_size(places, params)
    return panel_held(params, sessions=sessions, stocks=stocks, drawn=params.training.stocks_per_day)


def _bytes_of_a_stock(params: PanelParams) -> int:
    """Return the bytes of a stock on one session of the cube: columns, two flags, the return, and forward returns; then
    the neighbours' numbers and the features of their edges."""
    graph = 0 if params.graph is None else params.graph.places * (2 + 4 * len(EDGE_FEATURES))
    return 4 * len(TIERS[params.data.tier]) + 2 + 4 + 4 * len(params.horizons) + graph
