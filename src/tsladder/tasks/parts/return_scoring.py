"""Scoring of forecasts of a log return by their Huber loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.decision import ValidationChoices
from tsladder.evaluation.predictions import return_predictions_frame
from tsladder.evaluation.region import BaselineInputs, RegionForecasts, Scores
from tsladder.evaluation.regression_baselines import fitted_return_baselines, return_baselines
from tsladder.evaluation.regression_metrics import TrainingReturns
from tsladder.evaluation.regression_scores import score_return_region
from tsladder.params import EvaluationParams
from tsladder.vocabulary import HUBER, Region

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnScoring:
    """Scoring of a task of returns. `training`: statistics of the training labels."""

    training: TrainingReturns
    metric: str = HUBER
    logged_metrics: tuple[str, ...] = ("ic", "pearson", "r2", "sign_hit_rate", "rmse")

    @classmethod
    def of(cls, y_train_N: NDArray[np.floating]) -> ReturnScoring:
        return cls(training=TrainingReturns.of(y_train_N))

    def baselines(self, known: BaselineInputs, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return return_baselines(known.train, known.scored, *ratios, y_T=y_T, horizon=horizon)

    def fitted_baselines(self, known: BaselineInputs) -> tuple[Forecast, ...]:
        return fitted_return_baselines(known.train, known.scored, known.ratio_train_NF, known.ratio_scored_NF)

    def choose(self, validation: RegionForecasts) -> None:
        """Return None: a return is forecast as it is, without threshold and temperature."""

    def score(self, forecasts: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        return score_return_region(forecasts, training=self.training, params=params)

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        return return_predictions_frame(
            region, forecasts.y_N, forecasts.dates_N, forecasts.by_seed, forecasts.baselines, self.training.scale
        )
