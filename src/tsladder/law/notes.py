"""What to know of the rungs beside their verdict: which were dropped, how they were trained, which carry the fit."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.law.fit import PowerFit
from tsladder.law.points import DroppedCell, RungPoint

CARRIES = 1.0
"""Cook's distance from which a rung carries the fit."""


def notes_on(
    rungs: Sequence[RungPoint],
    power: PowerFit | None,
    dropped: Sequence[DroppedCell],
    *,
    in_step: bool,
    varying: bool,
) -> list[str]:
    """Sentences. `varying`: n_data does; `in_step`: with n_params, so that the two cannot be told apart."""
    notes = [f"{cell.cell} was dropped: {cell.reason}" for cell in dropped]
    notes += [f"{p.cell} lies outside its budget and enters at its measured size" for p in rungs if p.off_budget]
    notes += [f"{p.cell} is a constant predictor" for p in rungs if p.constant_predictor]
    counts = {p.cell: len(p.seeds) for p in rungs if p.seeds}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{cell} {count}" for cell, count in counts.items())
        notes.append(f"the rungs have unequal numbers of seeds ({listed}), so some means are better known than others")
    notes += [f"{p.cell} has one seed, so its loss has no standard error" for p in rungs if len(p.seeds) == 1]
    precisions = dict.fromkeys(point.precision for point in rungs if point.precision is not None)
    if len(precisions) > 1:
        mixed = "; ".join(f"{p} at " + ", ".join(q.cell for q in rungs if q.precision == p) for p in precisions)
        notes.append(
            f"the rungs differ in precision ({mixed}). docs/decisions.md has what that was seen to move a loss by; "
            "-S training.precision=fp32 asks every rung in one"
        )
    if in_step and power is not None:
        notes.append(
            "n_data varies, but in step with n_params or on too few points to tell them apart, so the exponent is that "
            "of both together"
        )
    elif varying and power is not None:
        notes.append("n_data varies: the exponent of n_params is taken at equal n_data, by a log-linear fit of both")
    if power is not None and power.dof == 1:
        notes.append("three rungs leave one degree of freedom: only a very steep law can show")
    if power is not None and power.dof > 1:
        carrying = [p.cell for p, d in zip(rungs, power.cooks_distance, strict=True) if d > CARRIES]
        notes += [f"{cell} carries the fit (Cook's distance above 1); see leave_one_rung_out" for cell in carrying]
    return notes
