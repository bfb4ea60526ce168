"""Figures of one ranking on the validation days, as a trial of a panel study reports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanRankIC:
    """Mean rank IC over the days, with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationFigures:
    """Figures of one ranking on the validation days; None where a figure is undefined.

    rank_error, ic, hit_rate, pinball   means over the days; pinball is that of the cell's own horizon, in units of the
                                        transformed label, None where no quantiles were forecast
    icir                                mean over standard deviation of the daily rank IC
    sharpe_gross, sharpe_net, turnover  of the long-short portfolio, annual, before and after costs; daily turnover
    """

    rank_error: float
    rank_ic: MeanRankIC
    ic: float
    icir: float | None
    hit_rate: float
    sharpe_gross: float | None
    sharpe_net: float | None
    turnover: float
    pinball: float | None


def figures_from_json(record: Mapping[str, Any] | None) -> ValidationFigures | None:
    """Build the figures from their JSON object; None from None. Raises KeyError or TypeError where it is none."""
    if record is None:
        return None
    return ValidationFigures(**{**record, "rank_ic": MeanRankIC(**record["rank_ic"])})
