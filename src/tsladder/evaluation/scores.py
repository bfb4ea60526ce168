"""The scores of one cell on one region, whatever its task: seeds, constants, baselines, intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.record import Inline, Record, Unstored, json_of
from tsladder.artifacts.scores import Interval, Skill
from tsladder.evaluation.baselines import BASE_RATE, OWN_RATE
from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.skill import skill_scores, standard_error
from tsladder.params import EvaluationParams

Floats = NDArray[np.float64]

M = TypeVar("M", bound=Record)
"""Metrics of one forecast."""
F = TypeVar("F", bound=Record)
"""Figures of a region that only one kind of task has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionScores(Generic[M, F]):
    """The scores of one cell on one region.

    positives, base_rate   windows whose label is above 0, and their share
    train_base_rate        that share among the training windows
    seeds, mean            metrics of each training seed, and averaged over the seeds
    metric                 name of the loss among the metrics
    loss_se                standard error of the mean loss over the seeds; None with one seed
    base_rate_loss         loss of the constant known from training
    own_rate_loss          loss of the constant at the mean of this region's own labels
    baselines              metrics of each baseline on the same windows
    intervals              metric -> interval over days of the mean over seeds
    of_task                figures that only this kind of task has

    The other fields are those of `skill.SkillScores`.
    """

    windows: int
    positives: int
    base_rate: float
    train_base_rate: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    seeds: Mapping[int, M]
    mean: M
    metric: Annotated[str, Unstored()]
    loss_se: Annotated[float | None, Unstored()]
    intervals: Mapping[str, Interval | None]
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    baselines: Mapping[str, M]
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool
    of_task: Annotated[F, Inline()]

    def to_json(self) -> dict[str, Any]:
        """Return plain data: the keys of `of_task` stand beside the others, and `loss_se` is named after the loss."""
        return json_of(self) | {f"{self.metric}_se": self.loss_se}


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure(Generic[M]):
    """Measures of one forecast on one region: arguments are the labels and the forecast of each window.

    metric        name of the loss
    daily_loss    loss of each window
    metrics       all metrics
    least_range   range of a seed's forecasts below which they count as constant
    """

    metric: str
    daily_loss: Callable[[Floats, NDArray[np.floating]], Floats]
    metrics: Callable[[Floats, NDArray[np.floating]], M]
    least_range: float


def labels_of(made: RegionForecasts) -> Floats:
    """Return the labels of a region to be scored. Raises ValueError if no seed was trained."""
    if not made.by_seed:
        raise ValueError("a region is scored with at least one trained seed")
    return np.asarray(made.y_N, dtype=np.float64)


def score_region(
    made: RegionForecasts,
    measure: Measure[M],
    *,
    constant: float,
    train_base_rate: float,
    intervals: Mapping[str, Interval | None],
    of_task: F,
    params: EvaluationParams,
) -> RegionScores[M, F]:
    """Score the seeds of one cell on one region, all on the same windows, which are in time order.

    `constant`: the forecast of the constant known from training, for a loss of squares or logarithms the mean of its
    labels. The other constant is the mean of the region's own labels.
    """
    y, measured = labels_of(made), measure.metrics
    constants = {BASE_RATE: np.full(y.size, constant), OWN_RATE: np.full(y.size, float(y.mean()))}
    by_seed = dict(sorted(made.by_seed.items()))
    seeds = {number: measured(y, forecast_N) for number, forecast_N in by_seed.items()}
    skills = skill_scores(
        [measure.daily_loss(y, forecast_N) for forecast_N in by_seed.values()],
        constants={name: measure.daily_loss(y, forecast_N) for name, forecast_N in constants.items()},
        baselines={baseline.name: measure.daily_loss(y, baseline.p_N) for baseline in made.baselines},
        unvarying=all(float(np.ptp(forecast_N)) < measure.least_range for forecast_N in by_seed.values()),
        params=params,
        seed=made.seed,
    )
    return RegionScores(
        windows=int(y.size),
        positives=int((y > 0.0).sum()),
        base_rate=float((y > 0.0).mean()),
        train_base_rate=float(train_base_rate),
        first_day=str(made.dates_N[0].astype("datetime64[D]")),
        last_day=str(made.dates_N[-1].astype("datetime64[D]")),
        windows_fingerprint=made.fingerprint,
        seeds=seeds,
        mean=_mean(list(seeds.values())),
        metric=measure.metric,
        loss_se=standard_error([getattr(scores, measure.metric) for scores in seeds.values()]),
        intervals=intervals,
        base_rate_loss=skills.base_rate_loss,
        own_rate_loss=skills.own_rate_loss,
        stricter=skills.stricter,
        skill=skills.skill,
        advantage=skills.advantage,
        baselines={baseline.name: measured(y, baseline.p_N) for baseline in made.baselines},
        skill_against=skills.skill_against,
        beaten_by=skills.beaten_by,
        constant_predictor=skills.constant_predictor,
        of_task=of_task,
    )


def mean_over_seeds(scores: Sequence[Record], name: str) -> float | None:
    """Average the metric `name` over the seeds; None where it is undefined for one of them."""
    values = [getattr(one, name) for one in scores]
    return None if None in values else float(np.mean(values))


def _mean(scores: Sequence[M]) -> M:
    names = [field.name for field in dataclasses.fields(scores[0])]
    return dataclasses.replace(scores[0], **{name: mean_over_seeds(scores, name) for name in names})
