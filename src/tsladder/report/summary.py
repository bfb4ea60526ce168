"""Summarise the verdicts in a few lines, for the end of a terminal run."""

from __future__ import annotations

from tsladder.artifacts.audit import read_audit
from tsladder.artifacts.law import HorizonLaw, read_law
from tsladder.artifacts.store import if_there
from tsladder.places import Places
from tsladder.report import law_words, words
from tsladder.vocabulary import ProbeOutcome

PARTS = "Of the rungs: other searches and seeds. Of the days: other test days, the same for all rungs."
"""Explanation of the two parts of an interval of alpha."""


def verdict_lines(places: Places) -> list[str]:
    """Return a headline and its reason per horizon; one line where no law has been fitted yet."""
    law = if_there(read_law)(places.scaling)
    if law is None:
        return ["no verdict yet: the law has not been fitted"]
    if not law.horizons:
        return ["no verdict: no cell is planned"]
    audit = if_there(read_audit)(places.audit_record) or law.audit
    failed = audit.ending(ProbeOutcome.FAILED) if audit else ()
    lines = [f"LEAK PROBE FAILED: {probe.title}. {probe.words}".rstrip() for probe in failed]
    for horizon, of_horizon in sorted(law.horizons.items()):
        lines += [_headline(horizon, of_horizon), f"    {of_horizon.reason}"]
        lines += [f"    WARNING: {warning}" for warning in of_horizon.warnings]
        if of_horizon.beaten_by:
            names = words.listed(words.forecast(name) for name in of_horizon.beaten_by)
            lines.append(f"    Every rung is beaten by: {names}")
    if any(law.alpha is not None and law.alpha_ci_days is not None for law in law.horizons.values()):
        lines.append(PARTS)
    return lines


def _headline(horizon: int, law: HorizonLaw) -> str:
    parts = [f"h{horizon}  {law.verdict}", *filter(None, [law_words.slope(law)])]
    if law.alpha is not None:
        parts.append(f"alpha {words.exponent(law.alpha)} ({law_words.ends_and_parts(law)}){law_words.scope(law)}")
    if law.minimum_detectable_alpha is not None:
        parts.append(f"detectable from {'somewhere in ' if law_words.is_range(law) else ''}{law_words.detectable(law)}")
    return "  ".join(parts)
