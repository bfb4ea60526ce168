"""artifacts/audit/audit.json: what the leak audit found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import OmitNone, read_record, write_record
from tsladder.vocabulary import ProbeOutcome

PROBES: Mapping[str, str] = {
    "shuffled_targets": "Shuffled targets give no skill",
    "planted_future_feature": "A planted future feature is caught",
    "truncated_future": "Cutting off the future changes no feature",
    "normalisation": "Normalisation sees the window only",
    "shared_days": "No day is shared between regions",
    "label_reach": "No label reaches into the next region",
    "blanked_test_targets": "Blanked test targets change nothing but the score",
}
"""Name -> title, in the order in which they are run and told."""

_AGAIN = "remove it and run `dvc repro audit`"
_CONSTANT = "constant_columns"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeFinding:
    """What one probe looked at, in words and numbers. `needs`: what an inconclusive one would take to tell.

    `outcome` is None in audits from before there were outcomes; `ended` is never.
    """

    name: str
    title: str
    passed: bool
    numbers: Mapping[str, int | float | str]
    words: str
    outcome: Annotated[ProbeOutcome | None, OmitNone()] = None
    needs: str | None = None

    @property
    def ended(self) -> ProbeOutcome:
        return _ended(self.outcome, passed=self.passed)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditNote:
    """What a reader should know of the data and is no leak."""

    name: str
    columns: tuple[str, ...]
    words: str

    @classmethod
    def of_constant_columns(cls, columns: tuple[str, ...], words: str) -> AuditNote:
        """Columns that are constant over training."""
        return cls(name=_CONSTANT, columns=columns, words=words)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRecord:
    """The leak probes of the study, in their order."""

    passed: bool
    probes: tuple[ProbeFinding, ...]
    outcome: Annotated[ProbeOutcome | None, OmitNone()] = None
    notes: tuple[AuditNote, ...] = ()

    @property
    def ended(self) -> ProbeOutcome:
        """What the record says of the whole."""
        return _ended(self.outcome, passed=self.passed)

    @property
    def worst(self) -> ProbeOutcome:
        """What follows from its probes: failed if any failed, else inconclusive if any is, else passed."""
        return ProbeOutcome.of_all(probe.ended for probe in self.probes)

    @property
    def constant(self) -> str | None:
        """A sentence on columns that are constant over training; None where there is none, or none was looked for."""
        return next((note.words for note in self.notes if note.name == _CONSTANT), None)

    def ending(self, outcome: ProbeOutcome) -> tuple[ProbeFinding, ...]:
        return tuple(probe for probe in self.probes if probe.ended is outcome)


def _ended(outcome: ProbeOutcome | None, *, passed: bool) -> ProbeOutcome:
    """What did not pass and names no other outcome has failed."""
    if outcome in (None, ProbeOutcome.PASSED):
        return ProbeOutcome.PASSED if passed else ProbeOutcome.FAILED
    return outcome


def read_audit(path: Path) -> AuditRecord:
    """The audit at `path`. Raises FileNotFoundError where there is none, WorkFailed for a damaged one."""
    return read_record(AuditRecord, path, remedy=_AGAIN)


def audit_if_there(path: Path) -> AuditRecord | None:
    """As `read_audit`; None where there is none."""
    try:
        return read_audit(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_audit(path: Path, audit: AuditRecord) -> None:
    """Replace the audit at `path`."""
    write_record(path, audit)
