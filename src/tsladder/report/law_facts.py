"""What a report tells of the law: each horizon's fits and verdict, and the audit behind them. None means unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.audit import AuditRecord
from tsladder.results.stored import Interval


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
    """The rungs that cannot be told from the best one, and the p-value at which each rung would leave them. `about`:
    what that may be said of."""

    members: tuple[str, ...]
    p_values: Mapping[str, float]
    about: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """The form that the rungs support at the verdict's confidence. An AICc of None does not exist for so few rungs."""

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
    """Ends of the region in which C and alpha lie together. `C`: an upper end of None is beyond all numbers."""

    confidence: float | None
    alpha: Interval
    C: tuple[float, float | None]
    loss_at_reference: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Influence:
    """A rung that carries the fit, or does not belong to the law of the others, and the exponent without it.

    `p_outlier`: that a rung of the others' law lies as far off, times the number of rungs (Bonferroni).
    """

    cell: str
    cooks_distance: float | None
    alpha_without: float | None
    p_outlier: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Floor:
    """The power law above a floor, E + A N^-alpha. `bends`: a law without a floor fits significantly worse.
    `identified`: and the floor is known well enough to be a figure."""

    identified: bool
    bends: bool
    reason: str
    E: float | None
    E_ci: Interval | None
    A: float | None
    alpha: float | None
    alpha_ci: Interval | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SelectionFacts:
    """The exponent of the searches' validation losses by how many trials a rung may choose from (k -> exponent).
    `change`: at the largest k less that at 1; `p`: that there is none."""

    alphas: Mapping[int, float]
    change: float | None
    change_ci: Interval | None
    p: float | None
    words: str


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
    """More seeds, rungs or test days, how many, and the seconds of work where they are known."""

    what: str
    words: str
    seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LawFacts:
    """The law of one horizon as law/scaling.json tells it; `alpha_by_count` keys are the three counts of N.

    `alpha_ci` is that of rungs and days together, `alpha_ci_rungs` and `alpha_ci_days` its two parts. `dof`: degrees of
    freedom of the scatter of the rungs.
    """

    horizon: int
    verdict: str
    reason: str
    settle: str
    ways_to_settle: tuple[WayToSettle, ...]
    points: tuple[LawPoint, ...]
    alpha: float | None
    alpha_ci: Interval | None
    alpha_ci_rungs: Interval | None
    alpha_ci_days: Interval | None
    dof: float | None
    C: float | None
    r2: float | None
    residual_sd: float | None
    reference_n: float | None
    loss_at_reference: float | None
    loss_at_reference_ci: Interval | None
    alpha_by_count: Mapping[str, float | None]
    floor: Floor | None
    minimum_detectable_alpha: float | None
    minimum_detectable_range: Interval | None
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
    selection: SelectionFacts | None

    @property
    def rungs(self) -> int:
        return len(self.points)

    @property
    def form(self) -> str | None:
        """As `tsladder.law.curve.forms.Form` names it."""
        return None if self.model_choice is None else self.model_choice.preferred


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyLaw:
    """law/scaling.json as a whole. `audit`: the one that its verdicts were given under."""

    study_key: str | None
    region: str | None
    confidence: float | None
    alpha_of_interest: float | None
    horizons: Mapping[int, LawFacts]
    audit: AuditRecord | None
