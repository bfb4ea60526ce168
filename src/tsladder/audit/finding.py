"""What one probe found, as it enters the record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.audit import PROBES, ProbeFinding
from tsladder.vocabulary import ProbeOutcome

Number = float | int | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`words`: one sentence for people. Numbers are rounded, so that the last bits of a sum never enter the record.

    `needs`: what an inconclusive probe would take to tell, as the end of a sentence "it would need ..."; None for any
    other. Raises ValueError where that is not so, and for a probe that is not in `tsladder.artifacts.audit.PROBES`.
    """

    name: str
    outcome: ProbeOutcome
    numbers: Mapping[str, Number]
    words: str
    needs: str | None = None

    def __post_init__(self) -> None:
        if self.name not in PROBES:
            raise ValueError(f"{self.name!r} is no probe of the audit ({', '.join(PROBES)})")
        if (self.needs is not None) != (self.outcome is ProbeOutcome.INCONCLUSIVE):
            raise ValueError(f"{self.name}: exactly an inconclusive probe says what it needs; this one {self.outcome}")

    @property
    def passed(self) -> bool:
        return self.outcome is ProbeOutcome.PASSED

    def record(self) -> ProbeFinding:
        """As the audit's file has it."""
        return ProbeFinding(
            name=self.name,
            title=PROBES[self.name],
            passed=self.passed,
            outcome=self.outcome,
            numbers={key: _json_number(value) for key, value in self.numbers.items()},
            words=self.words,
            needs=self.needs,
        )


def outcome_of(*, leak: bool, blind: bool) -> ProbeOutcome:
    """`leak`: one was seen, which counts however blind the probe is. `blind`: one could have been missed."""
    if leak:
        return ProbeOutcome.FAILED
    return ProbeOutcome.INCONCLUSIVE if blind else ProbeOutcome.PASSED


def _json_number(value: Number) -> Number:
    """JSON knows no infinity and no NaN."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def rounded(value: float, digits: int = 3) -> float:
    """`value` to so many significant digits."""
    return float(f"{value:.{digits}g}")


def listed(names: list[str], at_most: int = 3) -> str:
    """The first of `names` in words, and how many more."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
