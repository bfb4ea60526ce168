"""Sentences on the effect of size: a model ten times larger, the floor, the turn, an effect too small to matter."""

from __future__ import annotations

import math

from tsladder.artifacts.law_fits import FloorLaw
from tsladder.law.curve.floor import loss_above_floor
from tsladder.law.curve.forms import Form
from tsladder.law.points import size_in_words
from tsladder.law.precision_in_words import estimate
from tsladder.law.surface.surface_fit import SurfaceFit
from tsladder.law.surface.tenfold import Tenfold
from tsladder.law.verdict_case import Case
from tsladder.law.wording import interval_in_words, share_in_words

_BEYOND_WORDS = 700.0
"""Log of the largest change that a float can hold."""


def tenfold_effect(case: Case) -> str:
    """State the effect of a model ten times larger, where one exponent describes the rungs."""
    sizes = case.support.sizes
    if sizes is not None and sizes.tenfold_at_same_data is not None:
        told = _tenfold_of_sizes(sizes.tenfold_at_same_data, sizes.tenfold_along_optimum)
        return (
            _surface_words(sizes.surface) + told
            if case.support.form is Form.SURFACE and sizes.surface.identified
            else told
        )
    change = math.expm1(min(-case.fit.alpha * math.log(10.0), _BEYOND_WORDS))
    more = "higher" if change > 0.0 else "lower"
    return f"A model ten times larger{case.support.on_data} has a loss {share_in_words(abs(change))} {more}."


def _tenfold_of_sizes(same_data: Tenfold, optimum: Tenfold | None) -> str:
    def change(tenfold: Tenfold) -> str:
        low, high = sorted((abs(tenfold.change_ci[0]), abs(tenfold.change_ci[1])))
        ends = f" ({low:.1%} to {high:.1%})" if tenfold.change_ci[0] * tenfold.change_ci[1] > 0.0 else ""
        return f"{share_in_words(abs(tenfold.change))}{ends} {'lower' if tenfold.change < 0.0 else 'higher'}"

    told = f"A model ten times larger on the same data (from {size_in_words(same_data.from_n)} to "
    told += (
        f"{size_in_words(same_data.to_n)} parameters at n_data = {size_in_words(same_data.n_data or 0.0)}) has a loss "
    )
    told += f"{change(same_data)}."
    if optimum is not None:
        told += f" With {optimum.data_growth:.3g} times the data, as the least loss for its compute asks, it is "
        told += f"{change(optimum)}."
    return told


def _surface_words(surface: SurfaceFit) -> str:
    """State the surface over which the exponent at equal data is an average."""
    figures = [("E", surface.E), ("alpha", surface.alpha), ("beta", surface.beta)]
    told = ", ".join(f"{name} = {value:.4g}" for name, value in figures if value is not None)
    return f"That is its average over these sizes on the surface E + A N^-alpha + B D^-beta with {told}. "


def fall_towards_a_floor(case: Case, floor: FloorLaw) -> str:
    """State the fall towards a floor, with the floor where it is known."""
    largest, support = case.points[-1].n_params, case.support
    low, high = floor.E_ci or (0.0, math.inf)
    ends = f"{case.fit.confidence:.0%} interval {low:.4g} to {high:.4g}"
    falls = f"The loss falls as models grow{support.together}"
    average = f"On average over these rungs {estimate(case)}."
    if not floor.identified or floor.alpha is None:
        return (
            f"{falls}, and ever less: a law without a floor fits significantly worse. The floor itself is not known "
            f"well ({ends}), so no exponent above it is given. {average} Beyond the largest rung the loss falls by "
            "less."
        )
    change = 1.0 - float(loss_above_floor(floor, 10.0 * largest) / loss_above_floor(floor, largest))
    exponent = f"alpha {floor.alpha:.4f}"
    if floor.alpha_ci is not None:
        exponent += f" ({interval_in_words(floor.alpha_ci)})"
    return (
        f"{falls}, towards a floor of {floor.E:.4g} ({ends}): what lies above the floor falls as a power of size, "
        f"{exponent}. {average} A model ten times larger than the largest rung{support.on_data} has a loss "
        f"{share_in_words(change)} lower."
    )


def turn_in_words(case: Case) -> str:
    """State where the curve turns; empty where none was fitted."""
    overfit = case.support.overfit
    if overfit is None or overfit.turns_at_n is None:
        return ""
    return (
        f" Within it these rungs follow a curve that falls up to about {size_in_words(overfit.turns_at_n)} and rises "
        "beyond: no single exponent describes it."
    )


def is_negligible(case: Case) -> bool:
    """Check whether the whole interval of the exponent lies inside the exponent of interest."""
    low, high = case.fit.alpha_ci
    return -case.alpha_of_interest < low <= high < case.alpha_of_interest


def negligible_effect(case: Case) -> str:
    """State that a significant effect is too small to matter; empty where it is not."""
    if not is_negligible(case):
        return ""
    return (
        f" It is negligible all the same: the whole interval lies inside ±{case.alpha_of_interest:g}, the exponent of "
        "interest."
    )
