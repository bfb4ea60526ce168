"""Stage `features` of a panel study: find the members, normalise the columns, and record both."""

from __future__ import annotations

import numpy as np

from tsladder.artifacts.panel_features import MemberCounts, PanelFeatures, write_panel_features
from tsladder.panel.file import read_panel
from tsladder.panel.samples import PanelInputs, build_inputs
from tsladder.params import PanelParams
from tsladder.places import Places


def build_panel_features(places: Places, params: PanelParams) -> None:
    """Compute members and columns of `data.panel` and write artifacts/features/manifest.json.

    Raises BadInput where the panel is missing or damaged, or lacks what the question needs.
    """
    made = build_inputs(read_panel(places.bars(params.data.panel)), params)
    write_panel_features(places.features_manifest, features_record(made, params))


def features_record(made: PanelInputs, params: PanelParams) -> PanelFeatures:
    """Return the record of `made`, the members and columns of a panel."""
    panel, axis = made.panel, made.axis
    counts_D = axis.stocks_TS.sum(axis=1)[axis.enough_T]
    manifest = panel.manifest
    return PanelFeatures(
        panel=panel.name,
        tier=params.data.tier,
        columns=made.columns,
        lags=dict(params.data.lags or {}),
        normalisation=params.windows.normalisation,
        sessions=len(panel.dates_T),
        symbols=len(panel.symbols_S),
        first_day=_day(panel.dates_T[0]),
        last_day=_day(panel.dates_T[-1]),
        first_sample_day=_day(panel.dates_T[axis.first_row]),
        days=len(counts_D),
        members=MemberCounts(least=int(counts_D.min()), median=float(np.median(counts_D)), most=int(counts_D.max())),
        not_traded_rows=manifest.not_traded_rows,
        delisted=manifest.delisted,
        universe=manifest.origin.universe.value,
        returns=manifest.origin.returns.value,
        source=manifest.origin.source,
        licence=manifest.origin.licence,
        bias=manifest.origin.bias,
        fingerprint=made.fingerprint(),
    )


def _day(day: np.datetime64) -> str:
    return str(day.astype("datetime64[D]"))
