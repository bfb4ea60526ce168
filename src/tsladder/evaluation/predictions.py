"""The table predictions.parquet of a cell, every model's forecast for every day: its columns and its strict reader."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.metrics import per_day_log_loss
from tsladder.evaluation.regression_metrics import per_day_huber
from tsladder.vocabulary import HUBER, LOG_LOSS

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Labels = NDArray[np.integer] | NDArray[np.floating]
"""Labels of classes, or returns."""

SEED_PREFIX = "seed-"
COLUMNS = ("date", "region", "model", "label", "probability", "prediction")
"""Columns of a table of predictions, apart from the loss."""


def scored_on(dates_N: NDArray[np.datetime64], y_N: NDArray[np.number]) -> str:
    """Return a fingerprint (12 hex digits of SHA-256) of the scored days and their labels.

    Models with the same fingerprint can be compared, whatever inputs they had.
    """
    found = hashlib.sha256(np.asarray(dates_N).astype("datetime64[D]").astype("<i8").tobytes())
    found.update(np.asarray(y_N).astype("<f4").tobytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DailyLosses:
    """Losses of one model on the days of a region, in time order.

    `losses`: training seed -> loss_N; `metric`: name of the loss. `fixed`: True for a forecast that does not depend on
    a seed; its only key is 0, and it has no spread over seeds.
    """

    name: str
    dates_N: NDArray[np.datetime64]
    y_N: Labels
    losses: Mapping[int, Floats]
    fixed: bool = False
    metric: str = LOG_LOSS

    @property
    def loss_N(self) -> Floats:
        """Daily loss averaged over the seeds."""
        return np.asarray(np.mean([loss for _, loss in sorted(self.losses.items())], axis=0), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Predictions:
    """One region of a cell's table: every model on the same days `dates_N`, with the labels `y_N`."""

    dates_N: NDArray[np.datetime64]
    y_N: Labels
    losses: Mapping[str, Floats]
    metric: str

    def trained(self, name: str) -> DailyLosses:
        """Return the losses of the cell's seeds, under the name `name`."""
        seeds = {
            int(model.removeprefix(SEED_PREFIX)): loss_N
            for model, loss_N in self.losses.items()
            if model.startswith(SEED_PREFIX)
        }
        return self._of(name, dict(sorted(seeds.items())))

    def baseline(self, name: str) -> DailyLosses:
        """Return the losses of a baseline. Raises KeyError when there is no such baseline."""
        return self._of(name, {0: self.losses[name]}, fixed=True)

    def _of(self, name: str, losses: Mapping[int, Floats], *, fixed: bool = False) -> DailyLosses:
        return DailyLosses(
            name=name, dates_N=self.dates_N, y_N=self.y_N, losses=losses, fixed=fixed, metric=self.metric
        )


def predictions_frame(
    region: str,
    y_N: NDArray[np.floating],
    dates_N: NDArray[np.datetime64],
    probabilities: Mapping[int, NDArray[np.floating]],
    forecasts: Sequence[Forecast],
) -> pd.DataFrame:
    """Build a long table with one row for each window and model, from which every figure of a region can be recomputed.

    Columns: date, region, model (`seed-<k>` or a baseline), label, probability, log_loss.
    """
    return frame_of(
        region,
        dates_N,
        np.asarray(y_N).astype(np.int8),
        by_model(probabilities, forecasts),
        forecast="probability",
        metric=LOG_LOSS,
        loss=lambda p_N: per_day_log_loss(y_N, p_N),
    )


def return_predictions_frame(
    region: str,
    y_N: NDArray[np.floating],
    dates_N: NDArray[np.datetime64],
    forecasts: Mapping[int, NDArray[np.floating]],
    baselines: Sequence[Forecast],
    scale: float,
) -> pd.DataFrame:
    """Build the same table for returns: date, region, model, label (the return), prediction, huber.

    `scale`: unit of the loss.
    """
    return frame_of(
        region,
        dates_N,
        np.asarray(y_N, dtype=np.float64),
        by_model(forecasts, baselines),
        forecast="prediction",
        metric=HUBER,
        loss=lambda forecast_N: per_day_huber(y_N, forecast_N, scale),
    )


def by_model(by_seed: Mapping[int, NDArray[np.floating]], baselines: Sequence[Forecast]) -> dict[str, Floats]:
    """Return the forecasts by model, named as in the table."""
    models = {f"{SEED_PREFIX}{k}": np.asarray(p_N, dtype=np.float64) for k, p_N in sorted(by_seed.items())}
    return models | {f.name: np.asarray(f.p_N, dtype=np.float64) for f in baselines}


def frame_of(
    region: str,
    dates_N: NDArray[np.datetime64],
    labels_N: Labels,
    forecasts: Mapping[str, Floats],
    *,
    forecast: str,
    metric: str,
    loss: Callable[[Floats], Floats],
) -> pd.DataFrame:
    """Build the table of `forecasts`, by model.

    `forecast`: name of their column, "probability" or "prediction"; `metric`: name of the column of their `loss`.
    """
    import pandas as pd

    days = {"date": np.asarray(dates_N).astype("datetime64[s]"), "region": str(region)}
    parts = [
        pd.DataFrame({**days, "model": model, "label": labels_N, forecast: forecast_N, metric: loss(forecast_N)})
        for model, forecast_N in forecasts.items()
    ]
    return pd.concat(parts, ignore_index=True)


def read_predictions(path: Path, region: str, *, days: int | None = None) -> Predictions:
    """Read the region `region` of the table at `path`.

    `days`: number of days that the region must have, where known. Raises WorkFailed, with one line per model, where a
    seed or a baseline misses days that another one has, has a day twice, has another label or a loss that is no number;
    and where the region, its seeds or some days are missing altogether.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro`") from None
    metric = loss_column(table)
    rows = table[table["region"] == region].sort_values("date", kind="stable")
    if not rows["model"].str.startswith(SEED_PREFIX).any():
        raise WorkFailed(f"{path} has no seed on {region}: run `dvc repro`")
    dates_N = np.unique(rows["date"].to_numpy().astype("datetime64[D]"))
    labels = rows.drop_duplicates("date")["label"].to_numpy()
    losses: dict[str, Floats] = {}
    faults = []
    for model, of_model in rows.groupby("model"):
        own_N = of_model["date"].to_numpy().astype("datetime64[D]")
        loss_N = of_model[metric].to_numpy(dtype=np.float64)
        if (fault := _fault(own_N, of_model["label"].to_numpy(), loss_N, dates_N, labels)) is not None:
            faults.append(f"{model} {fault}")
        losses[str(model)] = loss_N
    if days is not None and not faults and dates_N.size != days:
        faults.append(f"every model has {dates_N.size} of {days} days")
    if faults:
        raise WorkFailed(
            "\n".join([f"{path} is damaged on {region}; remove it and run `dvc repro`:", *(f"  - {f}" for f in faults)])
        )
    return Predictions(dates_N=dates_N, y_N=labels, losses=losses, metric=metric)


def loss_column(table: pd.DataFrame) -> str:
    """Return the name of the loss in a table of predictions, the one column not in COLUMNS.

    Raises WorkFailed where there is none.
    """
    for column in table.columns:
        if column not in COLUMNS:
            return str(column)
    raise WorkFailed("a table of predictions has no column of losses: remove it and run `dvc repro`")


def _fault(
    own_N: NDArray[np.datetime64],
    labels_N: Labels,
    loss_N: Floats,
    dates_N: NDArray[np.datetime64],
    y_N: Labels,
) -> str | None:
    """Return the first fault in the rows of one model, sorted by day, compared with all days and labels of its region;
    None for sound rows."""
    twice = own_N[1:][own_N[1:] == own_N[:-1]]
    if twice.size:
        return f"has {twice[0]} twice"
    missing = np.setdiff1d(dates_N, own_N)
    if missing.size:
        return f"has {own_N.size} of {dates_N.size} days, the first missing one is {missing[0]}"
    if not np.isfinite(loss_N).all():
        return f"has a loss that is no number on {own_N[~np.isfinite(loss_N)][0]}"
    if (labels_N != y_N).any():
        return f"has another label than the other models on {own_N[labels_N != y_N][0]}"
    return None
