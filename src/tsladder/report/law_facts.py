"""What a report tells of the law: each horizon's fits and verdict, and the audit behind them. None means unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.results.score_facts import Interval
from tsladder.vocabulary import ProbeOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class LawPoint:
    """One rung of the fit. `left_out_error`: relative error of the law of the other rungs at this one."""

    cell: str
    n_params: float
    loss: float
    se: float | None
    left_out_error: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """Loss of the larger rung less that of the smaller one, paired by day; `p` is corrected over the ladder."""

    smaller: str
    larger: str
    difference: float | None
    relative: float | None
    se: float | None
    p: float | None
    noise: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfidenceSet:
    """The rungs that cannot be told from the best one, and the p-value at which each rung would leave them."""

    members: tuple[str, ...]
    p_values: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """Which form describes the rungs best; an AICc of None does not exist for so few rungs."""

    aicc: Mapping[str, float | None]
    preferred: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overfit:
    """The form in which loss rises again beyond a size. `turns`: that it does is shown; `turns_at_n` is where the
    fitted curve has its least loss, claimed or not."""

    form: str | None
    turns_at_n: float | None
    turns_at_ci: Interval | None
    turns: bool
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRegion:
    """Ends of the region in which C and alpha lie together."""

    confidence: float | None
    alpha: Interval
    C: Interval
    loss_at_reference: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Influence:
    """A rung that carries the fit, and the exponent without it."""

    cell: str
    cooks_distance: float | None
    alpha_without: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """Loss above the best simpler forecast: how it changes with ten times the parameters."""

    baseline: str
    baseline_loss: float | None
    slope_per_tenfold: float | None
    slope_ci: Interval | None
    alpha: float | None
    alpha_ci: Interval | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WayToSettle:
    """More seeds or more rungs, how many, and the seconds of work where they are known."""

    what: str
    words: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LawFacts:
    """The law of one horizon as law/scaling.json tells it; `alpha_by_count` keys are the three counts of N."""

    horizon: int
    verdict: str
    reason: str
    settle: str
    ways_to_settle: tuple[WayToSettle, ...]
    points: tuple[LawPoint, ...]
    alpha: float | None
    alpha_ci: Interval | None
    C: float | None
    r2: float | None
    residual_sd: float | None
    reference_n: float | None
    loss_at_reference: float | None
    loss_at_reference_ci: Interval | None
    alpha_by_count: Mapping[str, float | None]
    floor: str | None
    minimum_detectable_alpha: float | None
    power: float | None
    rung_noise: float | None
    worst_left_out: float | None
    extrapolation_error: float | None
    beaten_by: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    neighbours: tuple[Neighbours, ...]
    confidence_set: ConfidenceSet | None
    model_choice: ModelChoice | None
    overfit: Overfit | None
    joint_region: JointRegion | None
    influential: tuple[Influence, ...]
    excess: Excess | None
    repetition: Mapping[str, float]

    @property
    def rungs(self) -> int:
        return len(self.points)


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """One leak probe: what it looked at, in words and numbers. `needs`: what an inconclusive one would take to tell."""

    name: str
    title: str
    outcome: ProbeOutcome
    numbers: Mapping[str, float | str]
    words: str
    needs: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """The leak probes of the study, in their order."""

    outcome: ProbeOutcome
    probes: tuple[Probe, ...]

    def ending(self, outcome: ProbeOutcome) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes if probe.outcome is outcome)


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyLaw:
    """law/scaling.json as a whole. `audit`: the one that its verdicts were given under."""

    study_key: str | None
    region: str | None
    confidence: float | None
    alpha_of_interest: float | None
    horizons: Mapping[int, LawFacts]
    audit: Audit | None
