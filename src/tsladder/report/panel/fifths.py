"""Mean return of the stocks by fifths of their scores: whether the top pays, the bottom costs, and those between lie
between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.errors import WorkFailed
from tsladder.evaluation.bootstrap import resampled_intervals
from tsladder.params import EvaluationParams
from tsladder.ranking.metrics import BPS, judged_stocks, scored_days
from tsladder.ranking.ranks import Floats, Mask, places

FIFTHS = 5
_COLUMNS = ("date", "symbol", "model", "score", "return")
_AGAIN = "remove it and run `dvc repro`"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FifthReturns:
    """Returns by fifths of the scores, lowest scores first, less the mean of all stocks of the day.

    `means`: means over days, in basis points a day, with their `intervals`. `spread_N`: return of the highest fifth
    less that of the lowest on each of the N days of `dates_N`, in basis points a day.
    """

    means: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    dates_N: NDArray[np.datetime64]
    spread_N: Floats


def read_fifths(path: Path, models: Sequence[str], dates_N: NDArray[np.datetime64], horizon: int) -> Floats:
    """Read scores_by_stock.parquet at `path` and return the daily returns by fifths, see `daily_fifths`, as means over
    `models`: a baseline, or the seeds of a cell.

    `dates_N`: the days to read. Raises FileNotFoundError if the table does not exist, WorkFailed where it lacks a
    column, a model or a day.
    """
    import pandas as pd

    table = pd.read_parquet(path)
    if lacking := [name for name in _COLUMNS if name not in table.columns]:
        raise WorkFailed(f"{path} lacks the columns {', '.join(lacking)}; {_AGAIN}")
    table = table[table["date"].isin(dates_N.astype("datetime64[s]"))]
    series = []
    for model in models:
        score_DS, return_DS = _arrays(path, table[table["model"] == model], model, dates_N)
        series.append(daily_fifths(score_DS, return_DS, horizon))
    return np.asarray(np.mean(series, axis=0), dtype=np.float64)


def daily_fifths(score_DS: Floats, return_DS: Floats, horizon: int) -> Floats:
    """Return returns_NK of the scored days and the K = 5 fifths, in basis points a day, less the mean of all stocks of
    the day.

    The lowest and the highest fifth are n // 5 stocks, at least one, as for the quantile spread; the three between
    share the rest evenly. A stock at an edge counts in both of its fifths, by the share of it in each.
    """
    member_DS = np.isfinite(score_DS)
    kept_D = scored_days(return_DS, member_DS)
    judged_NS: Mask = judged_stocks(return_DS, member_DS)[kept_D]
    below_NS, same_NS = places(score_DS[kept_D], judged_NS)
    count_N1 = judged_NS.sum(axis=1, keepdims=True).astype(np.float64)
    return_NS = np.where(judged_NS, return_DS[kept_D], 0.0)
    excess_NS = np.where(judged_NS, return_NS - return_NS.sum(axis=1, keepdims=True) / count_N1, 0.0)
    fifth_N1 = np.maximum(count_N1 // FIFTHS, 1.0)
    between_N1 = (count_N1 - 2.0 * fifth_N1) / (FIFTHS - 2)
    edges = [np.zeros_like(fifth_N1), *(fifth_N1 + step * between_N1 for step in range(FIFTHS - 1)), count_N1]
    returns = []
    for low_N1, high_N1 in itertools.pairwise(edges):
        inside_NS = np.clip(np.minimum(below_NS + same_NS, high_N1) - np.maximum(below_NS, low_N1), 0.0, None)
        share_NS = np.where(judged_NS, inside_NS / np.where(judged_NS, same_NS, 1.0), 0.0)
        size_N = (high_N1 - low_N1)[:, 0]
        # Of two stocks none lies between.
        returns.append((share_NS * excess_NS).sum(axis=1) / np.where(size_N > 0.0, size_N, 1.0))
    return np.asarray(BPS / horizon * np.stack(returns, axis=1), dtype=np.float64)


def fifth_returns(
    returns_NK: Floats, dates_N: NDArray[np.datetime64], *, block: int, params: EvaluationParams, seed: int
) -> FifthReturns:
    """Average daily returns by fifths over the days, with intervals by the block bootstrap."""
    means = [float(mean) for mean in returns_NK.mean(axis=0)]
    intervals = resampled_intervals(
        lambda weights_DN: weights_DN @ returns_NK / len(returns_NK),
        list(means),
        days=len(returns_NK),
        block=block,
        draws=params.bootstrap_draws,
        confidence=params.confidence,
        seed=seed,
    )
    return FifthReturns(
        means=tuple(means), intervals=tuple(intervals), dates_N=dates_N, spread_N=returns_NK[:, -1] - returns_NK[:, 0]
    )


def _arrays(path: Path, rows: Any, model: str, dates_N: NDArray[np.datetime64]) -> tuple[Floats, Floats]:
    """Return (score_DS, return_DS) of the rows of one model, NaN where a stock is no member or has no label."""
    symbol = rows["symbol"].astype(str)
    wide = rows.assign(symbol=symbol).pivot(index="date", columns="symbol", values=["score", "return"])
    if not np.array_equal(wide.index.to_numpy().astype("datetime64[D]"), dates_N):
        raise WorkFailed(f"{path}: {model} does not have each of the {dates_N.size} test days; {_AGAIN}")
    return wide["score"].to_numpy(dtype=np.float64), wide["return"].to_numpy(dtype=np.float64)
