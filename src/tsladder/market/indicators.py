"""Bars in, feature table out: the columns of a tier, without the days before all of them have a value.

Two laws hold for every column: its value at day t does not change when days after t change, and it is finite
after warm-up.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.market.bars import Bars, share_open_equals_previous_close
from tsladder.market.features import FeatureTable
from tsladder.market.tiers import Indicator, tier_indicators
from tsladder.params import DataParams


def build_features(bars: Bars, data: DataParams) -> FeatureTable:
    """Fill the columns of `data.tier` (and OHLCV while `data.ohlcv`), and drop the days before all have a value.

    Raises BadInput when a column needs the volume the symbol lacks, when the bars are shorter than the
    warm-up, or when a value after warm-up is not finite.
    """
    chosen = tier_indicators(data)
    _refuse_missing_volume(bars, chosen)
    with np.errstate(over="ignore", invalid="ignore"):
        filled_TF = np.column_stack([indicator.fill(bars) for indicator in chosen])
    finite_TF = np.isfinite(filled_TF)
    if not finite_TF.any(axis=0).all():
        longest = max(chosen, key=lambda indicator: indicator.column.look_back).column
        raise BadInput(
            f"data.tier {data.tier}: {bars.symbol} has {len(bars.dates_T)} days, too few for the warm-up: "
            f"{longest.name} alone needs {longest.look_back} days before its first value"
        )
    warm_up = int(finite_TF.argmax(axis=0).max())
    _refuse_holes(bars, chosen, finite_TF, warm_up)
    return FeatureTable(
        symbol=bars.symbol,
        tier=data.tier,
        ohlcv=data.ohlcv,
        dates_T=bars.dates_T[warm_up:].copy(),
        columns=tuple(indicator.column for indicator in chosen),
        values_TF=np.ascontiguousarray(filled_TF[warm_up:]),
        open_T=bars.open_T[warm_up:].copy(),
        high_T=bars.high_T[warm_up:].copy(),
        low_T=bars.low_T[warm_up:].copy(),
        close_T=bars.close_T[warm_up:].copy(),
        warm_up=warm_up,
        open_equals_previous_close=share_open_equals_previous_close(bars),
    )


def _refuse_missing_volume(bars: Bars, chosen: Iterable[Indicator]) -> None:
    starved = [indicator.column.name for indicator in chosen if indicator.needs_volume]
    if starved and not bars.has_volume:
        raise BadInput(
            f"data.symbol {bars.symbol} has no Volume, which these features need: {', '.join(starved)}; "
            "choose a symbol with Volume"
        )


def _refuse_holes(bars: Bars, chosen: tuple[Indicator, ...], finite_TF: NDArray[np.bool_], warm_up: int) -> None:
    faults = []
    for index, indicator in enumerate(chosen):
        holes = np.flatnonzero(~finite_TF[warm_up:, index]) + warm_up
        if len(holes):
            faults.append(f"{indicator.column.name} on {bars.dates_T[holes[0]]} ({len(holes)} days in all)")
    if faults:
        raise BadInput(f"{bars.symbol}: features without a finite value after the {warm_up} warm-up days:", faults)
