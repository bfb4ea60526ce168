"""The two kinds of task, side by side: what is forecast of a window, and how it is judged.

Everything that asks which kind a study's task is asks here; behind `kind_of` nobody has to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval
from tsladder.evaluation.baselines import Forecast, LabelledWindows, baselines, fitted_baselines
from tsladder.evaluation.decision import ValidationChoices, choose_on_validation
from tsladder.evaluation.predictions import predictions_frame, return_predictions_frame
from tsladder.evaluation.regression_baselines import fitted_return_baselines, return_baselines
from tsladder.evaluation.regression_metrics import TrainingReturns
from tsladder.evaluation.regression_scores import score_return_region
from tsladder.evaluation.scores import score_region
from tsladder.params import EvaluationParams, TargetParams
from tsladder.vocabulary import Region

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RegionForecasts:
    """One region, ready to be scored: labels and days of its windows, what each training seed and each baseline
    forecast of them, and the seed of the bootstrap."""

    y_N: NDArray[np.floating]
    dates_N: NDArray[np.datetime64]
    fingerprint: str
    by_seed: Mapping[int, Floats]
    baselines: Sequence[Forecast]
    seed: int


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Known:
    """What baselines are fitted on and asked for.

    `close_T`: raw closes of the whole table, in which each symbol begins at one of `first_rows`. `ratio_*_NF`: the
    features of each window's last day under `ratio` normalisation, whatever the model itself is fed.
    """

    train: LabelledWindows
    scored: LabelledWindows
    close_T: NDArray[np.floating]
    ratio_train_NF: NDArray[np.floating]
    ratio_scored_NF: NDArray[np.floating]
    first_rows: Sequence[int] = (0,)


class Scores(Protocol):
    """What both kinds know of a region, beside metrics of their own."""

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


class Kind(Protocol):
    """A kind of task on one horizon's training labels."""

    @property
    def metric(self) -> str:
        """Name of the loss."""
        ...

    @property
    def output_scale(self) -> float | None:
        """What a model's raw output is multiplied by to be the forecast; None: it is a logit."""
        ...

    @property
    def shown(self) -> tuple[str, ...]:
        """Further metrics of a region that a tracker keeps."""
        ...

    def baselines(self, known: Known, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        """Every baseline's forecast; `y_T` and `horizon` as in `baselines.baselines`."""
        ...

    def fitted_baselines(self, known: Known) -> tuple[Forecast, ...]:
        """Those that see no label but training's."""
        ...

    def choose(self, validation: RegionForecasts) -> ValidationChoices | None:
        """What the validation region settles for every other one; None: nothing has to be settled."""
        ...

    def score(self, made: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        """One region."""
        ...

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        """The rows of predictions.parquet."""
        ...


def kind_of(target: TargetParams, train_y_N: NDArray[np.floating]) -> Kind:
    """`train_y_N`: labels of the training windows."""
    if target.regression:
        return Returns(metric=target.metric, training=TrainingReturns.of(train_y_N))
    return Classes(metric=target.metric, train_rate=float(np.mean(train_y_N)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Classes:
    """Two classes: a probability, judged by its log loss."""

    metric: str
    train_rate: float
    output_scale: None = None
    shown: tuple[str, ...] = ("brier", "auc", "average_precision", "ece")

    def baselines(self, known: Known, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return baselines(
            known.train, known.scored, known.close_T, *ratios, y_T=y_T, horizon=horizon, first_rows=known.first_rows
        )

    def fitted_baselines(self, known: Known) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return fitted_baselines(known.train, known.scored, known.close_T, *ratios, known.first_rows)

    def choose(self, validation: RegionForecasts) -> ValidationChoices:
        return choose_on_validation(validation.y_N, validation.by_seed)

    def score(self, made: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        return score_region(
            y_N=made.y_N,
            dates_N=made.dates_N,
            probabilities=made.by_seed,
            forecasts=made.baselines,
            train_rate=self.train_rate,
            fingerprint=made.fingerprint,
            params=params,
            seed=made.seed,
            choices=choices,
        )

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        return predictions_frame(region, forecasts.y_N, forecasts.dates_N, forecasts.by_seed, forecasts.baselines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Returns:
    """A log return, judged by its Huber loss."""

    metric: str
    training: TrainingReturns
    shown: tuple[str, ...] = ("ic", "pearson", "r2", "sign_hit_rate", "rmse")

    @property
    def output_scale(self) -> float:
        return self.training.scale

    def baselines(self, known: Known, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return return_baselines(known.train, known.scored, *ratios, y_T=y_T, horizon=horizon)

    def fitted_baselines(self, known: Known) -> tuple[Forecast, ...]:
        return fitted_return_baselines(known.train, known.scored, known.ratio_train_NF, known.ratio_scored_NF)

    def choose(self, validation: RegionForecasts) -> None:
        """A return is forecast as it is: it has no threshold and no temperature."""

    def score(self, made: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        return score_return_region(
            y_N=made.y_N,
            dates_N=made.dates_N,
            forecasts=made.by_seed,
            baselines=made.baselines,
            training=self.training,
            fingerprint=made.fingerprint,
            params=params,
            seed=made.seed,
        )

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        return return_predictions_frame(
            region, forecasts.y_N, forecasts.dates_N, forecasts.by_seed, forecasts.baselines, self.training.scale
        )
