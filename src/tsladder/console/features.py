"""List the feature tiers, or the columns of one, for `tsladder features [TIER]`. Needs no data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tsladder.data import tiers
from tsladder.data.columns.core import OHLCV
from tsladder.data.columns.declaration import Indicator
from tsladder.data.tier_columns import COMMON_WARM_UP, VIX_WARM_UP
from tsladder.errors import BadInput
from tsladder.formatting import aligned
from tsladder.suggestions import similar

_HEADS = ("column", "kind", "look-back", "what", "source")


def list_tiers() -> dict[str, Any]:
    """Return, JSON-ready, every tier's number of columns with and without OHLCV, and the days before its first row."""
    return {"common_warm_up": COMMON_WARM_UP, "tiers": {name: _tier(name) for name in tiers.names()}}


def describe_tier(name: str) -> dict[str, Any]:
    """Return, JSON-ready, one tier as in `list_tiers`, with its columns in order. Raises BadInput for an
    unknown tier."""
    known = tiers.names()
    if name not in known:
        near = similar(name, known, cutoff=0.3) or known
        raise BadInput(f"there is no tier {name!r}: did you mean {' or '.join(near)}? `tsladder features` lists all")
    return {
        "tier": name,
        **_tier(name),
        "indicators": [_column(indicator) for indicator in tiers.load(name).indicators()],
        "ohlcv": [_column(indicator) for indicator in OHLCV],
    }


def _tier(name: str) -> dict[str, Any]:
    tier = tiers.load(name)
    every = tier.indicators()
    own = [indicator for indicator in every if not indicator.on_vix]
    return {
        "columns": len(every),
        "columns_with_ohlcv": len(every) + len(OHLCV),
        "columns_without_volume": _without_volume(every),
        "columns_with_ohlcv_without_volume": _without_volume((*every, *OHLCV)),
        "warm_up": max(indicator.column.look_back for indicator in own),
        "vix_warm_up": VIX_WARM_UP if tier.reads_vix else None,
    }


def _without_volume(indicators: Sequence[Indicator]) -> int:
    return sum(not indicator.needs_volume for indicator in indicators)


def _column(indicator: Indicator) -> dict[str, Any]:
    column = {**dataclasses.asdict(indicator.column), "kind": indicator.column.kind.value}
    return column | {"needs_volume": indicator.needs_volume}


def tier_lines(record: dict[str, Any]) -> list[str]:
    """Format the record of `list_tiers` as plain text."""
    rows = [("tier", "columns", "with OHLCV", "without volume", "warm-up")]
    for name, tier in record["tiers"].items():
        vix = "" if tier["vix_warm_up"] is None else f", and {tier['vix_warm_up']} days of VIX"
        counts = ("columns", "columns_with_ohlcv", "columns_with_ohlcv_without_volume")
        rows.append((name, *(str(tier[count]) for count in counts), f"{tier['warm_up']} days{vix}"))
    shared = f"With data.first_day: common, every tier without VIX starts after {record['common_warm_up']} days, and so"
    return [
        *aligned(rows),
        "",
        "OHLCV columns are fed while data.ohlcv is true.",
        "With data.volume: false the columns computed from volume are left out (third count).",
        f"{shared} they share their samples.",
        "Columns of one tier: tsladder features TIER",
    ]


def column_lines(record: dict[str, Any]) -> list[str]:
    """Format the record of `describe_tier` as plain text."""
    columns = (*record["indicators"], *record["ohlcv"])
    names = ("name", "kind", "look_back", "words", "source")
    rows = [tuple(str(column[name]) for name in names) for column in columns]
    with_ohlcv = f"{record['columns_with_ohlcv']} with OHLCV, the last {len(record['ohlcv'])}"
    counts = f"{record['columns']} columns, {with_ohlcv}, which are fed while data.ohlcv is true"
    vix = "" if record["vix_warm_up"] is None else f" and {record['vix_warm_up']} of VIX"
    starved = ", ".join(column["name"] for column in columns if column["needs_volume"])
    return [
        f"{counts}; the first row comes after {record['warm_up']} days{vix}.",
        f"Left out while data.volume is false: {starved}.",
        "",
        *aligned([_HEADS, *rows]),
    ]
