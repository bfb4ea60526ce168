"""Daily figures of every ranking, as predictions.parquet of a panel study has them: its strict reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed
from tsladder.ranking.metrics import BPS
from tsladder.ranking.ranks import Floats

_FIGURES = ("rank_ic", "gross_return", "traded")
_AGAIN = "remove it and run `dvc repro baselines`"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DailyFigures:
    """Figures of one ranking on the N scored days of a region, in time order.

    rank_ic_N       rank IC
    gross_return_N  simple return of its portfolio before costs
    traded_N        sum over stocks of the absolute change of weight, in units of the capital
    """

    dates_N: NDArray[np.datetime64]
    rank_ic_N: Floats
    gross_return_N: Floats
    traded_N: Floats

    def net_return_N(self, cost_bps: float) -> Floats:
        """Simple return after `cost_bps` basis points of all that is traded."""
        return self.gross_return_N - cost_bps / BPS * self.traded_N


def read_daily_figures(path: Path, region: str) -> dict[str, DailyFigures]:
    """Read the rows of `region` in the table at `path`: model -> its figures, all on the same days.

    Raises FileNotFoundError if the table does not exist; WorkFailed where it lacks a column or the region, and where a
    model misses a day of another one, has a day twice or a figure that is no number.
    """
    import pandas as pd

    table = pd.read_parquet(path)
    if lacking := [name for name in ("date", "region", "model", *_FIGURES) if name not in table.columns]:
        raise WorkFailed(f"{path} lacks the columns {', '.join(lacking)}; {_AGAIN}")
    rows = table[table["region"] == region].sort_values("date", kind="stable")
    if rows.empty:
        raise WorkFailed(f"{path} has no day of the region {region}; {_AGAIN}")
    days = np.unique(rows["date"].to_numpy().astype("datetime64[D]"))
    found = {}
    for model, own in rows.groupby("model", sort=False):
        dates_N = own["date"].to_numpy().astype("datetime64[D]")
        if not np.array_equal(dates_N, days):
            raise WorkFailed(f"{path}: {model} does not have each of the {days.size} days of {region} once; {_AGAIN}")
        figures = {name: own[name].to_numpy(dtype=np.float64) for name in _FIGURES}
        for name, values_N in figures.items():
            if not np.isfinite(values_N).all():
                day = dates_N[~np.isfinite(values_N)][0]
                raise WorkFailed(f"{path}: {name} of {model} on {day} is no number; {_AGAIN}")
        found[str(model)] = DailyFigures(
            dates_N=dates_N,
            rank_ic_N=figures["rank_ic"],
            gross_return_N=figures["gross_return"],
            traded_N=figures["traded"],
        )
    return found
