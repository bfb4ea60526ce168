"""Scoring of forecasts of two classes: probabilities, by their log loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import Forecast, baselines, fitted_baselines
from tsladder.evaluation.class_scores import score_class_region
from tsladder.evaluation.decision import ValidationChoices, choose_on_validation
from tsladder.evaluation.predictions import predictions_frame
from tsladder.evaluation.region import BaselineInputs, RegionForecasts, Scores
from tsladder.params import EvaluationParams
from tsladder.vocabulary import LOG_LOSS, Region

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassScoring:
    """Scoring of a task of two classes. `train_rate`: share of 1 among the training labels."""

    train_rate: float
    metric: str = LOG_LOSS
    logged_metrics: tuple[str, ...] = ("brier", "auc", "average_precision", "ece")

    @classmethod
    def of(cls, y_train_N: NDArray[np.floating]) -> ClassScoring:
        return cls(train_rate=float(np.mean(y_train_N)))

    def baselines(self, known: BaselineInputs, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return baselines(
            known.train, known.scored, known.close_T, *ratios, y_T=y_T, horizon=horizon, first_rows=known.first_rows
        )

    def fitted_baselines(self, known: BaselineInputs) -> tuple[Forecast, ...]:
        ratios = known.ratio_train_NF, known.ratio_scored_NF
        return fitted_baselines(known.train, known.scored, known.close_T, *ratios, known.first_rows)

    def choose(self, validation: RegionForecasts) -> ValidationChoices:
        return choose_on_validation(validation.y_N, validation.by_seed)

    def score(self, forecasts: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        return score_class_region(forecasts, train_rate=self.train_rate, params=params, choices=choices)

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        return predictions_frame(region, forecasts.y_N, forecasts.dates_N, forecasts.by_seed, forecasts.baselines)
