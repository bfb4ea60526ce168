"""What a report tells of one cell on one region. None and empty mean unknown, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """Scores of one forecast on one region, by the names of its task; `metric` is the name of its loss."""

    metric: str
    values: Mapping[str, float | None]

    @property
    def loss(self) -> float | None:
        """What the law is fitted on."""
        return self.get(self.metric)

    def get(self, name: str) -> float | None:
        """The metric `name`; None where it is undefined or not one of the task."""
        return self.values.get(name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """One metric with its interval over days, and how many independent windows that interval is worth."""

    value: float | None
    ci: Interval | None
    effective_n: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Skill:
    """1 - loss / loss of one simpler forecast, with its paired interval over days."""

    value: float | None
    ci: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliabilityBin:
    """Windows whose predicted probabilities lie next to each other: their mean forecast and how often it came true."""

    windows: int
    predicted: float
    observed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Yes or no at a threshold that was chosen on validation."""

    threshold: float | None
    criterion: str | None
    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Temperature:
    """What dividing the logits by a temperature fitted on validation would make of this region's scores."""

    value: float | None
    log_loss: float | None
    ece: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SymbolFacts:
    """One cell on the test region of one symbol; fields as in `evaluation.symbols.SymbolScores`."""

    windows: int | None
    base_rate: float | None
    loss: float | None
    auc: float | None
    ic: float | None
    skill: float | None
    advantage: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class RegionFacts:
    """One cell on one region; fields as in `evaluation.scores.RegionScores`. `seeds`: the loss of each, `loss_se`: the
    standard error of their mean."""

    windows: int | None
    positives: int | None
    base_rate: float | None
    train_base_rate: float | None
    mean: Metrics
    seeds: Mapping[str, float | None]
    loss_se: float | None
    base_rate_loss: float | None
    own_rate_loss: float | None
    stricter: str | None
    skill: float | None
    advantage: float | None
    advantage_ci: Interval | None
    baselines: Mapping[str, Metrics]
    beaten_by: tuple[str, ...]
    constant_predictor: bool | None
    windows_fingerprint: str | None
    intervals: Mapping[str, Estimate]
    skill_against: Mapping[str, Skill]
    reliability: tuple[ReliabilityBin, ...]
    decision: Decision | None
    temperature: Temperature | None

    @property
    def loss_estimate(self) -> Estimate | None:
        return self.estimate(self.mean.metric)

    def estimate(self, metric: str) -> Estimate | None:
        """The metric with its interval; without a stored interval, its bare value; None where it is not known."""
        if (stored := self.intervals.get(metric)) is not None:
            return stored
        value = self.mean.get(metric)
        return None if value is None else Estimate(value=value, ci=None, effective_n=None)
