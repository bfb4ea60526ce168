"""Input of a verdict: the points, the form that they support, and what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.forms import Support
from tsladder.law.next_runs import Cost
from tsladder.law.points import RungPoint


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """The input of a verdict. `points` in order of size; `fit`: the power law of `support`."""

    points: Sequence[RungPoint]
    support: Support
    fit: PowerLaw
    alpha_of_interest: float
    confidence: float
    interest_option: str
    cost: Cost | None

    @property
    def noise(self) -> float:
        return self.support.noise_of(self.points) or 0.0
