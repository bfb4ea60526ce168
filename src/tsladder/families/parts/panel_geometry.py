"""Narrow a geometry to that of a panel of stocks, for the families that rank one. Imports no torch."""

from __future__ import annotations

from tsladder.families.parts.geometry import Geometry, PanelGeometry


def panel_geometry(geometry: Geometry) -> PanelGeometry:
    """Return `geometry` as that of a panel. Raises TypeError where it is that of one series."""
    if not isinstance(geometry, PanelGeometry):
        raise TypeError(f"a {geometry.family} ranks the stocks of a panel and needs a PanelGeometry, got {geometry}")
    return geometry
