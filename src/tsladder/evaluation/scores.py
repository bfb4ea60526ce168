"""The scores of one cell's classifiers on one region: seeds, constants, baselines, intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval, ReliabilityBin, Skill, Temperature, ThresholdDecision
from tsladder.evaluation.baselines import BASE_RATE, OWN_RATE, Forecast
from tsladder.evaluation.calibration import (
    expected_calibration_error,
    reliability,
    scored_at,
)
from tsladder.evaluation.decision import ValidationChoices, decide
from tsladder.evaluation.intervals import metric_intervals
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.evaluation.skill import stand, standard_error
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]

_NO_VARIANCE = 1e-6


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
class RegionScores:
    """The scores of one cell on one region. Losses are mean log losses in nats.

    mean               metrics averaged over the seeds
    log_loss_se        standard error of that mean over the seeds; None with one seed
    base_rate_loss     loss of the constant at the training region's positive rate
    own_rate_loss      loss of the constant at this region's own positive rate
    baselines          metrics of each baseline on the same windows
    intervals          metric -> interval over days of the mean over seeds; see `metric_intervals`
    reliability        mean forecast and observed rate in ten bins of the forecasts, the seeds pooled
    decision           the threshold chosen on validation, applied here; None where there is no threshold
    temperature        the temperature fitted on validation, applied here; no other figure uses it

    The other fields are those of `skill.Standing`.
    """

    windows: int
    positives: int
    base_rate: float
    train_base_rate: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    seeds: Mapping[int, ForecastScores]
    mean: ForecastScores
    intervals: Mapping[str, Interval | None]
    log_loss_se: float | None
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    baselines: Mapping[str, ForecastScores]
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool
    reliability: tuple[ReliabilityBin, ...]
    decision: ThresholdDecision | None
    temperature: Temperature | None

    def to_json(self) -> dict[str, Any]:
        """Return plain data, keys sorted when written; the same scores always give the same text."""
        plain = dataclasses.asdict(self)
        plain["seeds"] = {str(seed): dataclasses.asdict(scores) for seed, scores in sorted(self.seeds.items())}
        plain["baselines"] = {name: dataclasses.asdict(scores) for name, scores in self.baselines.items()}
        plain["beaten_by"] = list(self.beaten_by)
        plain["reliability"] = list(plain["reliability"])
        return plain


def score_region(
    *,
    y_N: NDArray[np.floating],
    dates_N: NDArray[np.datetime64],
    probabilities: Mapping[int, NDArray[np.floating]],
    forecasts: Sequence[Forecast],
    train_rate: float,
    fingerprint: str,
    params: EvaluationParams,
    seed: int,
    choices: ValidationChoices | None = None,
) -> RegionScores:
    """Score the seeds of one cell on one region, all on the same windows `y_N`, `dates_N` (in time order).

    `probabilities`: training seed -> probability of each window. `forecasts`: as `baselines()` gives them.
    `train_rate`: the training region's positive rate. `seed` starts the bootstrap. `choices`: the result of
    `choose_on_validation`; without it there is no decision and no temperature.
    """
    y = np.asarray(y_N, dtype=np.float64)
    if not probabilities:
        raise ValueError("a region is scored with at least one trained seed")
    own_rate = float(y.mean())
    constants = {
        BASE_RATE: per_day_log_loss(y, np.full(y.size, train_rate)),
        OWN_RATE: per_day_log_loss(y, np.full(y.size, own_rate)),
    }
    by_seed = dict(sorted(probabilities.items()))
    seeds = {k: score_forecast(y, p_N) for k, p_N in by_seed.items()}
    standing = stand(
        [per_day_log_loss(y, p_N) for p_N in by_seed.values()],
        constants=constants,
        baselines={f.name: per_day_log_loss(y, f.p_N) for f in forecasts},
        unvarying=all(float(np.ptp(p_N)) < _NO_VARIANCE for p_N in by_seed.values()),
        params=params,
        seed=seed,
    )
    return RegionScores(
        windows=int(y.size),
        positives=int(y.sum()),
        base_rate=own_rate,
        train_base_rate=float(train_rate),
        first_day=str(dates_N[0].astype("datetime64[D]")),
        last_day=str(dates_N[-1].astype("datetime64[D]")),
        windows_fingerprint=fingerprint,
        seeds=seeds,
        mean=_mean_scores(list(seeds.values())),
        intervals=metric_intervals(y, probabilities, params=params, seed=seed),
        log_loss_se=standard_error([scores.log_loss for scores in seeds.values()]),
        base_rate_loss=standing.base_rate_loss,
        own_rate_loss=standing.own_rate_loss,
        stricter=standing.stricter,
        skill=standing.skill,
        advantage=standing.advantage,
        baselines={f.name: score_forecast(y, f.p_N) for f in forecasts},
        skill_against=standing.skill_against,
        beaten_by=standing.beaten_by,
        constant_predictor=standing.constant_predictor,
        reliability=reliability(y, probabilities),
        decision=(
            None if choices is None or choices.threshold is None else decide(y, probabilities, choices.threshold)
        ),
        temperature=None if choices is None else scored_at(y, probabilities, choices.temperature),
    )


def score_forecast(y_N: NDArray[np.floating], p_N: NDArray[np.floating]) -> ForecastScores:
    """Compute all metrics of the probabilities `p_N` for the labels `y_N` (0 or 1)."""
    return ForecastScores(**dataclasses.asdict(score_classifier(y_N, p_N)), ece=expected_calibration_error(y_N, p_N))


def _mean_scores(scores: list[ForecastScores]) -> ForecastScores:
    def average(values: list[float | None]) -> float | None:
        defined = [value for value in values if value is not None]
        return float(np.mean(defined)) if len(defined) == len(values) else None

    return ForecastScores(
        log_loss=float(np.mean([s.log_loss for s in scores])),
        brier=float(np.mean([s.brier for s in scores])),
        auc=average([s.auc for s in scores]),
        average_precision=average([s.average_precision for s in scores]),
        ece=float(np.mean([s.ece for s in scores])),
    )
