"""The eight columns of VIX, on VIX's own days, known on the day itself: VIX closes with the market it is made from."""

from __future__ import annotations

import numpy as np

from tsladder.artifacts.features import ColumnKind
from tsladder.data.columns.declaration import BOUNDED, UNITLESS, Fill, Indicator, declare
from tsladder.data.rolling import Column, before, mean, ratio, share_at_most, spread

_CALM, _STRESS = 15.0, 25.0


def regime(vix_T: Column) -> Column:
    """Return 0 below 15, 1 from 15 on, 2 from 25 on."""
    return (vix_T >= _CALM).astype(np.float64) + (vix_T >= _STRESS)


def z_score(vix_T: Column, days: int) -> Column:
    return ratio(vix_T - mean(vix_T, days), spread(vix_T, days, ddof=0))


def percent_change(vix_T: Column, days: int) -> Column:
    return np.asarray(100.0 * (vix_T / before(vix_T, days) - 1.0))


def _declare(
    name: str, words: str, look_back: int, fill: Fill, kind: ColumnKind = UNITLESS, scale: float = 1.0
) -> Indicator:
    return declare(name, kind, words, look_back, "definition on VIX", fill, scale=scale, on_vix=True)


VIX = (
    _declare("vix_close", "Close of VIX", 0, lambda vix: vix.close_T),
    _declare("vix_sma_10", "mean of VIX over 10 of its days", 9, lambda vix: mean(vix.close_T, 10)),
    _declare("vix_sma_20", "mean of VIX over 20 of its days", 19, lambda vix: mean(vix.close_T, 20)),
    _declare(
        "vix_percentile_60",
        "percentage of the last 60 days of VIX, this one included, on which it was at most as high",
        59,
        lambda vix: 100.0 * share_at_most(vix.close_T, 60),
        BOUNDED,
        100.0,
    ),
    _declare(
        "vix_z_20",
        "VIX less its mean over 20 of its days, in standard deviations; 0 where it stands still",
        19,
        lambda vix: z_score(vix.close_T, 20),
    ),
    _declare(
        "vix_regime", "0 for VIX below 15, 1 from 15, 2 from 25 on", 0, lambda vix: regime(vix.close_T), BOUNDED, 2.0
    ),
    _declare(
        "vix_change_1", "change of VIX over 1 of its days, in percent", 1, lambda vix: percent_change(vix.close_T, 1)
    ),
    _declare(
        "vix_change_5", "change of VIX over 5 of its days, in percent", 5, lambda vix: percent_change(vix.close_T, 5)
    ),
)
