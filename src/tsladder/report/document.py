"""The report as a list of blocks, the same for every format: verdicts first, then what supports them. Pure."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.report.blocks import Block, Heading, Paragraph
from tsladder.report.facts import Facts
from tsladder.report.sections.audit import alarm, audit
from tsladder.report.sections.law import law
from tsladder.report.sections.limits import limits
from tsladder.report.sections.scores import scores
from tsladder.report.sections.search import search
from tsladder.report.sections.study import data, environment, left_out, question
from tsladder.report.sections.verdicts import verdicts


def document(facts: Facts, pictures: Collection[str]) -> tuple[Block, ...]:
    """All blocks in reading order. A table without rows, or a picture not among `pictures`, becomes a sentence."""
    return (
        Heading(1, f"Study {facts.params.study.name}"),
        *alarm(facts),
        Paragraph(question(facts)),
        *verdicts(facts),
        *law(facts, pictures),
        *audit(facts),
        *scores(facts, pictures),
        *limits(facts),
        *search(facts, pictures),
        *left_out(facts),
        *data(facts),
        *environment(facts),
    )
