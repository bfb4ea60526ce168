"""The scores of forecasts of two classes on one region: metrics, reliability, decision, temperature."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import ReliabilityBin, Temperature, ThresholdDecision
from tsladder.evaluation.calibration import expected_calibration_error, reliability, scored_at
from tsladder.evaluation.decision import ValidationChoices, decide
from tsladder.evaluation.intervals import metric_intervals
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.scores import Measure, RegionScores, labels_of, score_region
from tsladder.params import EvaluationParams
from tsladder.vocabulary import LOG_LOSS


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastScores:
    """Metrics of one forecast of classes. `auc` and `average_precision` are None where only one class occurs. `ece`:
    see `calibration`."""

    log_loss: float
    brier: float
    auc: float | None
    average_precision: float | None
    ece: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassFigures:
    """Figures of a region that only probabilities have.

    reliability        mean forecast and observed rate in ten bins of the forecasts, the seeds pooled
    decision           the threshold chosen on validation, applied here; None where there is no threshold
    temperature        the temperature fitted on validation, applied here; no other figure uses it
    """

    reliability: tuple[ReliabilityBin, ...]
    decision: ThresholdDecision | None
    temperature: Temperature | None


ClassScores = RegionScores[ForecastScores, ClassFigures]


def score_class_region(
    made: RegionForecasts, *, train_rate: float, params: EvaluationParams, choices: ValidationChoices | None = None
) -> ClassScores:
    """Score the probabilities of one cell on one region by their mean log loss, in nats.

    `train_rate`: the training region's positive rate. `choices`: the result of `choose_on_validation`; without it there
    is no decision and no temperature. Raises ValueError if no seed was trained.
    """
    y, probabilities = labels_of(made), made.by_seed
    measure = Measure(metric=LOG_LOSS, daily_loss=per_day_log_loss, metrics=score_forecast, least_range=1e-6)
    decided = None if choices is None or choices.threshold is None else decide(y, probabilities, choices.threshold)
    return score_region(
        made,
        measure,
        constant=train_rate,
        train_base_rate=train_rate,
        intervals=metric_intervals(y, probabilities, params=params, seed=made.seed),
        of_task=ClassFigures(
            reliability=reliability(y, probabilities),
            decision=decided,
            temperature=None if choices is None else scored_at(y, probabilities, choices.temperature),
        ),
        params=params,
    )


def score_forecast(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> ForecastScores:
    """Compute all metrics of the probabilities `p_N` for the labels `y_N` (0 or 1)."""
    return ForecastScores(**dataclasses.asdict(score_classifier(y_N, p_N)), ece=expected_calibration_error(y_N, p_N))
