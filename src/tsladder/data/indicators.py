"""Computation of the feature table from bars: the columns of a tier, without the days before all of them have a value.

Two rules hold for every column: its value at day t does not change when days after t change, and it is finite after
warm-up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.features import BarsFacts, Origin
from tsladder.data.bars import Bars, share_open_equals_previous_close
from tsladder.data.columns.declaration import Indicator
from tsladder.data.features import FeatureTable
from tsladder.data.lost_days import lost_days
from tsladder.data.rolling import Column
from tsladder.data.tier_columns import COMMON_WARM_UP, VIX_WARM_UP, tier_indicators
from tsladder.data.without_volume import command_without_volume
from tsladder.errors import BadInput
from tsladder.params import DataParams


def build_features(bars: Bars, data: DataParams, vix: Bars | None = None) -> FeatureTable:
    """Compute the columns of `data.tier`, and drop the days before all have a value.

    OHLCV is added if `data.ohlcv` is true, and columns made of the volume are left out if `data.volume` is false.
    Columns of VIX are computed from `vix`, on its own days, and known on those days alone: a day of `bars` without VIX
    is lost. Raises BadInput when a column needs a missing volume, when no day has both series, when the bars are
    shorter than the warm-up or do not reach back to `data.first_day`, or when a value after warm-up is not finite.
    """
    chosen = tier_indicators(data)
    _refuse_missing_volume(bars, data, chosen)
    own = tuple(indicator for indicator in chosen if not indicator.on_vix)
    with np.errstate(over="ignore", invalid="ignore"):
        filled = {indicator.column.name: indicator.fill(bars) for indicator in own}
    finite_TF = np.isfinite(np.column_stack(list(filled.values())))
    if not finite_TF.any(axis=0).all():
        longest = max(own, key=lambda indicator: indicator.column.look_back).column
        raise BadInput(
            f"data.tier {data.tier}: {bars.symbol} has {len(bars.dates_T)} days, too few for the warm-up: "
            f"{longest.name} alone needs {longest.look_back} days before its first value"
        )
    warm_up = int(finite_TF.argmax(axis=0).max())
    _refuse_holes(bars, own, finite_TF, warm_up)
    known_T = np.ones(len(bars.dates_T), dtype=bool)
    for indicator in chosen:
        if indicator.on_vix:
            filled[indicator.column.name] = _on_days_of(bars, _required(vix, data), indicator)
            known_T &= np.isfinite(filled[indicator.column.name])
    known_N = np.flatnonzero(known_T[warm_up:]) + warm_up
    if len(known_N) == 0:
        raise BadInput(_no_common_day(bars, _required(vix, data), data, warm_up))
    begin = _begin(bars, data, warm_up, known_N)
    kept_N = known_N[known_N >= begin]
    values_TF = np.column_stack([filled[indicator.column.name][kept_N] for indicator in chosen])
    return FeatureTable(
        symbol=bars.symbol,
        tier=data.tier,
        ohlcv=data.ohlcv,
        dates_T=bars.dates_T[kept_N],
        columns=tuple(indicator.column for indicator in chosen),
        values_TF=np.ascontiguousarray(values_TF),
        open_T=bars.open_T[kept_N],
        high_T=bars.high_T[kept_N],
        low_T=bars.low_T[kept_N],
        close_T=bars.close_T[kept_N],
        warm_up=int(kept_N[0]),
        open_equals_previous_close=share_open_equals_previous_close(bars),
        origin=Origin(
            first_day_asked=None if data.first_day is None else str(data.first_day),
            earliest_first_day=str(bars.dates_T[known_N[0]]),
            common_first_day=str(bars.dates_T[COMMON_WARM_UP]) if len(bars.dates_T) > COMMON_WARM_UP else None,
            bars={used.symbol: _facts(used) for used in (bars, vix) if used is not None},
            lost_days=None if vix is None else lost_days(bars.dates_T, kept_N, begin),
        ),
    )


def _facts(bars: Bars) -> BarsFacts:
    hashed = hashlib.sha256(bars.dates_T.astype("datetime64[D]").astype("<i8").tobytes())
    for values in (bars.open_T, bars.high_T, bars.low_T, bars.close_T, bars.volume_T):
        hashed.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return BarsFacts(
        days=len(bars.dates_T),
        first_day=str(bars.dates_T[0]),
        last_day=str(bars.dates_T[-1]),
        fingerprint=hashed.hexdigest(),
    )


def _required(vix: Bars | None, data: DataParams) -> Bars:
    if vix is None:
        raise ValueError(f"tier {data.tier} has columns of VIX: its bars are needed")
    return vix


def _on_days_of(bars: Bars, vix: Bars, indicator: Indicator) -> Column:
    """Compute the column on VIX's days; NaN on a day of `bars` without VIX."""
    filled_T = np.full(len(bars.dates_T), np.nan)
    _, rows, vix_rows = np.intersect1d(bars.dates_T, vix.dates_T, assume_unique=True, return_indices=True)
    filled_T[rows] = indicator.fill(vix)[vix_rows]
    return filled_T


def _begin(bars: Bars, data: DataParams, warm_up: int, known_N: NDArray[np.int64]) -> int:
    """Return the row of the bars from which known days are kept. Raises BadInput where `data.first_day` cannot be the
    first."""
    if data.first_day is None:
        return warm_up
    if data.first_day == "common":
        if known_N[-1] < COMMON_WARM_UP:
            raise BadInput(
                f"data.first_day is common, and the largest tier needs {COMMON_WARM_UP} days before its first value: "
                f"{bars.symbol} has {len(bars.dates_T)}; bring longer data, or set it to null"
            )
        return max(warm_up, COMMON_WARM_UP)
    row = int(np.searchsorted(bars.dates_T, np.datetime64(data.first_day, "D")))
    later_N = known_N[known_N >= row]
    if len(later_N) == 0 or later_N[0] != row:
        found = "no day" if len(later_N) == 0 else f"its first values on {bars.dates_T[later_N[0]]}"
        known = f"{bars.dates_T[known_N[0]]} to {bars.dates_T[known_N[-1]]}"
        raise BadInput(
            f"data.first_day {data.first_day}: from there on tier {data.tier} of {bars.symbol} has {found}, and all "
            f"tiers are to start on the same day; set one from {known} that has all values, or null"
        )
    return row


def _no_common_day(bars: Bars, vix: Bars, data: DataParams, warm_up: int) -> str:
    return (
        f"data.tier {data.tier}: no day has both the features of {bars.symbol} ({bars.dates_T[warm_up]} to "
        f"{bars.dates_T[-1]}) and those of VIX, which has {len(vix.dates_T)} days ({vix.dates_T[0]} to "
        f"{vix.dates_T[-1]}) and needs {VIX_WARM_UP} of them before its first values: bring VIX for the days of the "
        "bars, or choose a tier without it"
    )


def _refuse_missing_volume(bars: Bars, data: DataParams, chosen: Iterable[Indicator]) -> None:
    starved = [indicator.column.name for indicator in chosen if indicator.needs_volume]
    if not starved or bars.has_volume:
        return
    otherwise = "name a symbol that has one in data.symbol"
    if bars.symbol in data.further:
        otherwise = f"leave {bars.symbol} out of data.symbols"
    command = command_without_volume(data.symbol, data.markets)
    raise BadInput(
        f"data.volume is true, and {bars.symbol} has no Volume, which these features need: {', '.join(starved)}; leave "
        f"every such column out of tier {data.tier} with `{command}` (or volume: false under data in params.yaml), or "
        f"{otherwise}"
    )


def _refuse_holes(bars: Bars, chosen: tuple[Indicator, ...], finite_TF: NDArray[np.bool_], warm_up: int) -> None:
    faults = []
    for index, indicator in enumerate(chosen):
        holes = np.flatnonzero(~finite_TF[warm_up:, index]) + warm_up
        if len(holes):
            faults.append(f"{indicator.column.name} on {bars.dates_T[holes[0]]} ({len(holes)} days in all)")
    if faults:
        raise BadInput(f"{bars.symbol}: features without a finite value after the {warm_up} warm-up days:", faults)
