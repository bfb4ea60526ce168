"""The port `Scoring`: baselines, scores and rows of predictions of a task, once its training labels are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.decision import ValidationChoices
from tsladder.evaluation.region import Known, RegionForecasts, Scores
from tsladder.params import EvaluationParams
from tsladder.vocabulary import Region

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class Scoring(Protocol):
    """How a task is scored, on one horizon's training labels."""

    @property
    def metric(self) -> str:
        """Name of the loss."""
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
