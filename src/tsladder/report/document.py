"""Report as a list of blocks, the same for every format: answer, support, effort, environment. Pure."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.report.blocks import Block, Heading, Paragraph
from tsladder.report.facts import SeriesFacts
from tsladder.report.sections.audit import audit, failed_probes
from tsladder.report.sections.columns import columns
from tsladder.report.sections.law import law, settle_options, support
from tsladder.report.sections.limits import limits
from tsladder.report.sections.scores import at_a_glance, scores
from tsladder.report.sections.search import effort, left_out, search
from tsladder.report.sections.study import data, environment, question
from tsladder.report.sections.verdicts import verdicts


def document(facts: SeriesFacts, pictures: Collection[str]) -> tuple[Block, ...]:
    """Return all blocks in reading order. A table without rows, or a picture not among `pictures`, becomes
    a sentence."""
    return (
        Heading(1, f"Study {facts.params.study.name}"),
        *failed_probes(facts.audit),
        Paragraph(question(facts)),
        *verdicts(facts, pictures),
        *law(facts),
        *at_a_glance(facts),
        *support(facts, pictures),
        *scores(facts, pictures),
        *audit(facts.audit),
        *limits(facts),
        *settle_options(facts),
        *search(facts, pictures),
        *effort(facts),
        *left_out(facts),
        *data(facts),
        *columns(facts),
        *environment(facts),
    )
