"""The leak audit as the law reads it: a check that it is complete, its failed and its inconclusive probes."""

from __future__ import annotations

from pathlib import Path

from tsladder.artifacts.audit import PANEL_PROBES, SERIES_PROBES, AuditRecord, read_audit
from tsladder.errors import WorkFailed
from tsladder.vocabulary import ProbeOutcome

_WHOLE = (tuple(SERIES_PROBES), tuple(PANEL_PROBES))
"""Probes of a whole audit: those of a series, or those of a panel."""


def whole_audit(path: Path) -> AuditRecord:
    """Read the audit's record from `path`.

    Raises WorkFailed when the record is missing, damaged or short of a probe: a law without the whole audit would look
    as sound as one that passed it.
    """
    try:
        record = read_audit(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro audit` first; no law is told without its audit") from None
    except WorkFailed as error:
        raise WorkFailed(f"{path} is no whole audit: {str(error).removeprefix(f'{path}: ')}") from None
    if not _is_sound(record):
        probes = " or ".join(", ".join(names) for names in _WHOLE)
        raise WorkFailed(f"{path} is no whole audit ({probes}): remove it and run `dvc repro audit`")
    return record


def _is_sound(record: AuditRecord) -> bool:
    """Check that all probes are there in order, and that each outcome agrees with the related fields."""
    return (
        tuple(probe.name for probe in record.probes) in _WHOLE
        and all(probe.passed is (probe.ended is ProbeOutcome.PASSED) for probe in record.probes)
        and all(probe.needs for probe in record.ending(ProbeOutcome.INCONCLUSIVE))
        and record.ended is record.worst
        and record.passed is (record.worst is ProbeOutcome.PASSED)
    )


def failed_probes(record: AuditRecord) -> list[str]:
    """Return, for each probe that found a leak, its name and its finding."""
    return [f"{probe.name}: {probe.words.rstrip('.')}" for probe in record.ending(ProbeOutcome.FAILED)]


def inconclusive_probes(record: AuditRecord) -> str | None:
    """Return one sentence on the inconclusive probes and what each would need; None where every probe reached a result.

    The sentence is shown with the verdict and does not change it.
    """
    told = [f'"{probe.title}" would need {probe.needs}' for probe in record.ending(ProbeOutcome.INCONCLUSIVE)]
    if not told:
        return None
    probes = "a probe of the leak audit was" if len(told) == 1 else f"{len(told)} probes of the leak audit were"
    return f"{probes} inconclusive, so not every leak would have been seen: {'. '.join(told)}"
