"""Diagnose whether a study lacks days or parameters: independent samples against model size, and the train-validation
gap by rung.

Pure. A diagnosis, not a measurement: nothing here was trained on another amount of data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.law_fits import Interval
from tsladder.evaluation.difference import Term, bounds, holm, two_sided
from tsladder.law.curve.forms import Form
from tsladder.law.verdict import VerdictName
from tsladder.report import words
from tsladder.report.extent import TrainingExtent

Floats = NDArray[np.float64]

LEAST_RUNGS = 3
"""Least number of rungs of a slope: over fewer it has no interval."""


class Bottleneck(StrEnum):
    """Resource that a horizon lacks most; see `diagnose`."""

    MORE_DATA = "more data"
    MORE_PARAMETERS = "more parameters"
    UNDECIDED = "undecided"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class RungLosses:
    """Losses of one trained rung by seed, in the study's unit. A seed that lacks either loss is not used."""

    cell: str
    n_params: int
    dropout: float | None
    train: Mapping[str, float | None]
    validation: Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class RungGap:
    """Validation loss less training loss of one rung, with its t interval over seeds (None with one seed).

    `p_above_smallest`: two-sided p-value, Holm-corrected over the ladder, of the null hypothesis that the gap equals
    that of the smallest rung.
    """

    cell: str
    n_params: int
    dropout: float | None
    train_loss: float | None
    validation_loss: float | None
    gap: float | None
    gap_ci: Interval | None
    p_above_smallest: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DataLimits:
    """Diagnosis of one horizon. `slope`: growth of the gap, in units of the loss, per tenfold increase of the
    parameters."""

    extent: TrainingExtent
    rungs: tuple[RungGap, ...]
    slope: float | None
    slope_ci: Interval | None
    bottleneck: Bottleneck
    reason: str

    def params_per_disjoint_window(self, rung: RungGap) -> float | None:
        windows = self.extent.disjoint_windows
        return rung.n_params / windows if windows else None

    def params_per_label(self, rung: RungGap) -> float | None:
        labels = self.extent.independent_labels
        return rung.n_params / labels if labels else None

    def above_smallest(self, confidence: float) -> tuple[str, ...]:
        """Return the rungs whose gap is significantly wider than that of the smallest rung."""
        first = self.rungs[0].gap if self.rungs else None
        return tuple(
            rung.cell
            for rung in self.rungs[1:]
            if rung.p_above_smallest is not None
            and rung.p_above_smallest < 1.0 - confidence
            and rung.gap is not None
            and first is not None
            and rung.gap > first
        )


def diagnose(
    rungs: Sequence[RungLosses],
    extent: TrainingExtent,
    *,
    alpha_ci: Interval | None,
    alpha_of_interest: float,
    confidence: float,
    verdict: str | None = None,
    form: str | None = None,
) -> DataLimits:
    """Diagnose what this horizon lacks most. `alpha_ci`: interval of the law's exponent, of rungs and days together;
    None where no figure is valid. `verdict` and `form`: the verdict of the law, and the functional form that the rungs
    support.

    More data: the gap significantly widens with size, AND the law rules out every exponent of interest without showing
    a smaller positive one, AND the largest rung has more parameters than there are independent labels. More parameters:
    the law's exponent lies above 0 and is not negligible, AND some rung beats a constant, AND the gap is not shown to
    widen. Unknown: the gap's slope or the exponent has no interval, or the number of training windows is not known.
    Everything else is undecided, including a ladder that no single exponent describes (a floor, a turn, not monotone)
    unless it is flat.
    """
    ordered = sorted(rungs, key=lambda rung: rung.n_params)
    gaps = _gaps(ordered, confidence)
    slope, slope_ci = _slope([(gap.n_params, gap.gap) for gap in gaps if gap.gap is not None], confidence)
    gain = None if alpha_ci is None else _Gain.of(alpha_ci, alpha_of_interest, verdict, form)
    bottleneck, reason = _judge(gaps, extent, slope_ci, gain, alpha_of_interest)
    return DataLimits(extent=extent, rungs=gaps, slope=slope, slope_ci=slope_ci, bottleneck=bottleneck, reason=reason)


def _gaps(rungs: Sequence[RungLosses], confidence: float) -> tuple[RungGap, ...]:
    paired = [_paired(rung) for rung in rungs]
    means = [float(np.mean(validation - train)) if train.size else None for train, validation in paired]
    terms = [_term(validation - train) for train, validation in paired]
    p_values: list[float | None] = [None] * len(rungs)
    for index in range(1, len(rungs)):
        here, first = means[index], means[0]
        pair = [term for term in (terms[0], terms[index]) if term is not None]
        if here is not None and first is not None and len(pair) == 2:
            p_values[index] = two_sided(here - first, pair)[1]
    return tuple(
        RungGap(
            cell=rung.cell,
            n_params=rung.n_params,
            dropout=rung.dropout,
            train_loss=float(train.mean()) if train.size else None,
            validation_loss=float(validation.mean()) if train.size else None,
            gap=mean,
            gap_ci=None if mean is None or term is None else bounds(mean, [term], confidence=confidence),
            p_above_smallest=p,
        )
        for rung, (train, validation), mean, term, p in zip(rungs, paired, means, terms, holm(p_values), strict=True)
    )


def _paired(rung: RungLosses) -> tuple[Floats, Floats]:
    both = [
        (train, validation)
        for seed, train in sorted(rung.train.items())
        if train is not None and (validation := rung.validation.get(seed)) is not None
    ]
    return np.array([train for train, _ in both]), np.array([validation for _, validation in both])


def _term(gap_S: Floats) -> Term | None:
    """Return the variance of the mean over seeds and its degrees of freedom; None for fewer than two seeds."""
    if gap_S.size < 2:
        return None
    return float(gap_S.var(ddof=1)) / gap_S.size, float(gap_S.size - 1)


def _slope(points: Sequence[tuple[int, float]], confidence: float) -> tuple[float | None, Interval | None]:
    """Fit the gap on log10 N over R rungs by least squares; return the slope and its t interval with R - 2 degrees of
    freedom."""
    x = np.log10([n for n, _ in points])
    y = np.array([gap for _, gap in points])
    if x.size < LEAST_RUNGS or np.ptp(x) == 0.0:
        return None, None
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    residuals = y - y.mean() - slope * centred
    dof = x.size - 2
    variance = float(residuals @ residuals) / dof / spread
    return slope, bounds(slope, [(variance, float(dof))], confidence=confidence)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Gain:
    """Implication of the law for larger models. `negligible`: any gain is shown to be below the exponent of interest.
    `falls`: the loss falls with size over the whole ladder. `shape_note`: a sentence on the shape where no single
    exponent tells what more size brings. `skilled`: some rung beats a constant, or this is not known."""

    negligible: bool
    falls: bool
    shape_note: str | None
    skilled: bool

    @classmethod
    def of(cls, alpha_ci: Interval, alpha_of_interest: float, verdict: str | None, form: str | None) -> _Gain:
        shape_note = None
        if form == Form.FLOOR:
            shape_note = "the loss falls towards a floor, so how much larger models still gain hangs on where that lies"
        elif form == Form.TURN:
            shape_note = "the loss falls with size and rises again within the ladder"
        elif verdict == VerdictName.NOT_MONOTONE:
            shape_note = "the loss neither falls nor rises with size throughout"
        if verdict == VerdictName.FLAT:
            shape_note = None
        return cls(
            negligible=alpha_ci[1] < alpha_of_interest and shape_note is None,
            falls=alpha_ci[0] > 0.0 or form == Form.FLOOR,
            shape_note=shape_note,
            skilled=verdict != VerdictName.NO_SKILL,
        )


def _judge(
    gaps: Sequence[RungGap],
    extent: TrainingExtent,
    slope_ci: Interval | None,
    gain: _Gain | None,
    alpha_of_interest: float,
) -> tuple[Bottleneck, str]:
    if slope_ci is None:
        known = sum(gap.gap is not None for gap in gaps)
        return Bottleneck.UNKNOWN, (
            f"Of {known} rung{'' if known == 1 else 's'} both losses are known; whether the gap widens takes "
            f"{LEAST_RUNGS} of different size."
        )
    if gain is None:
        return Bottleneck.UNKNOWN, "The law has no exponent that counts, so what larger models gain is not known."
    labels = extent.independent_labels
    if not labels:
        return Bottleneck.UNKNOWN, "How many training windows there are is not known."
    most = max(gap.n_params for gap in gaps)
    per_label = words.ratio(most / labels)
    widens, falls, negligible = slope_ci[0] > 0.0, gain.falls, gain.negligible
    widening = "The gap widens with size" if widens else "The gap is not shown to widen with size"
    if widens and negligible and not falls and most > labels:
        return Bottleneck.MORE_DATA, (
            "The gap between training and validation widens with size, the law rules out an exponent of "
            f"{alpha_of_interest:g} or more, and the largest model has {per_label} parameters for each independent "
            "label: larger models learn the training days better and other days no better."
        )
    if gain.shape_note is not None:
        return Bottleneck.UNDECIDED, f"{widening}, and no single exponent tells what size brings: {gain.shape_note}."
    if falls and not gain.skilled:
        return Bottleneck.UNDECIDED, f"{widening}, and though the loss falls, no rung forecasts better than a constant."
    if falls and negligible:
        return Bottleneck.UNDECIDED, (
            f"{widening}, and what larger models gain is negligible: an exponent below {alpha_of_interest:g}."
        )
    if falls and not widens:
        return Bottleneck.MORE_PARAMETERS, (
            "Larger models forecast better, and the gap between training and validation is not shown to widen."
        )
    if widens and falls:
        reason = "The gap widens with size while larger models still forecast better: either could be the better buy."
    elif widens and negligible:
        reason = f"The gap widens with size, but even the largest model has only {per_label} parameters per label."
    elif widens:
        reason = "The gap widens with size, but whether larger models forecast better is open."
    else:
        reason = "Neither a gap that widens with size nor a gain from size is shown."
    return Bottleneck.UNDECIDED, reason
