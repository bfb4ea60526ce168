"""A verdict, and its input: the points, the form that they support, and what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tsladder.artifacts.law_evidence import NeighbourContrast, SettleOption
from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.forms import Support
from tsladder.law.next_runs import Cost
from tsladder.law.points import RungPoint


class VerdictName(StrEnum):
    INVALID = "invalid"
    TOO_FEW_RUNGS = "too_few_rungs"
    NO_SKILL = "no_skill"
    SCALES = "scales"
    WORSE_WITH_SIZE = "worse_with_size"
    FLAT = "flat"
    NOT_MONOTONE = "not_monotone"
    UNDERPOWERED = "underpowered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A verdict. `reason` explains it in numbers; `settle` says what would confirm, sharpen or overturn it, and
    `options` holds the same as data where it is more seeds, rungs or days."""

    name: VerdictName
    reason: str
    settle: str
    options: tuple[SettleOption, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """The input of a verdict. `points` in order of size; `fit`: the power law of `support`; `day_scatter`: relative
    variance of a rung mean by days that move each rung on its own."""

    points: Sequence[RungPoint]
    support: Support
    fit: PowerLaw
    alpha_of_interest: float
    confidence: float
    interest_option: str
    cost: Cost | None
    day_scatter: float = 0.0

    @property
    def noise(self) -> float:
        return self.support.noise_of(self.points) or 0.0


class Sentences(Protocol):
    """The verdicts in sentences: a module with one function for each name of a verdict."""

    @property
    def FIGURES(self) -> str: ...

    def no_exponent(self, support: Support, /) -> Verdict: ...
    def no_skill(self, case: Case, /) -> Verdict: ...
    def scales(self, case: Case, /) -> Verdict: ...
    def worse(self, case: Case, /) -> Verdict: ...
    def flat(self, case: Case, /) -> Verdict: ...
    def not_monotone(
        self, case: Case, falls: Sequence[NeighbourContrast], rises: Sequence[NeighbourContrast], /
    ) -> Verdict: ...
    def underpowered(self, case: Case, outliers: Sequence[str], /) -> Verdict: ...
