"""artifacts/law/scaling.json: the law of every horizon, its verdict and what supports it.

A number beyond all floats is null in the file. Fields with a default are younger than the first laws that are still
read, or are not told of every horizon.
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
"""An interval of which an end may be beyond all floats."""

COUNTS = ("n_params", "n_params_blocks", "n_params_body")

_AGAIN = "remove it and run `dvc repro fit`"


def closed(ends: Ends | None) -> Interval | None:
    """The interval `ends`; None where there is none, or it has not two ends."""
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
        """(n_params, loss) of a rung. Raises ValueError of a dropped cell."""
        if self.n_params is None or self.loss is None:
            raise ValueError(f"{self.cell} was dropped")
        return self.n_params, self.loss


@dataclass(frozen=True, kw_only=True, slots=True)
class ConstantLaw:
    """Size does not matter: the geometric mean of the rung means, and the sd of their logs around it."""

    loss: float
    residual_sd: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw:
    """loss = C * N ** -alpha; fields as in `tsladder.law.curve.power_law.PowerFit`."""

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
    """E + A N^-alpha. `bends`: a law without a floor fits significantly worse. `identified`: and the floor is known
    well enough to be a figure."""

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
    """The form in which loss rises again beyond a size. `turns`: that it does is shown; `turns_at_n` is where the
    fitted curve has its least loss, claimed or not."""

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
    """The form that the rungs support at the verdict's confidence. An AICc of None does not exist for so few rungs."""

    aicc: Mapping[str, float | None]
    preferred: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JointRegion:
    """Boundary, point by point, of the region in which C and alpha lie together, and the loss at the reference size."""

    confidence: float
    alpha: tuple[float, ...]
    C: tuple[float | None, ...]
    loss_at_reference: tuple[float | None, ...]

    @property
    def alpha_ends(self) -> Interval:
        return min(self.alpha), max(self.alpha)

    @property
    def C_ends(self) -> tuple[float, float | None] | None:
        """The upper end is None where C reaches beyond all floats; None where all of it does."""
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
    """A rung that carries the fit, or does not belong to the law of the others, and the exponent without it.

    `p_outlier`: that a rung of the others' law lies as far off, times the number of rungs (Bonferroni).
    """

    cell: str
    cooks_distance: float | None
    alpha_without: float | None
    p_outlier: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExcessLaw:
    """Loss above the best simpler forecast: how it changes with ten times the parameters."""

    baseline: str
    baseline_loss: float
    slope_per_tenfold: float | None
    slope_ci: Ends | None
    power: PowerLaw | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SettleOption:
    """More `seeds`, `rungs` or test days, and the seconds of work where they are known."""

    what: str
    seeds: int | None
    rungs: tuple[float, ...] | None
    words: str
    estimated_seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NeighbourContrast:
    """Loss of the larger rung less that of the smaller one, paired by day; `p_holm` is corrected over the ladder."""

    smaller: str
    larger: str
    difference: float | None
    relative: float | None
    se: float | None
    p_holm: float | None
    noise: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BestRungs:
    """The rungs that cannot be told from the best one, and the p-value at which each rung would leave them. `about`:
    what that may be said of."""

    members: tuple[str, ...]
    p_values: Mapping[str, float]
    about: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLeftOut:
    """A rung predicted by the power law of the others. `error` is relative: predicted / measured - 1."""

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
    """The exponent of the searches' validation losses by how many trials a rung may choose from (k -> exponent).
    `change`: at the largest k less that at 1; `p`: that there is none."""

    alphas: Mapping[int, float]
    change: float | None
    change_ci: Ends | None
    p: float | None
    moves: bool
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonLaw:
    """The law of one horizon. The figures of its power law are None where none was fitted.

    `alpha_ci` is that of rungs and days together, `alpha_ci_rungs` and `alpha_ci_days` its two parts.
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
        """The rungs that the law is fitted to."""
        return tuple(point for point in self.points if not point.dropped)

    @property
    def rungs(self) -> int:
        return len(self.kept)

    @property
    def form(self) -> str:
        """As `tsladder.law.curve.forms.Form` names it."""
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
        """Cell -> relative error of the law of the other rungs at this one."""
        return {left.cell: left.error for left in self.leave_one_rung_out}


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyLaw:
    """scaling.json as a whole. `audit`: the one that its verdicts were given under."""

    study_key: str
    metric: str
    region: str
    confidence: float
    alpha_of_interest: float
    horizons: Mapping[int, HorizonLaw]
    audit: Annotated[AuditRecord | None, OmitNone()] = None


def read_law(path: Path) -> StudyLaw:
    """The law at `path`. Raises FileNotFoundError where there is none, WorkFailed for a damaged one."""
    return read_record(StudyLaw, path, remedy=_AGAIN)


def law_if_there(path: Path) -> StudyLaw | None:
    """As `read_law`; None where there is none."""
    try:
        return read_law(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def stored_law(path: Path) -> Mapping[str, Any] | None:
    """The law at `path` as plain data of any version, to be compared leaf by leaf; None where there is none."""
    return read_json(path) if path.exists() else None


def law_of_plain(record: Mapping[str, Any], source: str, *, remedy: str = _AGAIN) -> StudyLaw:
    """From its JSON; the inverse of `json_of`. Raises WorkFailed that names `source` and the `remedy`."""
    return record_of(StudyLaw, dict(record), source=source, remedy=remedy)


def horizon_law_of(record: Mapping[str, Any], source: str) -> HorizonLaw:
    """The law of one horizon, or of one group of a table, from its JSON."""
    return record_of(HorizonLaw, dict(record), source=source, remedy=_AGAIN)


def write_law(path: Path, law: StudyLaw) -> None:
    """Replace the law at `path`."""
    write_record(path, law)
