"""Leak audit. A failed probe is reported before anything else, since no figure below it is valid."""

from __future__ import annotations

from tsladder.artifacts.audit import AuditRecord, ProbeFinding
from tsladder.report import words
from tsladder.report.blocks import Block, Heading, Paragraph, Points, Table, Tone, or_words, table
from tsladder.vocabulary import ProbeOutcome

NO_FIGURE = "The probes left no numbers."
COUNT = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def alarm(audit: AuditRecord | None) -> list[Block]:
    """Return the failed probes, for the top of the page; empty where none failed or none ran."""
    if audit is None or audit.worst is not ProbeOutcome.FAILED:
        return []
    failed = tuple((probe.title, probe.words or words.MISSING) for probe in audit.ending(ProbeOutcome.FAILED))
    return [
        Heading(2, "The leak audit failed: no figure below counts"),
        Paragraph(
            f"{_many(len(failed)).capitalize()} of {_many(len(audit.probes))} leak probes found that the forecasts may "
            "know what they are to forecast, so every verdict is invalid until that is mended."
        ),
        Points(failed),
    ]


def audit(found: AuditRecord | None) -> list[Block]:
    """Return all probes with their outcomes and numbers."""
    blocks: list[Block] = [Heading(2, "Leak audit")]
    if found is None:
        return [*blocks, Paragraph("The leak audit has not been run, so nothing here is known to be free of leaks.")]
    return [*blocks, Paragraph(_headline(found)), probes_table(found), *or_words(figures_table(found), NO_FIGURE)]


RESULTS = {
    ProbeOutcome.PASSED: ("pass", Tone.GOOD),
    ProbeOutcome.FAILED: ("FAIL", Tone.BAD),
    ProbeOutcome.INCONCLUSIVE: ("inconclusive", Tone.MIXED),
}


def probes_table(audit: AuditRecord) -> Table:
    rows = [[probe.title, RESULTS[probe.ended][0], _seen(probe)] for probe in audit.probes]
    tones = {(row, 1): RESULTS[probe.ended][1] for row, probe in enumerate(audit.probes)}
    return table("audit", "The leak probes", text=("probe", "result", "what was seen"), rows=rows, tones=tones)


def _seen(probe: ProbeFinding) -> str:
    return probe.words if probe.needs is None else f"{probe.words} To tell, it would need {probe.needs}."


def figures_table(audit: AuditRecord) -> Table:
    """Return one row per probe with all its numbers side by side; one row per number would fill three pages."""
    rows = [[probe.title, _numbers(probe)] for probe in audit.probes if probe.numbers]
    return table("audit-figures", "What the probes measured", text=("probe", "numbers"), rows=rows)


def _headline(audit: AuditRecord) -> str:
    many, failed = len(audit.probes), len(audit.ending(ProbeOutcome.FAILED))
    open_probes = len(audit.ending(ProbeOutcome.INCONCLUSIVE))
    if failed:
        return f"{_many(failed).capitalize()} of {_many(many)} leak probes failed: every verdict is invalid."
    if open_probes:
        was = "was" if open_probes == 1 else "were"
        return (
            f"No leak was seen. {_many(open_probes).capitalize()} of {_many(many)} leak probes {was} inconclusive: "
            "a leak there might have gone unseen. The verdicts stand."
        )
    said = "The leak probe passed" if many == 1 else f"All {_many(many)} leak probes passed"
    return f"{said}: none found a way for the future to reach a forecast."


def _many(number: int) -> str:
    return COUNT[number] if number < len(COUNT) else str(number)


def _numbers(probe: ProbeFinding) -> str:
    return words.listed(f"{name.replace('_', ' ')} {_number(value)}" for name, value in probe.numbers.items())


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return words.count(value) if isinstance(value, int) else words.short(value)
