"""What to know of the rungs beside their verdict: which were dropped, how they were trained, which carry the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.law.fit import PowerFit
from tsladder.law.points import DroppedCell, RungPoint

_MOST_NAMED = 6
"""Rungs in one sentence; of more their number is told."""

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
    by_count: dict[int, list[str]] = {}
    for p in rungs:
        if p.seeds:
            by_count.setdefault(len(p.seeds), []).append(p.cell)
    if len(by_count) > 1:
        notes.append(f"{_seeds_in_words(by_count)}, so some means are better known than others")
    if alone := by_count.get(1):
        one = f"{_some(alone)} has one seed, so its loss has"
        several = f"{_some(alone)} have one seed each, so their losses have"
        notes.append(f"{one if len(alone) == 1 else several} no standard error")
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


def _seeds_in_words(by_count: Mapping[int, Sequence[str]]) -> str:
    """Such as "3 seeds at 78 rungs, 2 at 80k, 200k and 750k": the most frequent number of seeds first."""
    ordered = sorted(by_count.items(), key=lambda item: (-len(item[1]), -item[0]))
    told = [
        f"{count}{' seeds' if place == 0 else ''} at {_some(cells)}" for place, (count, cells) in enumerate(ordered)
    ]
    if len(told) > _MOST_NAMED:
        counts = sorted(by_count)
        told = [*told[:2], f"others from {counts[0]} to {counts[-1]}"]
    return "the rungs have unequal numbers of seeds: " + ", ".join(told)


def _some(cells: Sequence[str]) -> str:
    """All by name where they are few."""
    if len(cells) > _MOST_NAMED:
        return f"{len(cells)} rungs"
    return cells[0] if len(cells) == 1 else f"{', '.join(cells[:-1])} and {cells[-1]}"
