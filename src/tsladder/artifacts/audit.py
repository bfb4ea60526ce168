"""artifacts/audit/audit.json: the findings of the leak audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import OmitNone, read_record, write_record
from tsladder.vocabulary import ProbeOutcome

SERIES_PROBES: Mapping[str, str] = {
    "shuffled_targets": "Shuffled targets give no skill",
    "planted_future_feature": "A planted future feature is caught",
    "truncated_future": "Cutting off the future changes no feature",
    "normalisation": "Normalisation sees the window only",
    "shared_days": "No day is shared between regions",
    "label_reach": "No label reaches into the next region",
    "blanked_test_targets": "Blanked test targets change nothing but the score",
}
"""Name of each probe of one series -> its title, in the order in which probes are run and reported."""

PANEL_PROBES: Mapping[str, str] = {
    "permuted_labels": "Labels permuted within each day give no skill",
    "truncated_panel": "Cutting off the future changes no input",
    "future_of_others": "The future of other stocks changes no input",
    "rescaled_history": "The unit of a stock's prices changes nothing",
    "planted_future_column": "A planted future column is caught",
    "label_blind_cross_section": "Missing labels change no cross-section",
    "days_and_label_reach": "No day and no label is shared between regions",
    "entry_lag": "Labels begin at the entry, not before",
    "turned_test_labels": "Turned test labels change nothing but the score",
    "shuffled_days": "Scores belong to their day",
}
"""Name of each probe of a panel -> its title, in order as well."""

PROBES: Mapping[str, str] = {**SERIES_PROBES, **PANEL_PROBES}
"""Name of every probe -> its title."""

_AGAIN = "remove it and run `dvc repro audit`"
_CONSTANT = "constant_columns"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeFinding:
    """Finding of one probe, in words and numbers.

    `needs`: what it would take to decide an inconclusive probe. `outcome` is None in audits that older versions wrote;
    the property `ended` is never None.
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
    """Remark on the data that a reader should know and that is not a leak."""

    name: str
    columns: tuple[str, ...]
    words: str

    @classmethod
    def of_constant_columns(cls, columns: tuple[str, ...], words: str) -> AuditNote:
        """Return the note on the columns that are constant over the training region."""
        return cls(name=_CONSTANT, columns=columns, words=words)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRecord:
    """Leak probes of the study, in the order in which they were run."""

    passed: bool
    probes: tuple[ProbeFinding, ...]
    outcome: Annotated[ProbeOutcome | None, OmitNone()] = None
    notes: tuple[AuditNote, ...] = ()

    @property
    def ended(self) -> ProbeOutcome:
        """Outcome of the whole audit, as the record states it."""
        return _ended(self.outcome, passed=self.passed)

    @property
    def worst(self) -> ProbeOutcome:
        """Outcome of the whole audit, derived from its probes: failed if any failed, else inconclusive if any is, else
        passed."""
        return ProbeOutcome.of_all(probe.ended for probe in self.probes)

    @property
    def constant(self) -> str | None:
        """Sentence on columns that are constant over training; None if there are none, or if the audit did not look for
        them."""
        return next((note.words for note in self.notes if note.name == _CONSTANT), None)

    @property
    def log_lines(self) -> tuple[str, ...]:
        """Lines for the log: one a probe with its outcome, then the notes."""
        return (*(_log_line(probe) for probe in self.probes), *(f"note  {note.words}" for note in self.notes))

    def ending(self, outcome: ProbeOutcome) -> tuple[ProbeFinding, ...]:
        return tuple(probe for probe in self.probes if probe.ended is outcome)


def _log_line(probe: ProbeFinding) -> str:
    if probe.ended is ProbeOutcome.PASSED:
        return f"pass  {probe.title}"
    if probe.ended is ProbeOutcome.FAILED:
        return f"FAIL  {probe.title}: {probe.words}"
    return f"inconclusive  {probe.title}: {probe.words} It would need {probe.needs}."


def _ended(outcome: ProbeOutcome | None, *, passed: bool) -> ProbeOutcome:
    """Return the stated outcome; a finding that did not pass and states no other outcome counts as failed."""
    if outcome in (None, ProbeOutcome.PASSED):
        return ProbeOutcome.PASSED if passed else ProbeOutcome.FAILED
    return outcome


def read_audit(path: Path) -> AuditRecord:
    """Read the audit at `path`. Raises FileNotFoundError if it does not exist, WorkFailed if it is damaged."""
    return read_record(AuditRecord, path, remedy=_AGAIN)


def write_audit(path: Path, audit: AuditRecord) -> None:
    """Replace the audit at `path`."""
    write_record(path, audit)
