"""List the tiers of a panel study, or the columns of one, for `tsladder --study panel features [TIER]`."""

from __future__ import annotations

from typing import Any

from tsladder.errors import BadInput
from tsladder.formatting import aligned
from tsladder.panel.column_formulas import LETTERS, NEEDS, column_needs, formula_of
from tsladder.panel.columns import TIERS
from tsladder.suggestions import similar


def list_panel_tiers() -> dict[str, Any]:
    """Return, JSON-ready, every tier's columns and what it needs of the panel's file."""
    return {"tiers": {name: {"columns": list(columns), "needs": NEEDS[name]} for name, columns in TIERS.items()}}


def describe_panel_tier(name: str) -> dict[str, Any]:
    """Return, JSON-ready, the columns of one tier with their formulas. Raises BadInput for an unknown tier."""
    if name not in TIERS:
        near = similar(name, tuple(TIERS), cutoff=0.3) or tuple(TIERS)
        raise BadInput(
            f"a panel study has no tier {name!r}: did you mean {' or '.join(near)}? `tsladder --study panel features` "
            "lists all"
        )
    columns = [{"name": one, "formula": formula_of(one), "needs": column_needs(one)} for one in TIERS[name]]
    return {"tier": name, "needs": NEEDS[name], "columns": columns}


def panel_tier_lines(record: dict[str, Any]) -> list[str]:
    """Format the record of `list_panel_tiers` as plain text."""
    rows = [("tier", "columns", "needs")]
    rows += [(name, str(len(tier["columns"])), tier["needs"]) for name, tier in record["tiers"].items()]
    return [*aligned(rows), "", "Columns of one tier: tsladder --study panel features TIER"]


def panel_column_lines(record: dict[str, Any]) -> list[str]:
    """Format the record of `describe_panel_tier` as plain text."""
    rows = [("column", "formula"), *((one["name"], one["formula"]) for one in record["columns"])]
    return [f"{len(record['columns'])} columns, from {record['needs']}.", LETTERS, "", *aligned(rows)]
