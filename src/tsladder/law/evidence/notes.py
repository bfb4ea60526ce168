"""Notes on the rungs, shown with the verdict: dropped cells, differences in training, rungs that carry the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.artifacts.law import LawPoint
from tsladder.artifacts.law_evidence import RungLeftOut
from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.forms import Support
from tsladder.law.evidence.leave_one_out import is_outlier
from tsladder.law.points import DroppedCell, RungPoint
from tsladder.law.wording import exponent_in_words, p_in_words

_MOST_NAMED = 6
"""Most rungs named in one sentence; a longer list is given as a count."""

CARRIES = 1.0
"""Cook's distance above which a rung carries the fit."""


def notes_on(
    rungs: Sequence[RungPoint],
    support: Support,
    dropped: Sequence[DroppedCell],
    left_out: Sequence[RungLeftOut],
    *,
    ranks: bool = False,
) -> list[str]:
    """Return the notes as sentences. `left_out`: one entry per rung, or none at all. `ranks`: the losses are rank
    errors, and the notes speak of RankIC."""
    power = support.power
    notes = [f"{cell.cell} was dropped: {cell.reason}" for cell in dropped]
    notes += [f"{p.cell} lies outside its budget and enters at its measured size" for p in rungs if p.off_budget]
    constant = "does not order the stocks: its RankIC lies within its own standard error of 0"
    constant = constant if ranks else "is a constant predictor"
    notes += [f"{p.cell} {constant}" for p in rungs if p.constant_predictor]
    by_count: dict[int, list[str]] = {}
    for p in rungs:
        if p.seeds:
            by_count.setdefault(len(p.seeds), []).append(p.cell)
    if len(by_count) > 1:
        notes.append(f"{_seeds_in_words(by_count)}, so some means are better known than others")
    if alone := by_count.get(1):
        loss, losses = ("RankIC", "RankICs") if ranks else ("loss", "losses")
        one = f"{_some(alone)} has one seed, so its {loss} has"
        several = f"{_some(alone)} have one seed each, so their {losses} have"
        notes.append(f"{one if len(alone) == 1 else several} no standard error")
    precisions = dict.fromkeys(point.precision for point in rungs if point.precision is not None)
    if len(precisions) > 1:
        mixed = "; ".join(f"{p} at " + ", ".join(q.cell for q in rungs if q.precision == p) for p in precisions)
        notes.append(
            f"the rungs differ in precision ({mixed}). docs/decisions.md has what that was seen to move a loss by; "
            "-S training.precision=fp32 asks every rung in one"
        )
    if support.data_exponent is not None:
        notes.append("n_data moves in step with n_params, so the exponent is that of both together")
    elif support.sizes is not None and power is not None:
        notes.append(f"n_data varies, so size is judged at equal data: {support.sizes.reason}")
        notes += support.sizes.doubts
    if power is not None and power.dof <= 1:
        notes.append("one degree of freedom: only a very steep law can show")
    if power is not None and power.dof > 1 and left_out:
        for rung, distance, left in zip(rungs, power.cooks_distance, left_out, strict=True):
            without = f"without it alpha is {exponent_in_words(left.alpha_without)}"
            if is_outlier(left, power.confidence) and left.p_outlier is not None:
                notes.append(
                    f"{rung.cell} does not belong to the law of the other rungs ({p_in_words(left.p_outlier)}, "
                    f"Bonferroni; it lies {-left.error / (1.0 + left.error):+.1%} off their law): {without}"
                )
            elif distance > CARRIES:
                notes.append(f"{rung.cell} carries the fit (Cook's distance {distance:.2f}, above 1): {without}")
    return notes


def note_on_counts(
    points: Sequence[LawPoint], by_count: Mapping[str, PowerLaw | None], count_words: Mapping[str, str]
) -> str | None:
    """Return a sentence on the exponent over each parameter count of a family that counts parts of its own; None
    without an exponent over one of them.

    `count_words`: count -> words to follow "N"; a part's share of all parameters may move with size, and the exponent
    over all of them with it.
    """
    whole = by_count.get("n_params")
    if whole is None:
        return None
    told = []
    for count, words in count_words.items():
        law, sizes = by_count.get(count), [getattr(point, count) for point in points]
        if law is None or any(size is None for size in sizes):
            return None
        shares = [size / point.measured[0] for size, point in zip(sizes, points, strict=True)]
        told.append(
            f"{exponent_in_words(law.alpha)} over N {words} ({min(shares):.0%} to {max(shares):.0%} of all parameters)"
        )
    return f"alpha is {exponent_in_words(whole.alpha)} over all parameters, {' and '.join(told)}"


def _seeds_in_words(by_count: Mapping[int, Sequence[str]]) -> str:
    """Describe unequal numbers of seeds, such as "3 seeds at 78 rungs, 2 at 80k, 200k and 750k", the most frequent
    first."""
    ordered = sorted(by_count.items(), key=lambda item: (-len(item[1]), -item[0]))
    told = [
        f"{count}{' seeds' if place == 0 else ''} at {_some(cells)}" for place, (count, cells) in enumerate(ordered)
    ]
    if len(told) > _MOST_NAMED:
        counts = sorted(by_count)
        told = [*told[:2], f"others from {counts[0]} to {counts[-1]}"]
    return "the rungs have unequal numbers of seeds: " + ", ".join(told)


def _some(cells: Sequence[str]) -> str:
    """List the cells by name where they are few, else return their number."""
    if len(cells) > _MOST_NAMED:
        return f"{len(cells)} rungs"
    return cells[0] if len(cells) == 1 else f"{', '.join(cells[:-1])} and {cells[-1]}"
