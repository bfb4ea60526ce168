"""The registered model `scaling-law`: loss = C * N^-alpha of a horizon, with the interval of a new rung.

MLflow stores a copy of this file in the model and runs it wherever the model is loaded, so it needs
mlflow, numpy and pandas only, and no other module of tsladder.
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
    """Predicts from scaling.json, the artifact `scaling`."""

    def load_context(self, context: PythonModelContext) -> None:
        record = json.loads(Path(context.artifacts["scaling"]).read_text(encoding="utf-8"))
        self.laws: dict[str, Any] = record["horizons"]

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Columns `loss, lower, upper` for the rows' `n_params` (parameters) and `horizon` (days).

        Rows of a horizon without a power fit are NaN. ValueError for a horizon that was not studied, a
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
    """Loss and prediction interval (rows x 3) of one more rung at each log parameter count.

    The interval of the slope, half = t * s / sqrt(Sxx), gives t * s back; a new observation of a straight
    line deviates by t * s * sqrt(1 + 1/R + (x - mean)^2 / Sxx) (any text on linear regression).
    """
    power = law["fits"]["power"]
    log_r = np.log([point["n_params"] for point in law["points"] if not point.get("dropped")])
    distances = log_r - log_r.mean()
    spread = float(distances @ distances)
    low, high = power["alpha_ci"]
    half = (high - low) / 2 * np.sqrt(spread * (1 + 1 / len(log_r)) + (log_n - log_r.mean()) ** 2)
    line = np.log(power["C"]) - power["alpha"] * log_n
    band: NDArray[np.float64] = np.exp(np.column_stack([line, line - half, line + half]))
    return band


mlflow.models.set_model(ScalingLaw())
