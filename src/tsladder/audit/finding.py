"""Finding of one probe, as it enters the audit's record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.audit import PROBES, ProbeFinding
from tsladder.vocabulary import ProbeOutcome

Number = float | int | str


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Result of one probe.

    `words`: one sentence for the reader. Numbers are rounded, so that the last bits of a sum never enter the record.
    `needs`: what an inconclusive probe would need for an answer, as the end of a sentence "it would need ..."; None for
    any other. Raises ValueError where `needs` does not match the outcome, and for a name that is not in
    `tsladder.artifacts.audit.PROBES`.
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
        """Return the finding as it stands in the audit's file."""
        return ProbeFinding(
            name=self.name,
            title=PROBES[self.name],
            passed=self.passed,
            outcome=self.outcome,
            numbers={key: _json_number(value) for key, value in self.numbers.items()},
            words=self.words,
            needs=self.needs,
        )


def outcome_of(*, leak: bool, inconclusive: bool) -> ProbeOutcome:
    """Return the outcome of a probe: FAILED where a leak was found, even if the probe could have missed others;
    otherwise INCONCLUSIVE where a leak could have been missed (`inconclusive`), else PASSED."""
    if leak:
        return ProbeOutcome.FAILED
    return ProbeOutcome.INCONCLUSIVE if inconclusive else ProbeOutcome.PASSED


def _json_number(value: Number) -> Number:
    """Return `value`, as text where it is infinite or NaN, which JSON does not have."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def rounded(value: float, digits: int = 3) -> float:
    """Round `value` to `digits` significant digits."""
    return float(f"{value:.{digits}g}")


def listed(names: list[str], at_most: int = 3) -> str:
    """Join the first `at_most` of `names` into a list in words, followed by the number of the others."""
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
