"""The scores of forecasts of returns by one cell on one region: seeds, constants, baselines, intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.scores import Interval, Skill
from tsladder.evaluation.baselines import BASE_RATE, OWN_RATE, Forecast
from tsladder.evaluation.regression_intervals import return_intervals
from tsladder.evaluation.regression_metrics import (
    ReturnScores,
    TrainingReturns,
    mean_over_seeds,
    per_day_huber,
    score_returns,
)
from tsladder.evaluation.skill import stand, standard_error
from tsladder.params import EvaluationParams

_NO_VARIANCE = 1e-6
"""Range of the forecasts below which they count as constant, in standard deviations of the training labels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnRegionScores:
    """The scores of one cell on one region. Losses are mean Huber losses, errors in units of `scale`.

    positives, base_rate   windows whose return is above 0, and their share
    train_base_rate        that share among the training windows
    scale, train_mean      standard deviation and mean of the training labels, log returns
    own_mean               mean return of this region
    mean                   metrics averaged over the seeds
    huber_se               standard error of that mean loss over the seeds; None with one seed
    base_rate_loss         loss of the constant at the training mean
    own_rate_loss          loss of the constant at this region's own mean

    The other fields are those of `scores.RegionScores`.
    """

    windows: int
    positives: int
    base_rate: float
    train_base_rate: float
    scale: float
    train_mean: float
    own_mean: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    seeds: Mapping[int, ReturnScores]
    mean: ReturnScores
    intervals: Mapping[str, Interval | None]
    huber_se: float | None
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    baselines: Mapping[str, ReturnScores]
    skill_against: Mapping[str, Skill]
    beaten_by: tuple[str, ...]
    constant_predictor: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain data, keys sorted when written; the same scores always give the same text."""
        plain = dataclasses.asdict(self)
        plain["seeds"] = {str(seed): dataclasses.asdict(scores) for seed, scores in sorted(self.seeds.items())}
        plain["beaten_by"] = list(self.beaten_by)
        return plain


def score_return_region(
    *,
    y_N: NDArray[np.floating],
    dates_N: NDArray[np.datetime64],
    forecasts: Mapping[int, NDArray[np.floating]],
    baselines: Sequence[Forecast],
    training: TrainingReturns,
    fingerprint: str,
    params: EvaluationParams,
    seed: int,
) -> ReturnRegionScores:
    """Score the seeds of one cell on one region, all on the same windows `y_N`, `dates_N` (in time order).

    `forecasts`: training seed -> forecast return of each window. `baselines`: as `return_baselines()` gives them.
    `seed` starts the bootstrap.
    """
    y = np.asarray(y_N, dtype=np.float64)
    if not forecasts:
        raise ValueError("a region is scored with at least one trained seed")
    by_seed = dict(sorted(forecasts.items()))
    seeds = {k: score_returns(y, forecast_N, training) for k, forecast_N in by_seed.items()}
    own_mean = float(y.mean())
    standing = stand(
        [per_day_huber(y, forecast_N, training.scale) for forecast_N in by_seed.values()],
        constants={
            BASE_RATE: per_day_huber(y, np.full(y.size, training.mean), training.scale),
            OWN_RATE: per_day_huber(y, np.full(y.size, own_mean), training.scale),
        },
        baselines={f.name: per_day_huber(y, f.p_N, training.scale) for f in baselines},
        unvarying=all(float(np.ptp(f_N)) < _NO_VARIANCE * training.scale for f_N in by_seed.values()),
        params=params,
        seed=seed,
    )
    return ReturnRegionScores(
        windows=int(y.size),
        positives=int((y > 0.0).sum()),
        base_rate=float((y > 0.0).mean()),
        train_base_rate=training.share_up,
        scale=training.scale,
        train_mean=training.mean,
        own_mean=own_mean,
        first_day=str(dates_N[0].astype("datetime64[D]")),
        last_day=str(dates_N[-1].astype("datetime64[D]")),
        windows_fingerprint=fingerprint,
        seeds=seeds,
        mean=_mean_scores(list(seeds.values())),
        intervals=return_intervals(y, by_seed, training, params=params, seed=seed),
        huber_se=standard_error([scores.huber for scores in seeds.values()]),
        base_rate_loss=standing.base_rate_loss,
        own_rate_loss=standing.own_rate_loss,
        stricter=standing.stricter,
        skill=standing.skill,
        advantage=standing.advantage,
        baselines={f.name: score_returns(y, f.p_N, training) for f in baselines},
        skill_against=standing.skill_against,
        beaten_by=standing.beaten_by,
        constant_predictor=standing.constant_predictor,
    )


def _mean_scores(scores: Sequence[ReturnScores]) -> ReturnScores:
    """Average the metrics over the seeds; None where a metric is undefined for one of them."""
    return ReturnScores(
        huber=float(np.mean([one.huber for one in scores])),
        ic=mean_over_seeds(scores, "ic"),
        pearson=mean_over_seeds(scores, "pearson"),
        r2=mean_over_seeds(scores, "r2"),
        sign_hit_rate=mean_over_seeds(scores, "sign_hit_rate"),
        rmse=float(np.mean([one.rmse for one in scores])),
    )
