"""The inputs of scoring one region, the inputs of its baselines, and the scores common to all tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.evaluation.baselines import Forecast, LabelledWindows

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RegionForecasts:
    """One region, ready to be scored: labels and days of its windows, the forecasts of each training seed and each
    baseline, and the seed of the bootstrap."""

    y_N: NDArray[np.floating]
    dates_N: NDArray[np.datetime64]
    fingerprint: str
    by_seed: Mapping[int, Floats]
    baselines: Sequence[Forecast]
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class BaselineInputs:
    """Inputs of the baselines: the windows to fit them on and the windows to forecast.

    `close_T`: raw closes of the whole table, in which each symbol begins at one of `first_rows`. `ratio_*_NF`: the
    features of each window's last day under `ratio` normalisation, whatever input the model itself gets.
    """

    train: LabelledWindows
    scored: LabelledWindows
    close_T: NDArray[np.floating]
    ratio_train_NF: NDArray[np.floating]
    ratio_scored_NF: NDArray[np.floating]
    first_rows: Sequence[int] = (0,)


class Scores(Protocol):
    """The scores of a region that every task has, besides metrics of its own."""

    @property
    def windows(self) -> int: ...
    @property
    def positives(self) -> int: ...
    @property
    def base_rate(self) -> float: ...
    @property
    def first_day(self) -> str: ...
    @property
    def last_day(self) -> str: ...
    @property
    def stricter(self) -> str: ...
    @property
    def advantage(self) -> Interval: ...
    @property
    def intervals(self) -> Mapping[str, Interval | None]: ...
    @property
    def skill(self) -> float | None: ...
    @property
    def base_rate_loss(self) -> float: ...
    @property
    def own_rate_loss(self) -> float: ...
    @property
    def mean(self) -> Any: ...

    def to_json(self) -> dict[str, Any]: ...
