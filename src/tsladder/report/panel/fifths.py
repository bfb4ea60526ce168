"""Mean return of the stocks by fifths of their scores: whether the top pays, the bottom costs, and those between lie
between."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
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


@dataclass(frozen=True, kw_only=True, slots=True)
class FifthReturns:
    """Mean returns by fifths of the scores, lowest scores first, with their intervals over days. They are in basis
    points a day, less the mean of all stocks of the day."""

    means: tuple[float, ...]
    intervals: tuple[Interval | None, ...]


def read_fifths(
    path: Path, models: Mapping[str, tuple[str, ...]], days_N: NDArray[np.datetime64], horizon: int
) -> dict[str, Floats]:
    """Read scores_by_stock.parquet at `path` and return ranking -> its daily returns by fifths, see `daily_fifths`.

    `models`: ranking -> models of the table whose returns are averaged, such as the seeds of a cell. `days_N`: the days
    to read. Raises FileNotFoundError if the table does not exist, WorkFailed where it lacks a column, a model or a day.
    """
    import pandas as pd

    table = pd.read_parquet(path)
    if lacking := [name for name in _COLUMNS if name not in table.columns]:
        raise WorkFailed(f"{path} lacks the columns {', '.join(lacking)}; remove it and run `dvc repro`")
    table = table[table["date"].isin(days_N.astype("datetime64[s]"))]
    found = {}
    for name, own in models.items():
        series = [daily_fifths(*_arrays(path, table[table["model"] == model], model, days_N), horizon) for model in own]
        found[name] = np.mean(series, axis=0)
    return found


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
    returns_NK = []
    for low_N1, high_N1 in itertools.pairwise(edges):
        share_NS = np.clip(np.minimum(below_NS + same_NS, high_N1) - np.maximum(below_NS, low_N1), 0.0, None)
        held_NS = np.where(judged_NS, share_NS / np.where(judged_NS, same_NS, 1.0), 0.0)
        size_N = np.maximum((high_N1 - low_N1)[:, 0], 1e-12)
        returns_NK.append((held_NS * excess_NS).sum(axis=1) / size_N)
    return np.asarray(BPS / horizon * np.stack(returns_NK, axis=1), dtype=np.float64)


def fifth_returns(returns_NK: Floats, *, block: int, params: EvaluationParams, seed: int) -> FifthReturns:
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
    return FifthReturns(means=tuple(means), intervals=tuple(intervals))


def _arrays(path: Path, rows: Any, model: str, days_N: NDArray[np.datetime64]) -> tuple[Floats, Floats]:
    """Return (score_NS, return_NS) of the rows of one model, NaN where a stock is no member or has no label."""
    if rows.empty:
        raise WorkFailed(f"{path} has no scores of {model} on the test days; remove it and run `dvc repro`")
    wide = rows.assign(symbol=rows["symbol"].astype(str)).pivot(
        index="date", columns="symbol", values=["score", "return"]
    )
    if not np.array_equal(wide.index.to_numpy().astype("datetime64[D]"), days_N):
        raise WorkFailed(
            f"{path}: {model} does not have each of the {days_N.size} test days; remove it and run `dvc repro`"
        )
    return wide["score"].to_numpy(dtype=np.float64), wide["return"].to_numpy(dtype=np.float64)
