"""Estimate the remaining time of trainings, with an interval. Pure.

The remainder of a cell is a number of trainings, each of about as many seconds as the others, and a short time for each
stage before and between them.

- Trials of this question have ended: a training takes the mean of their seconds. Retraining takes the mean of the seeds
  that have ended, else that of the trials, whose winner it trains; where trials walked forward, that of their last
  folds.
- No trial has ended: a training takes what `tsladder plan` forecasts for the rung's models on this machine; unknown
  without a forecast.

A running training counts for its remaining part: of the trials that took longer than it has been running, the mean of
their excess over that time; where none took longer, its remaining epochs at its own pace. Trainings of a search run
side by side on as many workers as the last trial says, those of the seeds on as many as there are seeds at most.

The interval: from FEWEST_FOR_SCATTER trials on, Student's 90 % prediction interval for the sum of the remaining
seconds, under the standard deviation s of those that ended: t * s * sqrt(n + n^2 / k) for n to come after k. Before
that a factor of two either way; for a forecast at least up to its time without early stopping. Stages that run again
only if one before them leaves something else count in the estimate and its upper end, and not in the lower one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tsladder.planning.duration import CELL_SECONDS

FEWEST_FOR_SCATTER = 3
UNKNOWN_FACTOR = 2.0
COVERAGE = 0.90

STAGES = ("hpo", "train", "evaluate")
OWN_SECONDS = CELL_SECONDS / len(STAGES)
"""Seconds that a stage takes in addition to its trainings."""


class RunningTraining(Protocol):
    """A training under way: `epoch` of `epochs`, since `started` (seconds since 1970; None where it is not known)."""

    @property
    def epoch(self) -> int: ...
    @property
    def epochs(self) -> int: ...
    @property
    def started(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Estimate of a duration: expected seconds, and the ends of their interval."""

    expected: float
    low: float
    high: float

    def __add__(self, other: Estimate) -> Estimate:
        """Add the times of two stages in sequence. The ends are added as for fully correlated errors, which errors of
        a forecast nearly are."""
        return Estimate(expected=self.expected + other.expected, low=self.low + other.low, high=self.high + other.high)

    def possibly_nothing(self) -> Estimate:
        """Return the estimate for a stage that may not have to run at all: its lower end is 0."""
        return Estimate(expected=self.expected, low=0.0, high=self.high)


NOTHING = Estimate(expected=0.0, low=0.0, high=0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingForecast:
    """Forecast of one training of a rung, in seconds, with `workers` training side by side. A trial of the search takes
    `trial_factor` times as long: it trains one model per fold."""

    expected: float
    at_most: float
    workers: int
    trial_factor: float = 1.0

    @property
    def for_a_trial(self) -> TrainingForecast:
        factor = self.trial_factor
        return replace(self, expected=factor * self.expected, at_most=factor * self.at_most, trial_factor=1.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """Trainings that a stage still has to do: `count` not yet begun, `running` under way, `side_by_side` at a time.

    `seconds`: how long each ended training of the same kind took.
    """

    count: int
    running: Sequence[RunningTraining]
    side_by_side: int
    seconds: tuple[float, ...]


def training_time_left(left: Remaining, forecast: TrainingForecast | None, now: float) -> Estimate | None:
    """Estimate the time until all of `left` are trained; None where neither an ended training nor a forecast tells how
    long one takes. `now`: seconds since 1970."""
    count = left.count + len(left.running)
    if count == 0:
        return NOTHING
    seconds = left.seconds
    if not seconds and forecast is None:
        return None
    one = statistics.mean(seconds) if seconds else forecast.expected  # type: ignore[union-attr]
    parts = [_remaining_seconds(trial, seconds, one, now) for trial in left.running]
    at_once = max(1, min(left.side_by_side, count))
    # The longest running training takes its full time, however many workers there are.
    expected = max((left.count * one + sum(parts)) / at_once, max(parts, default=0.0))
    if len(seconds) >= FEWEST_FOR_SCATTER:
        half = _half_width(seconds, count) / at_once
        return Estimate(expected=expected, low=max(0.0, expected - half), high=expected + half)
    high = expected * UNKNOWN_FACTOR
    if not seconds and forecast is not None:
        high = max(high, expected * forecast.at_most / forecast.expected)
    return Estimate(expected=expected, low=expected / UNKNOWN_FACTOR, high=high)


def stage_seconds(left: Estimate | None, factor: float) -> Estimate | None:
    """Add to `left` the seconds that a stage takes in addition to its trainings; `factor`: how many times slower this
    machine is than the default rates say."""
    own = OWN_SECONDS * factor
    overhead = Estimate(expected=own, low=own / UNKNOWN_FACTOR, high=own * UNKNOWN_FACTOR)
    return None if left is None else left + overhead


def total(estimates: Iterable[Estimate | None]) -> Estimate | None:
    """Add up estimates; None where one of them is not known, since a sum without it would be too small."""
    together = NOTHING
    for estimate in estimates:
        if estimate is None:
            return None
        together += estimate
    return together


def _remaining_seconds(trial: RunningTraining, seconds: Sequence[float], one: float, now: float) -> float:
    if trial.started is None:
        return one * (1.0 - min(1.0, trial.epoch / max(1, trial.epochs)))
    elapsed = max(0.0, now - trial.started)
    longer = [duration - elapsed for duration in seconds if duration > elapsed]
    if longer:
        return statistics.mean(longer)
    if trial.epoch > 0:
        return elapsed / trial.epoch * max(0, trial.epochs - trial.epoch)
    return max(0.0, one - elapsed)


def _half_width(seconds: Sequence[float], count: int) -> float:
    """Return half the width of the prediction interval for the sum of `count` more trainings."""
    k = len(seconds)
    return _t_quantile(k - 1) * statistics.stdev(seconds) * math.sqrt(count + count**2 / k)


def _t_quantile(freedom: int) -> float:
    """Return the quantile of Student's t for a two-sided interval of COVERAGE, by the expansion of Abramowitz and
    Stegun 26.7.5; from two degrees of freedom on it is off by 0.3 % at most."""
    # scipy.special.stdtrit would do; importing it takes 0.4 s of the second within which `tsladder status` answers.
    z = statistics.NormalDist().inv_cdf(0.5 + COVERAGE / 2.0)
    terms = (
        z,
        (z**3 + z) / 4.0,
        (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0,
        (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0,
        (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z) / 92160.0,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))
