"""The port `Scoring`: baselines, scores and rows of predictions of a task, given its training labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.decision import ValidationChoices
from tsladder.evaluation.region import BaselineInputs, RegionForecasts, Scores
from tsladder.params import EvaluationParams
from tsladder.vocabulary import Region

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class Scoring(Protocol):
    """Scoring of a task, given the training labels of one horizon."""

    @property
    def metric(self) -> str:
        """Name of the loss."""
        ...

    @property
    def logged_metrics(self) -> tuple[str, ...]:
        """Further metrics of a region that are logged to the tracker."""
        ...

    def baselines(self, known: BaselineInputs, *, y_T: Floats, horizon: int) -> tuple[Forecast, ...]:
        """Compute the forecasts of all baselines; `y_T` and `horizon` as in `baselines.baselines`."""
        ...

    def fitted_baselines(self, known: BaselineInputs) -> tuple[Forecast, ...]:
        """Compute the forecasts of the baselines that see no labels but those of training."""
        ...

    def choose(self, validation: RegionForecasts) -> ValidationChoices | None:
        """Choose on the validation region what is applied to every other region; return None if there is nothing to
        choose."""
        ...

    def score(self, forecasts: RegionForecasts, params: EvaluationParams, choices: ValidationChoices | None) -> Scores:
        """Score the forecasts of one region."""
        ...

    def frame(self, region: Region, forecasts: RegionForecasts) -> pd.DataFrame:
        """Return the rows of predictions.parquet."""
        ...
