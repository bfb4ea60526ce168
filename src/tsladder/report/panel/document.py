"""Report of a panel study as a list of blocks, the same for every format. Pure.

A study of baselines alone, whose budget is null, has no sections on cells, their law and their searches.
"""

from __future__ import annotations

from collections.abc import Collection

from tsladder.report.blocks import Block, Heading
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.sections.data import data
from tsladder.report.panel.sections.limits import limits_of_models
from tsladder.report.panel.sections.method import method, reproducibility
from tsladder.report.panel.sections.pretraining import pretraining
from tsladder.report.panel.sections.question import opening
from tsladder.report.panel.sections.result import result
from tsladder.report.panel.sections.rungs import rungs
from tsladder.report.panel.sections.scores import test_days, validation_days
from tsladder.report.panel.sections.search import memory, search
from tsladder.report.sections.audit import audit, failed_probes
from tsladder.report.sections.law import law, settle_options, support
from tsladder.report.sections.limits import limits
from tsladder.report.sections.search import left_out
from tsladder.report.sections.verdicts import verdicts


def panel_document(facts: PanelFacts, pictures: Collection[str]) -> tuple[Block, ...]:
    """Return all blocks in reading order. What was not built yet becomes a sentence; a picture not among `pictures` is
    left out."""
    models = bool(facts.planned)
    return (
        Heading(1, f"Study {facts.params.study.name}"),
        *failed_probes(facts.audit),
        *opening(facts),
        *(verdicts(facts, pictures) if models else ()),
        *result(facts),
        *(rungs(facts) if models else ()),
        *test_days(facts, pictures),
        *(_further(facts, pictures) if models else ()),
        *validation_days(facts),
        *data(facts),
        *audit(facts.audit),
        *method(facts),
        *reproducibility(facts),
    )


def _further(facts: PanelFacts, pictures: Collection[str]) -> tuple[Block, ...]:
    """Return what stands behind the verdicts, and how the rungs were found."""
    return (
        *law(facts),
        *support(facts, pictures),
        *limits_of_models(facts),
        *limits(facts),
        *settle_options(facts),
        *search(facts, pictures),
        *pretraining(facts),
        *memory(facts),
        *left_out(facts),
    )
