"""Fit a law to a table of points and print it, for `tsladder fit`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.artifacts.law import HorizonLaw
from tsladder.errors import BadInput
from tsladder.formatting import aligned
from tsladder.law.evidence.detection import FEW_DOF
from tsladder.law.reading.columns import ANY_LOSS
from tsladder.law.reading.options import Reading
from tsladder.law.scaling import residuals_of
from tsladder.law.table import CONFIDENCE, DRAWS, SEED, TableLaw, law_of_table, write_fit
from tsladder.ranking.words import gain, gain_with_interval, is_rank_error, rank_ic, rank_ic_of
from tsladder.steps import OnStep, no_progress

_MOST_RUNGS = 40
_CONFIDENCE = 0.5, 0.999
_LEAST_DRAWS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class FitOptions:
    """Options of a fit, as typed; `columns` and `ignore` have one entry for each time the option was given."""

    columns: Sequence[str] = ()
    ignore: Sequence[str] = ()
    per_size: str | None = None
    decimal: str | None = None
    alpha_of_interest: float | None = None
    confidence: float = CONFIDENCE
    draws: int = DRAWS
    seed: int = SEED
    huber_delta: float | None = None

    def reading(self) -> Reading:
        """Parse the options that describe the table. Raises BadInput with every fault of any option."""
        faults = []
        if self.alpha_of_interest is not None and not 0.0 < self.alpha_of_interest < math.inf:
            faults.append(f"--alpha-of-interest must be a positive number, got {self.alpha_of_interest:g}")
        if not _CONFIDENCE[0] <= self.confidence <= _CONFIDENCE[1]:
            faults.append(f"--confidence must be within {_CONFIDENCE[0]} and {_CONFIDENCE[1]}, got {self.confidence:g}")
        if self.draws < _LEAST_DRAWS:
            faults.append(f"--draws must be at least {_LEAST_DRAWS}, got {self.draws}")
        if self.seed < 0:
            faults.append(f"--seed must be 0 or more, got {self.seed}")
        if self.huber_delta is not None and not 0.0 < self.huber_delta < math.inf:
            faults.append(f"--huber-delta must be a positive number, got {self.huber_delta:g}")
        reading = Reading()
        try:
            reading = Reading.parse(
                columns=self.columns, ignore=self.ignore, per_size=self.per_size, decimal=self.decimal
            )
        except BadInput as refusal:
            faults.append(str(refusal))
        if len(faults) == 1:
            raise BadInput(faults[0])
        if faults:
            raise BadInput(f"{len(faults)} options are invalid:", faults)
        return reading


def fit_points(
    paths: Sequence[Path], out: Path | None, options: FitOptions | None = None, on_step: OnStep = no_progress
) -> TableLaw:
    """Fit the tables at `paths` together and return their laws, written to the folder `out` where one is given. Raises
    BadInput."""
    options = options or FitOptions()
    reading = options.reading()
    if out is not None and out.exists() and not out.is_dir():
        raise BadInput(f"--out must be a folder, {out} is a file: name another")
    law = law_of_table(
        paths,
        reading=reading,
        alpha_of_interest=options.alpha_of_interest,
        confidence=options.confidence,
        draws=options.draws,
        seed=options.seed,
        huber_delta=options.huber_delta,
        on_step=on_step,
    )
    if out is not None:
        try:
            write_fit(out, law)
        except OSError as error:
            raise BadInput(f"--out {out} cannot be written: {error.strerror}") from None
    return law


def fit_lines(understood: str, groups: Mapping[str, HorizonLaw], metric: str = ANY_LOSS) -> list[str]:
    """Format a fit as plain text: the columns that were read, and for every group its verdict, fits and rungs.

    `metric`: the loss; of rankings the figures of the rungs are RankICs.
    """
    ranks = is_rank_error(metric)
    blocks = [[understood], *(_group(name, law, ranks=ranks) for name, law in groups.items())]
    return [line for block in blocks for line in (*block, "")][:-1]


def _group(name: str, law: HorizonLaw, *, ranks: bool) -> list[str]:
    lines = [f"{name}: {law.verdict.replace('_', ' ')}", f"  {law.reason}", f"  {law.settle}", ""]
    lines += [f"  {line}" for line in aligned([("fit", "parameters"), *_slope(law), *_fits(law)])]
    lines += ["", *(f"  {line}" for line in aligned(_rungs(law, ranks=ranks)))]
    left = len(law.points) - _MOST_RUNGS
    lines += [f"  and {left} more"] if left > 0 else []
    if law.influential:
        lines += ["", "  each rung predicted from the others:"]
        lines += [*(f"  {line}" for line in aligned(_left_out(law, ranks=ranks))), ""]
    return [*lines, *(f"  note: {note}" for note in law.notes)]


def _slope(law: HorizonLaw) -> list[tuple[str, str]]:
    found = law.rank_ic_per_tenfold
    if found is None:
        return []
    return [("RankIC per tenfold size", gain_with_interval(found.value, found.low, found.high))]


def _fits(law: HorizonLaw) -> list[tuple[str, str]]:
    power, floor, overfit = law.fits.power, law.fits.power_floor, law.fits.overfit
    rows = []
    if power is not None:
        level = f"   C {power.C:.5g}" if math.isfinite(power.C) else ""
        rows.append(("C N^-alpha", f"alpha {_span(power.alpha, power.alpha_ci)}{level}"))
        if power.alpha_ci_days is not None:
            parts = (("rungs", power.alpha_ci_rungs), ("days", power.alpha_ci_days))
            rows.append(("", "   ".join(f"of the {name} {_ends(ends)}" for name, ends in parts)))
        at = f"loss {_span(power.loss_at_reference, power.loss_at_reference_ci)}"
        rows.append(("", f"{at} at N = {power.reference_n:.4g}   R^2 {power.r2:.3f}"))
    if law.surface is not None:
        rows += _surface(law.surface)
    if law.size_at_equal_data is None and floor is not None and overfit is not None:
        known = ""
        if floor.identified and floor.E is not None:
            known = f"E {_span(floor.E, floor.E_ci)}   alpha {floor.alpha:.4g}   "
        rows.append(("E + A N^-alpha", known + floor.reason))
        rows.append(("falls, then rises", overfit.reason))
        rows.append(("choice of form", law.model_choice.reason))
    ends = law.minimum_detectable_alpha_range
    if power is not None and law.minimum_detectable_alpha is not None and ends is not None:
        sure = power.dof >= FEW_DOF
        least = f"{law.minimum_detectable_alpha:.4f}" if sure else f"{ends[0]:.4f} to {ends[1]:.4f}"
        rows.append(("detectable alpha", f"{least} in four studies out of five"))
    return rows


def _surface(surface: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("E + A N^-alpha + B D^-beta", surface["reason"])]
    rows += [
        ("", f"{name} {_span(surface[name], surface[f'{name}_ci'])}")
        for name in ("E", "A", "B", "alpha", "beta")
        if surface[name] is not None
    ]
    if surface["objective"] is not None:
        ending = "converged" if surface["converged"] else "NOT converged"
        starts = f"{surface['starts_agreeing']} of {surface['starts']} starts agree"
        loss = f"sum of Huber losses {surface['objective']:.6g} at delta {surface['huber_delta']:.3g}"
        rows.append(("", f"{ending}, {loss}; {starts}"))
        rows.append(("", f"delta: {surface['delta_reason']}"))
    return rows


def _span(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.5g}" + (f" {_ends(interval)}" if interval is not None else "")


def _ends(interval: Sequence[float]) -> str:
    return f"[{interval[0]:.5g}, {interval[1]:.5g}]"


def _figure(loss: float, *, ranks: bool) -> str:
    return rank_ic(rank_ic_of(loss)) if ranks else f"{loss:.6g}"


def _rungs(law: HorizonLaw, *, ranks: bool) -> list[tuple[str, ...]]:
    residuals = residuals_of(law)
    rows: list[tuple[str, ...]] = [("rung", "n_params", "RankIC" if ranks else "loss", "se", "runs", "off the fit")]
    for index, point in enumerate(law.points[:_MOST_RUNGS]):
        rows.append(
            (
                point.cell,
                f"{point.n_params:.10g}",
                _figure(point.measured[1], ranks=ranks),
                "-" if point.se is None else f"{point.se:.2g}",
                str(max(1, len(point.seeds))),
                _off_the_fit(point.measured[1], residuals[index], ranks=ranks) if index < len(residuals) else "-",
            )
        )
    return rows


def _off_the_fit(loss: float, residual: float, *, ranks: bool) -> str:
    """Format how far a rung lies above or below the fit: in RankIC, or relative to the fitted loss."""
    return gain(loss * math.exp(-residual) - loss) if ranks else f"{math.expm1(residual):+.2%}"


def _left_out(law: HorizonLaw, *, ranks: bool) -> list[tuple[str, ...]]:
    """Return the left-out rungs to show; for a long ladder only those that carry the fit, and the top one, which tests
    the law."""
    distance = {rung.cell: rung.cooks_distance for rung in law.influential}
    header = ("rung", "RankIC" if ranks else "loss", "predicted", "error", "alpha without it", "Cook's distance")
    left_out = law.leave_one_rung_out
    few = len(left_out) <= _MOST_RUNGS
    shown = [left for left in left_out if few or left.cell in distance or left is left_out[-1]]
    rows = [
        (
            left.cell,
            _figure(left.measured, ranks=ranks),
            _figure(left.predicted, ranks=ranks),
            gain(left.measured - left.predicted) if ranks else f"{left.error:+.2%}",
            f"{left.alpha_without:.4f}",
            f"{distance[left.cell]:.3g}" if left.cell in distance else "-",
        )
        for left in shown
    ]
    return [header, *rows]
