"""Bootstrap intervals, over the days of a region, of the metrics of rankings and of their portfolios."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.artifacts.ranking_scores import icir_name
from tsladder.artifacts.scores import Interval
from tsladder.evaluation.bootstrap import resampled_intervals, within
from tsladder.params import EvaluationParams
from tsladder.ranking.metrics import MEANS, DailyMetrics, mean_or_none, mean_over_sd
from tsladder.ranking.portfolio import TRADING_DAYS, Book
from tsladder.ranking.ranks import Floats

ByForecast = dict[str, dict[str, Interval | None]]
"""Forecast -> metric -> interval; None for a metric that is undefined."""

_NO_VARIANCE = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Figure:
    """Metric of one forecast, averaged over its seeds, that can be recomputed on resampled days.

    It is the mean of a daily series, or with `ratio` its mean over its standard deviation, times `scale`.
    `series_NK`: the daily series of each of K seeds. `bounds`: least and largest possible value.
    """

    forecast: str
    metric: str
    series_NK: Floats
    scale: float = 1.0
    ratio: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)

    @property
    def value(self) -> float | None:
        """Value on the original days; None where it is undefined for a seed."""
        of_seeds = [mean_over_sd(own_N) if self.ratio else float(own_N.mean()) for own_N in self.series_NK.T]
        mean = mean_or_none(of_seeds)
        return None if mean is None else self.scale * mean

    def resampled(self, weights_RN: Floats) -> Floats:
        """Return the value on each of R resamples; NaN where it is undefined. `weights_RN`: draws of each day."""
        days = len(self.series_NK)
        mean_RK = weights_RN @ self.series_NK / days
        if self.ratio:
            variance_RK = (weights_RN @ self.series_NK**2 / days - mean_RK**2) * days / max(days - 1, 1)
            least_K = (_NO_VARIANCE * np.abs(self.series_NK).max(axis=0)) ** 2
            sd_RK = np.sqrt(np.where(variance_RK > least_K, variance_RK, np.nan))
            mean_RK = mean_RK / sd_RK
        return np.asarray(self.scale * mean_RK.mean(axis=1), dtype=np.float64)


def ranking_intervals(
    forecasts: Mapping[str, Sequence[DailyMetrics]],
    *,
    horizon: int,
    block: int,
    params: EvaluationParams,
    seed: int,
) -> ByForecast:
    """Return intervals of the metrics of each forecast. `forecasts`: name -> daily metrics of each seed.

    All intervals use the same block length and the same resampled days.
    """
    figures = []
    for name, seeds in forecasts.items():
        for metric, bounds in MEANS.items():
            series = [daily.of(metric) for daily in seeds]
            defined = [values_N for values_N in series if values_N is not None]
            if len(defined) == len(series):
                series_NK = np.stack(defined, axis=1)
                figures.append(_Figure(forecast=name, metric=metric, series_NK=series_NK, bounds=bounds))
        rank_ic_NK = np.stack([daily.rank_ic_N for daily in seeds], axis=1)
        figures.append(_Figure(forecast=name, metric=icir_name(horizon), series_NK=rank_ic_NK, ratio=True))
    return _intervals(figures, block=block, params=params, seed=seed)


def portfolio_intervals(
    books: Mapping[str, Sequence[Book]], *, cost_bps: float, block: int, params: EvaluationParams, seed: int
) -> ByForecast:
    """Return intervals of annual return and Sharpe ratio, gross and net of costs. `books`: forecast -> books."""
    figures = []
    for name, of_seeds in books.items():
        for suffix, cost in (("gross", 0.0), ("net", cost_bps)):
            returns_DK = np.stack([book.net_D(cost) for book in of_seeds], axis=1)
            figures += [
                _Figure(forecast=name, metric=f"annual_return_{suffix}", series_NK=returns_DK, scale=TRADING_DAYS),
                _Figure(
                    forecast=name,
                    metric=f"sharpe_{suffix}",
                    series_NK=returns_DK,
                    scale=math.sqrt(TRADING_DAYS),
                    ratio=True,
                ),
            ]
    return _intervals(figures, block=block, params=params, seed=seed)


def _intervals(figures: Sequence[_Figure], *, block: int, params: EvaluationParams, seed: int) -> ByForecast:
    found = resampled_intervals(
        lambda weights_RN: np.stack([figure.resampled(weights_RN) for figure in figures], axis=1),
        [figure.value for figure in figures],
        days=len(figures[0].series_NK),
        block=block,
        draws=params.bootstrap_draws,
        confidence=params.confidence,
        seed=seed,
    )
    named: ByForecast = {figure.forecast: {} for figure in figures}
    for figure, interval in zip(figures, found, strict=True):
        named[figure.forecast][figure.metric] = None if interval is None else within(interval, *figure.bounds)
    return named
