"""Registered model `scaling-law`: loss = C * N^-alpha of a horizon, with the interval of a new rung on the scored test
days.

The model is the power law whatever functional form the rungs support: where that is another (`model_choice` in
scaling.json), the model must not be used for sizes beyond the ladder.

MLflow stores a copy of this file in the model and runs it wherever the model is loaded, so it needs mlflow, numpy and
pandas only, and no other module of tsladder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray


class ScalingLaw(PythonModel):
    """MLflow model that predicts from scaling.json, the artifact `scaling`."""

    def load_context(self, context: PythonModelContext) -> None:
        record = json.loads(Path(context.artifacts["scaling"]).read_text(encoding="utf-8"))
        self.laws: dict[str, Any] = record["horizons"]

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return the columns `loss, lower, upper` for the rows' `n_params` (parameters) and `horizon` (days).

        Rows of a horizon without a power-law fit are NaN. Raises ValueError for a horizon that was not studied, a
        missing column, or a parameter count that is not a positive number.
        """
        missing = {"n_params", "horizon"} - set(model_input.columns)
        if missing:
            raise ValueError(
                f"scaling-law needs the columns n_params and horizon; missing: {', '.join(sorted(missing))}"
            )
        n_params = pd.to_numeric(model_input["n_params"]).to_numpy(dtype=float)
        horizons = pd.to_numeric(model_input["horizon"]).to_numpy(dtype=float)
        if not np.all(np.isfinite(n_params) & (n_params > 0)):
            raise ValueError("n_params must be a positive count of parameters in every row")
        bands = np.full((len(n_params), 3), np.nan)
        for horizon in np.unique(horizons):
            law = self.laws.get(f"{horizon:g}")
            if law is None:
                raise ValueError(f"horizon {horizon:g} was not studied; known: {', '.join(self.laws)}")
            if law["fits"].get("power") is not None:
                rows = horizons == horizon
                bands[rows] = _band(law, np.log(n_params[rows]))
        return pd.DataFrame(bands, columns=["loss", "lower", "upper"], index=model_input.index)


def _band(law: Mapping[str, Any], log_n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return loss and prediction interval (rows x 3) of one more rung at each log parameter count.

    A new observation of a straight line, here a rung of mean weight, deviates by t * s * sqrt(1 + 1/R + (x - mean)^2 /
    Sxx) (any text on linear regression); Sxx is the weighted sum of squared deviations of log N.
    """
    power = law["fits"]["power"]
    distance = log_n - np.log(power["reference_n"])
    variance = 1.0 + 1.0 / power["n_rungs"] + distance**2 / power["log_n_spread"]
    half = power["t_critical"] * power["residual_sd"] * np.sqrt(variance)
    line = np.log(power["loss_at_reference"]) - power["alpha"] * distance
    band: NDArray[np.float64] = np.exp(np.column_stack([line, line - half, line + half]))
    return band


mlflow.models.set_model(ScalingLaw())
