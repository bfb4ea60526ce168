"""artifacts/law/scaling.json: the scaling law of every horizon, its verdict and the evidence for it.

A number beyond the range of floats is null in the file. Fields with a default are younger than the oldest laws that are
still read, or do not exist for every horizon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.record import OmitNone, read_record, record_of, write_record
from tsladder.artifacts.store import read_json

Interval = tuple[float, float]
Ends = tuple[float | None, float | None]
"""Interval of which an end may lie beyond the range of floats (None)."""

COUNTS = ("n_params", "n_params_blocks", "n_params_body")

_AGAIN = "remove it and run `dvc repro fit`"


def closed(ends: Ends | None) -> Interval | None:
    """Return the interval `ends`; None if there is none or one of its ends is missing."""
    if ends is None or ends[0] is None or ends[1] is None:
        return None
    return ends[0], ends[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedLoss:
    seed: int
    loss: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LawPoint:
    """One rung, or a cell that was `dropped`, of which little more than its name and the reason is known."""

    cell: str
    n_params: float | None
    loss: float | None
    dropped: bool
    budget: str | None = None
    precision: str | None = None
    n_params_blocks: float | None = None
    n_params_body: float | None = None
    off_budget: bool | None = None
    n_data: float | None = None
    se: float | None = None
    seeds: tuple[SeedLoss, ...] = ()
    base_rate_loss: float | None = None
    own_rate_loss: float | None = None
    has_skill: bool | None = None
    constant_predictor: bool | None = None
    beaten_by: tuple[str, ...] = ()
    dropped_reason: str | None = None

    @property
    def measured(self) -> tuple[float, float]:
        """Pair (n_params, loss) of a rung. Raises ValueError for a dropped cell."""
        if self.n_params is None or self.loss is None:
            raise ValueError(f"{self.cell} was dropped")
        return self.n_params, self.loss


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantLaw:
    """Law without an effect of size: the geometric mean of the rung means, and the standard deviation of their logs
    around it."""

    loss: float
    residual_sd: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw:
    """Power law loss = C * N ** -alpha; fields as in `tsladder.law.curve.power_law.PowerFit`."""

    C: float | None
    alpha: float
    alpha_ci: Ends
    alpha_ci_rungs: Ends | None
    alpha_ci_days: Ends | None
    alpha_se: float | None
    alpha_dof: float | None
    alpha_se_rungs: float | None
    alpha_se_days: float | None
    alpha_dof_days: float | None
    r2: float | None
    residuals: tuple[float, ...]
    weights: tuple[float, ...]
    leverage: tuple[float, ...]
    cooks_distance: tuple[float | None, ...]
    reference_n: float
    loss_at_reference: float
    loss_at_reference_ci: Ends
    residual_sd: float
    log_n_spread: float
    n_rungs: int
    dof: float
    t_critical: float
    confidence: float
    beta: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FloorLaw:
    """Power law with a floor, E + A N^-alpha.

    `bends`: a law without a floor fits significantly worse. `identified`: the law bends, and the floor is known well
    enough to be quoted.
    """

    identified: bool
    reason: str
    bends: bool
    E: float | None
    E_ci: Ends | None
    A: float | None
    alpha: float | None
    alpha_ci: Ends | None
    sse: float | None
    reference_n: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OverfitLaw:
    """Law whose loss rises again beyond some size.

    `turns`: the rise is shown with confidence; `turns_at_n`: size of least loss on the fitted curve, whether the rise
    is shown or not.
    """

    form: str
    preferred: bool
    turns: bool
    turns_at_n: float | None
    turns_at_ci: Ends | None
    loss_at_turn: float | None
    reason: str
    a: float | None
    b: float | None
    c: float | None
    sse: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fits:
    constant: ConstantLaw | None
    power: PowerLaw | None
    power_floor: FloorLaw | None
    overfit: OverfitLaw | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """Functional form that the rungs support at the confidence of the verdict. An AICc of None: it does not exist for
    so few rungs."""

    aicc: Mapping[str, float | None]
    preferred: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRegion:
    """Boundary, point by point, of the joint confidence region of C and alpha, and the loss at the reference size along
    it."""

    confidence: float
    alpha: tuple[float, ...]
    C: tuple[float | None, ...]
    loss_at_reference: tuple[float | None, ...]

    @property
    def alpha_ends(self) -> Interval:
        return min(self.alpha), max(self.alpha)

    @property
    def C_ends(self) -> tuple[float, float | None] | None:
        """Smallest and largest C of the region. The upper end is None if C reaches beyond the range of floats; None if
        all of it does."""
        known = [value for value in self.C if value is not None]
        if not known:
            return None
        return min(known), max(known) if len(known) == len(self.C) else None

    @property
    def loss_ends(self) -> Interval | None:
        known = [value for value in self.loss_at_reference if value is not None]
        return (min(known), max(known)) if known else None


@dataclass(frozen=True, kw_only=True, slots=True)
class InfluentialRung:
    """Rung that dominates the fit, or is an outlier from the law of the others, and the exponent without it.

    `p_outlier`: probability that a rung of the others' law lies as far off, times the number of rungs (Bonferroni).
    """

    cell: str
    cooks_distance: float | None
    alpha_without: float | None
    p_outlier: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcessLaw:
    """Excess of the loss over that of the best simpler forecast: its change per tenfold number of parameters."""

    baseline: str
    baseline_loss: float
    slope_per_tenfold: float | None
    slope_ci: Ends | None
    power: PowerLaw | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleOption:
    """Option for an undecided verdict: more `seeds`, `rungs` or test days, and the seconds of work if they are
    known."""

    what: str
    seeds: int | None
    rungs: tuple[float, ...] | None
    words: str
    estimated_seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NeighbourContrast:
    """Loss of the larger rung minus that of the smaller one, paired by day; `p_holm` is Holm-corrected over the
    ladder."""

    smaller: str
    larger: str
    difference: float | None
    relative: float | None
    se: float | None
    p_holm: float | None
    noise: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BestRungs:
    """Model confidence set of the rungs: those that cannot be distinguished from the best one, and the p-value at which
    each rung would leave the set.

    `about`: the population for which the set holds.
    """

    members: tuple[str, ...]
    p_values: Mapping[str, float]
    about: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLeftOut:
    """Leave-one-out prediction of a rung by the power law of the others. `error`: relative, predicted / measured -
    1."""

    cell: str
    n_params: float
    measured: float
    predicted: float
    error: float
    alpha_without: float
    p_outlier: float | None = None
    n_points: Annotated[int | None, OmitNone()] = None
    worst_error: Annotated[float | None, OmitNone()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialSelection:
    """Exponent of the searches' validation losses as a function of the number of trials a rung may choose from.

    `alphas`: number of trials k -> exponent. `change`: exponent at the largest k minus that at 1; `p`: p-value of no
    change.
    """

    alphas: Mapping[int, float]
    change: float | None
    change_ci: Ends | None
    p: float | None
    moves: bool
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonLaw:
    """Law of one horizon. The figures of its power law are None if none was fitted.

    `alpha_ci` covers the noise of rungs and days together, `alpha_ci_rungs` and `alpha_ci_days` that of each alone.
    """

    points: tuple[LawPoint, ...]
    fits: Fits
    verdict: str
    reason: str
    settle: str
    settle_options: tuple[SettleOption, ...]
    beaten_by: tuple[str, ...]
    model_choice: ModelChoice
    power_by_count: Mapping[str, PowerLaw | None]
    joint_region: JointRegion | None
    influential: tuple[InfluentialRung, ...]
    excess: ExcessLaw | None
    base_rate_loss: float | None
    own_rate_loss: float | None
    baselines: Mapping[str, float]
    rung_noise: float | None
    minimum_detectable_alpha: float | None
    minimum_detectable_alpha_range: Ends | None
    power: float | None
    repetition: Mapping[str, float] | None
    neighbours: tuple[NeighbourContrast, ...]
    confidence_set: BestRungs | None
    leave_one_rung_out: tuple[RungLeftOut, ...]
    extrapolation: RungLeftOut | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    selection: TrialSelection | None = None
    surface: Annotated[Mapping[str, Any] | None, OmitNone()] = None
    size_at_equal_data: Annotated[Mapping[str, Any] | None, OmitNone()] = None

    @property
    def kept(self) -> tuple[LawPoint, ...]:
        """Rungs that the law is fitted to."""
        return tuple(point for point in self.points if not point.dropped)

    @property
    def rungs(self) -> int:
        return len(self.kept)

    @property
    def form(self) -> str:
        """Functional form of the law, as named in `tsladder.law.curve.forms.Form`."""
        return self.model_choice.preferred

    @property
    def alpha(self) -> float | None:
        return None if self.fits.power is None else self.fits.power.alpha

    @property
    def alpha_ci(self) -> Interval | None:
        return None if self.fits.power is None else closed(self.fits.power.alpha_ci)

    @property
    def alpha_ci_rungs(self) -> Interval | None:
        return None if self.fits.power is None else closed(self.fits.power.alpha_ci_rungs)

    @property
    def alpha_ci_days(self) -> Interval | None:
        return None if self.fits.power is None else closed(self.fits.power.alpha_ci_days)

    @property
    def detectable_range(self) -> Interval | None:
        return closed(self.minimum_detectable_alpha_range)

    @property
    def left_out_errors(self) -> Mapping[str, float]:
        """Cell -> relative error of the law of the other rungs at this rung."""
        return {left.cell: left.error for left in self.leave_one_rung_out}


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyLaw:
    """Content of scaling.json. `audit`: the leak audit under which its verdicts were given."""

    study_key: str
    metric: str
    region: str
    confidence: float
    alpha_of_interest: float
    horizons: Mapping[int, HorizonLaw]
    audit: Annotated[AuditRecord | None, OmitNone()] = None


def read_law(path: Path) -> StudyLaw:
    """Read the law at `path`. Raises FileNotFoundError if it does not exist, WorkFailed if it is damaged."""
    return read_record(StudyLaw, path, remedy=_AGAIN)


def stored_law(path: Path) -> Mapping[str, Any] | None:
    """Read the law at `path`, of any version, as plain data, to be compared leaf by leaf; return None if it does not
    exist."""
    return read_json(path) if path.exists() else None


def law_of_plain(record: Mapping[str, Any], source: str, *, remedy: str = _AGAIN) -> StudyLaw:
    """Build a law from its JSON; the inverse of `json_of`. Raises WorkFailed, which names `source` and the `remedy`."""
    return record_of(StudyLaw, dict(record), source=source, remedy=remedy)


def horizon_law_of(record: Mapping[str, Any], source: str) -> HorizonLaw:
    """Build the law of one horizon, or of one group of a table, from its JSON."""
    return record_of(HorizonLaw, dict(record), source=source, remedy=_AGAIN)


def write_law(path: Path, law: StudyLaw) -> None:
    """Replace the law at `path`."""
    write_record(path, law)
