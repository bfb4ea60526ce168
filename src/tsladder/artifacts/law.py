"""artifacts/law/scaling.json: the scaling law of every horizon, its verdict and the evidence for it.

A number beyond the range of floats is null in the file. Fields with a default are younger than the oldest laws that are
still read, or do not exist for every horizon.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.law_evidence import (
    ConfidenceSet,
    InfluentialRung,
    NeighbourContrast,
    RungLeftOut,
    SettleOption,
    SizeLeftOut,
    TrialSelection,
)
from tsladder.artifacts.law_fits import (
    Ends,
    ExcessLaw,
    Fits,
    Interval,
    JointRegion,
    ModelChoice,
    PowerLaw,
    RankIcPerTenfold,
    closed,
)
from tsladder.artifacts.record import OmitNone, json_of, read_record, record_of
from tsladder.artifacts.store import read_json, write_json

COUNTS = ("n_params", "n_params_blocks", "n_params_body")

OF_A_STUDY = ("warnings", "selection")
"""Keys that the law of a horizon has and the law of a group of a table has not."""

_AGAIN = "remove it and run `dvc repro fit`"


@dataclass(frozen=True, kw_only=True, slots=True)
class SeedLoss:
    seed: int
    loss: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LawPoint:
    """One rung, or a cell that was `dropped`, of which little more than its name and the reason is known.

    `loss_ci`: interval of the loss over the scored days, which all rungs share; kept for rankings alone.
    """

    cell: str
    budget: str | None = None
    precision: str | None = None
    n_params: float | None
    n_params_blocks: float | None = None
    n_params_body: float | None = None
    off_budget: bool | None = None
    n_data: float | None = None
    loss: float | None
    se: float | None = None
    seeds: tuple[SeedLoss, ...] = ()
    base_rate_loss: float | None = None
    own_rate_loss: float | None = None
    has_skill: bool | None = None
    constant_predictor: bool | None = None
    beaten_by: tuple[str, ...] = ()
    loss_ci: Annotated[Interval | None, OmitNone()] = None
    dropped: bool
    dropped_reason: str | None = None

    @property
    def measured(self) -> tuple[float, float]:
        """Pair (n_params, loss) of a rung. Raises ValueError for a dropped cell."""
        if self.n_params is None or self.loss is None:
            raise ValueError(f"{self.cell} was dropped")
        return self.n_params, self.loss


POINT_KEYS = tuple(field.name for field in fields(LawPoint) if field.name != "loss_ci")
"""Keys of a point, in the order of the columns of scaling.csv."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonLaw:
    """Law of one horizon, or of one group of a table. The figures of its power law are None if none was fitted.

    `alpha_ci` covers the noise of rungs and days together, `alpha_ci_rungs` and `alpha_ci_days` that of each alone.
    Where data vary, `surface` and `size_at_equal_data` hold the fitted surface and the effect of size at equal data,
    for people and scripts: plain data with the fields of `SurfaceFit` and `SizeLaw` of `tsladder.law.surface`.
    `rank_ic_per_tenfold`: effect of size in the unit that people read; of a ranking whose loss has a power law.
    """

    points: tuple[LawPoint, ...]
    fits: Fits
    model_choice: ModelChoice
    power_by_count: Mapping[str, PowerLaw | None]
    joint_region: JointRegion | None
    influential: tuple[InfluentialRung, ...]
    excess: ExcessLaw | None
    verdict: str
    reason: str
    settle: str
    settle_options: tuple[SettleOption, ...]
    beaten_by: tuple[str, ...]
    base_rate_loss: float | None
    own_rate_loss: float | None
    baselines: Mapping[str, float]
    rung_noise: float | None
    minimum_detectable_alpha: float | None
    minimum_detectable_alpha_range: Ends | None
    power: float | None
    repetition: Mapping[str, float] | None
    neighbours: tuple[NeighbourContrast, ...]
    confidence_set: ConfidenceSet | None
    leave_one_rung_out: tuple[SizeLeftOut | RungLeftOut, ...]
    extrapolation: SizeLeftOut | RungLeftOut | None
    notes: tuple[str, ...]
    surface: Annotated[Mapping[str, Any] | None, OmitNone()] = None
    size_at_equal_data: Annotated[Mapping[str, Any] | None, OmitNone()] = None
    rank_ic_per_tenfold: Annotated[RankIcPerTenfold | None, OmitNone()] = None
    warnings: tuple[str, ...] = ()
    selection: TrialSelection | None = None

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
    """Build a law from its JSON, as `law_json` returns it. Raises WorkFailed with `source` and `remedy`."""
    return record_of(StudyLaw, dict(record), source=source, remedy=remedy)


def law_json(law: StudyLaw | HorizonLaw) -> dict[str, Any]:
    """Return the JSON of a law, in which a number beyond the range of floats is None."""
    plain: dict[str, Any] = _finite(json_of(law))
    return plain


def group_json(law: HorizonLaw) -> dict[str, Any]:
    """Return the JSON of the law of one group of a table."""
    return {key: value for key, value in law_json(law).items() if key not in OF_A_STUDY}


def write_law(path: Path, law: StudyLaw) -> None:
    """Replace the law at `path`."""
    write_json(path, law_json(law))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
