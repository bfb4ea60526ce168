"""Report of a panel study as a list of blocks, the same for every format. Pure.

Sections on models (cells, their law, the search) belong between the result and the baselines' tables.
"""

from __future__ import annotations

from collections.abc import Collection

from tsladder.report.blocks import Block, Heading
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.sections.data import data
from tsladder.report.panel.sections.method import method, reproducibility
from tsladder.report.panel.sections.question import opening
from tsladder.report.panel.sections.result import result
from tsladder.report.panel.sections.scores import test_days, validation_days
from tsladder.report.sections.audit import alarm, audit


def panel_document(facts: PanelFacts, pictures: Collection[str]) -> tuple[Block, ...]:
    """Return all blocks in reading order. What was not built yet becomes a sentence; a picture not among `pictures` is
    left out."""
    return (
        Heading(1, f"Study {facts.params.study.name}"),
        *alarm(facts.audit),
        *opening(facts),
        *result(facts),
        *test_days(facts, pictures),
        *validation_days(facts),
        *data(facts),
        *audit(facts.audit),
        *method(facts),
        *reproducibility(facts),
    )
