"""Panels with other prices: what the probes give to the study's own code in the place of its panel."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.panel.learner import Floats, Mask
from tsladder.panel.panel import Panel

_PRICES = ("close_TS", "open_TS", "high_TS", "low_TS")
_PRICE_NOISE, _VOLUME_NOISE = 0.1, 0.5


def scaled_prices(panel: Panel, factor_TS: Floats) -> Panel:
    """Return `panel` with all adjusted prices times `factor_TS`, which may have one row or one column."""
    values = {name: getattr(panel, name) for name in _PRICES}
    return dataclasses.replace(
        panel, **{name: value_TS * factor_TS for name, value_TS in values.items() if value_TS is not None}
    )


def other_unit(panel: Panel, factor_S: Floats) -> Panel:
    """Return `panel` as it would be if each stock's prices had another unit, as a later split gives them: adjusted
    prices times the factor and Volume divided by it. Turnover and CloseRaw are what was paid, and stay."""
    moved = scaled_prices(panel, factor_S)
    return moved if panel.volume_TS is None else dataclasses.replace(moved, volume_TS=panel.volume_TS / factor_S)


def noise_after(panel: Panel, row: int, stocks_S: Mask, rng: np.random.Generator) -> Panel:
    """Return `panel` with the prices, volumes and turnovers of `stocks_S` after session `row` times noise. They are
    traded on the same days."""
    replaced_TS = (np.arange(len(panel.dates_T)) > row)[:, None] & stocks_S
    shape = panel.close_TS.shape
    factor_TS = np.where(replaced_TS, np.exp(np.cumsum(rng.normal(0.0, _PRICE_NOISE, shape), axis=0)), 1.0)
    traded_TS = np.where(replaced_TS, np.exp(rng.normal(0.0, _VOLUME_NOISE, shape)), 1.0)
    factors = {"close_raw_TS": factor_TS, "volume_TS": traded_TS, "turnover_TS": traded_TS}
    others = {
        name: getattr(panel, name) * times_TS for name, times_TS in factors.items() if getattr(panel, name) is not None
    }
    return dataclasses.replace(scaled_prices(panel, factor_TS), **others)


def listed_after(panel: Panel, row: int, stocks_S: Mask) -> Panel:
    """Return `panel` as if `stocks_S` were first traded after session `row`."""
    removed_TS = (np.arange(len(panel.dates_T)) <= row)[:, None] & stocks_S
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(panel):
        value_TS = getattr(panel, field.name)
        if field.name.endswith("_TS") and value_TS is not None:
            changes[field.name] = value_TS.copy()
            changes[field.name][removed_TS] = _missing(value_TS)
    return dataclasses.replace(panel, **changes)


def held_after(panel: Panel, row: int) -> Panel:
    """Return `panel` with every adjusted price after session `row` as the Close of that session, and missing for a
    stock that was not traded then."""
    changes = {}
    for name in _PRICES:
        value_TS = getattr(panel, name)
        if value_TS is not None:
            changes[name] = value_TS.copy()
            changes[name][row + 1 :] = panel.close_TS[row]
    return dataclasses.replace(panel, **changes)


def _missing(value_TS: NDArray[np.generic]) -> object:
    if value_TS.dtype == np.bool_:
        return False
    return "" if value_TS.dtype == np.object_ else np.nan
