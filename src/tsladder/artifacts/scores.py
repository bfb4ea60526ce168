"""scores.json: scores of the trained seeds of one cell on validation and test, beside constants and baselines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import OmitNone, Rest, Unstored, record_of, write_record
from tsladder.vocabulary import LOG_LOSS, CellStatus

Metrics = Mapping[str, float | None]
"""Metric -> value, of one forecast on one region; None if the metric is undefined there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Estimate with its confidence interval, its standard error and its effective sample size.

    `dof`: degrees of freedom of the t distribution that the bounds come from; None: the bounds come from the normal
    distribution.
    """

    value: float
    low: float
    high: float
    se: float
    effective_n: float | None
    dof: float | None = None

    @property
    def ci(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """Skill score against a reference forecast: 1 - loss / reference loss, with the interval of the paired difference
    divided by the reference loss.

    All three are None if the reference never errs.
    """

    skill: float | None
    low: float | None
    high: float | None

    @property
    def ci(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliabilityBin:
    """One bin of a reliability diagram: windows with probabilities from `low` to `high`, their mean probability and the
    observed frequency of the event."""

    low: float
    high: float
    windows: int
    predicted: float
    observed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdDecision:
    """Classification metrics at a threshold that was chosen on validation. A rate without cases is None."""

    threshold: float
    criterion: str
    accuracy: float
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Temperature:
    """Temperature scaling of a region: its log loss and ECE after the logits are divided by `value`, which was fitted
    on validation."""

    value: float
    log_loss: float
    ece: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredRegion:
    """Scores of one cell on one region, as `evaluation.scores.RegionScores` writes them.

    `metric`: name of the task's loss. `seeds`: training seed -> its metrics; `mean`: the metrics averaged over the
    seeds. `of_task`: fields that only one kind of task has.
    """

    windows: int
    positives: int
    base_rate: float
    train_base_rate: float
    first_day: str
    last_day: str
    windows_fingerprint: str
    seeds: Mapping[str, Metrics]
    mean: Metrics
    intervals: Mapping[str, Interval | None] = field(default_factory=dict)
    base_rate_loss: float
    own_rate_loss: float
    stricter: str
    skill: float | None
    advantage: Interval
    baselines: Mapping[str, Metrics]
    skill_against: Mapping[str, Skill] = field(default_factory=dict)
    beaten_by: tuple[str, ...]
    constant_predictor: bool
    of_task: Annotated[Mapping[str, Any], Rest()] = field(default_factory=dict)
    metric: Annotated[str, Unstored()] = LOG_LOSS

    @property
    def loss(self) -> float | None:
        """Mean loss over the seeds."""
        return self.loss_in(self.mean)

    def loss_in(self, metrics: Metrics) -> float | None:
        """Return the loss among the metrics of a seed or a baseline."""
        return metrics.get(self.metric)

    @property
    def loss_interval(self) -> Interval | None:
        """Confidence interval of the loss; None if the evaluation was too old to store one."""
        return self.intervals.get(self.metric)

    @property
    def loss_se(self) -> float | None:
        """Standard error of the mean loss over the seeds; None with one seed."""
        found: float | None = self.of_task.get(f"{self.metric}_se")
        return found

    @property
    def reliability(self) -> tuple[ReliabilityBin, ...]:
        """Bins of the reliability diagram of probabilities; () for returns."""
        bins = self.of_task.get("reliability") or ()
        return tuple(record_of(ReliabilityBin, one, source="reliability in scores.json") for one in bins)

    @property
    def decision(self) -> ThresholdDecision | None:
        """Classification metrics of probabilities; None if no threshold could be chosen, and for returns."""
        found = self.of_task.get("decision")
        return None if found is None else record_of(ThresholdDecision, found, source="decision in scores.json")

    @property
    def temperature(self) -> Temperature | None:
        """Temperature scaling of probabilities; None where none is stored, and for returns."""
        found = self.of_task.get("temperature")
        return None if found is None else record_of(Temperature, found, source="temperature in scores.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolScores:
    """Scores of one cell on one region of one symbol.

    `loss` is that of the task and `auc`, or `ic` for returns, its rank metric, both means over the seeds; the rank
    metric that does not apply or is undefined is None. `stricter` names the constant with the smaller loss: that of the
    pooled training region, or that of the symbol's own region in hindsight. `skill`: 1 - loss / loss of that constant;
    None if that constant never errs. `advantage`: daily mean of (constant's loss - model's loss), with its paired
    interval.
    """

    windows: int
    positives: int
    base_rate: float
    first_day: str
    last_day: str
    loss: float
    auc: float | None
    ic: float | None
    stricter: str
    skill: float | None
    advantage: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class CellScores:
    """Scores of one cell.

    `key`: identity of the question. `n_data`: number of training windows. `symbols`: in a study of several symbols,
    symbol -> region -> its scores, None if the symbol has no window there. Parameter counts are as in `choice.Choice`.
    """

    cell: str
    budget: str
    horizon: int
    status: CellStatus = CellStatus.DONE
    key: Annotated[str | None, OmitNone()] = None
    precision: str
    metric: Annotated[str | None, OmitNone()] = None
    architecture: Annotated[Mapping[str, int] | None, OmitNone()] = None
    n_params: int
    n_params_blocks: int
    n_params_body: int
    off_budget: bool
    n_data: Annotated[int | None, OmitNone()] = None
    regions: Mapping[str, ScoredRegion]
    symbols: Annotated[Mapping[str, Mapping[str, SymbolScores | None]] | None, OmitNone()] = None


def read_scores(path: Path) -> CellScores | Ending:
    """Read the scores at `path`, or how the cell ended without any. Raises FileNotFoundError and WorkFailed."""
    scores = read_done(CellScores, path)
    if isinstance(scores, Ending):
        return scores
    # Files written before tasks of returns existed name no loss.
    metric = LOG_LOSS if scores.metric is None else scores.metric
    regions = {name: dataclasses.replace(region, metric=metric) for name, region in scores.regions.items()}
    return dataclasses.replace(scores, regions=regions)


def write_scores(path: Path, scores: CellScores | Ending) -> None:
    """Replace the scores at `path`, or the record that there are none."""
    write_record(path, scores)
