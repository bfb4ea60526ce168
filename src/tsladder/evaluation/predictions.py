"""The table predictions.parquet of a cell: what every model forecast on every day. Its writer and its strict reader."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.metrics import per_day_log_loss

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

SEED_PREFIX = "seed-"


def scored_on(dates_N: NDArray[np.datetime64], y_N: NDArray[np.number]) -> str:
    """Short fingerprint (12 hex digits of SHA-256) of the days scored on and of their labels: models with the same one
    can be compared, whatever they were shown."""
    found = hashlib.sha256(np.asarray(dates_N).astype("datetime64[D]").astype("<i8").tobytes())
    found.update(np.asarray(y_N).astype("<f4").tobytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DailyLosses:
    """Log losses of one model on the days of a region, in time order.

    `losses`: training seed -> loss_N. `fixed`: True for a forecast that no seed alters; its key is 0 and its spread
    over seeds is none.
    """

    name: str
    dates_N: NDArray[np.datetime64]
    y_N: NDArray[np.int8]
    losses: Mapping[int, Floats]
    fixed: bool = False

    @property
    def loss_N(self) -> Floats:
        """Averaged over the seeds."""
        return np.asarray(np.mean([loss for _, loss in sorted(self.losses.items())], axis=0), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Predictions:
    """One region of a cell's table: every model on the same days `dates_N`, with the labels `y_N`."""

    dates_N: NDArray[np.datetime64]
    y_N: NDArray[np.int8]
    losses: Mapping[str, Floats]

    def trained(self, name: str) -> DailyLosses:
        """The seeds of the cell, under the name `name`."""
        seeds = {
            int(model.removeprefix(SEED_PREFIX)): loss_N
            for model, loss_N in self.losses.items()
            if model.startswith(SEED_PREFIX)
        }
        return DailyLosses(name=name, dates_N=self.dates_N, y_N=self.y_N, losses=dict(sorted(seeds.items())))

    def baseline(self, name: str) -> DailyLosses:
        """Raises KeyError when there is no such baseline."""
        return DailyLosses(name=name, dates_N=self.dates_N, y_N=self.y_N, losses={0: self.losses[name]}, fixed=True)


def predictions_frame(
    region: str,
    y_N: NDArray[np.floating],
    dates_N: NDArray[np.datetime64],
    probabilities: Mapping[int, NDArray[np.floating]],
    forecasts: Sequence[Forecast],
) -> pd.DataFrame:
    """Long table, one row a window and model: date, region, model (`seed-<k>` or a baseline), label, probability,
    log_loss. Every figure of a region can be computed again from it.
    """
    import pandas as pd

    models = {f"{SEED_PREFIX}{k}": p_N for k, p_N in sorted(probabilities.items())}
    models |= {f.name: f.p_N for f in forecasts}
    parts = [
        pd.DataFrame(
            {
                "date": np.asarray(dates_N).astype("datetime64[s]"),
                "region": str(region),
                "model": model,
                "label": np.asarray(y_N).astype(np.int8),
                "probability": np.asarray(p_N, dtype=np.float64),
                "log_loss": per_day_log_loss(y_N, p_N),
            }
        )
        for model, p_N in models.items()
    ]
    return pd.concat(parts, ignore_index=True)


def read_predictions(path: Path, region: str, *, days: int | None = None) -> Predictions:
    """The region `region` of the table at `path`; `days`: how many it must have, where that is known.

    Raises WorkFailed, with one line a model, where a seed or a baseline misses days that another one has, has a day
    twice, has another label or a loss that is no number; and where the region, its seeds or some days lack altogether.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(path, columns=["date", "region", "model", "label", "log_loss"])
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro`") from None
    rows = table[table["region"] == region].sort_values("date", kind="stable")
    if not rows["model"].str.startswith(SEED_PREFIX).any():
        raise WorkFailed(f"{path} has no seed on {region}: run `dvc repro`")
    dates_N = np.unique(rows["date"].to_numpy().astype("datetime64[D]"))
    labels = rows.drop_duplicates("date")["label"].to_numpy(dtype=np.int8)
    losses: dict[str, Floats] = {}
    faults = []
    for model, of_model in rows.groupby("model"):
        own_N = of_model["date"].to_numpy().astype("datetime64[D]")
        loss_N = of_model["log_loss"].to_numpy(dtype=np.float64)
        if (fault := _fault(own_N, of_model["label"].to_numpy(), loss_N, dates_N, labels)) is not None:
            faults.append(f"{model} {fault}")
        losses[str(model)] = loss_N
    if days is not None and not faults and dates_N.size != days:
        faults.append(f"every model has {dates_N.size} of {days} days")
    if faults:
        raise WorkFailed(
            "\n".join([f"{path} is damaged on {region}; remove it and run `dvc repro`:", *(f"  - {f}" for f in faults)])
        )
    return Predictions(dates_N=dates_N, y_N=labels, losses=losses)


def _fault(
    own_N: NDArray[np.datetime64],
    labels_N: NDArray[np.integer],
    loss_N: Floats,
    dates_N: NDArray[np.datetime64],
    y_N: NDArray[np.int8],
) -> str | None:
    """What is wrong with the rows of one model, sorted by day, beside all days of its region and their labels."""
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
