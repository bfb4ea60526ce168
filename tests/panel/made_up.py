"""A panel to test on: stocks that are listed late, pause and leave, with every column a file may have."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tsladder.panel.panel import Panel, PanelManifest, PanelOrigin, Returns, UniverseKind

ORIGIN = PanelOrigin(
    source="made up", licence="none", returns=Returns.TOTAL, universe=UniverseKind.POINT_IN_TIME, bias=()
)
MANIFEST = PanelManifest(
    origin=ORIGIN,
    first_day="2001-01-03",
    last_day="2001-01-03",
    sessions=0,
    symbols=0,
    rows=0,
    columns=(),
    not_traded_rows=0,
    delisted=(),
    sha256={},
)


def made_up(days: int = 420, stocks: int = 14, seed: int = 0, *, gaps: bool = True) -> Panel:
    """Prices from 0.7 to 14 on a grid of a cent, so that there are ties.

    With `gaps` all stocks miss some days, the second and the fifth are listed late, the third leaves early and the
    fourth pauses for 40 sessions.
    """
    rng = np.random.default_rng(seed)
    shape = (days, stocks)
    moves_TS = rng.normal(0.0, 0.01, (days, 1)) + rng.normal(0.0003, 0.02, shape)
    moves_TS[rng.random(shape) < 0.1] = 0.0
    level_S = 0.7 * 20.0 ** (np.arange(stocks) / stocks)
    close_TS = np.round(level_S * np.exp(np.cumsum(moves_TS, axis=0)), 2)
    open_TS = np.round(close_TS * np.exp(rng.normal(0.0, 0.004, shape)), 2)
    high_TS = np.maximum(open_TS, close_TS) + np.round(rng.random(shape), 2)
    low_TS = np.maximum(np.minimum(open_TS, close_TS) - np.round(0.2 * rng.random(shape), 2), 0.01)
    traded_TS = np.ones(shape, dtype=np.bool_)
    if gaps:
        traded_TS = rng.random(shape) > 0.01
        traded_TS[: days // 3, 1] = False
        traded_TS[2 * days // 3 :, 2] = False
        traded_TS[days // 2 : days // 2 + 40, 3] = False
        traded_TS[: 9 * days // 10, 4] = False
    weekdays = np.datetime64("2001-01-03") + np.arange(2 * days)

    def shown(x_TS: Any) -> Any:
        return np.where(traded_TS, x_TS, np.nan)

    volume_TS = np.round(rng.lognormal(10.0, 0.5, shape))
    return Panel(
        name="made_up",
        dates_T=weekdays[np.is_busday(weekdays)][:days],
        symbols_S=tuple(f"{number:03d}" for number in range(stocks)),
        close_TS=shown(close_TS),
        open_TS=shown(open_TS),
        high_TS=shown(high_TS),
        low_TS=shown(low_TS),
        volume_TS=shown(volume_TS),
        close_raw_TS=shown(close_TS * 60.0 / level_S),
        member_TS=traded_TS & (rng.random(shape) > 0.02),
        manifest=MANIFEST,
    )


def changed(panel: Panel, **changes: Any) -> Panel:
    return dataclasses.replace(panel, **changes)


def prices_of(panel: Panel) -> dict[str, Any]:
    return {name: getattr(panel, name) for name in ("close_TS", "open_TS", "high_TS", "low_TS")}
