"""Searches of a panel study: the best so far, what they chose and covered, time and memory; as in a series study, but
for the memory."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.artifacts.trials import latest
from tsladder.report import words as common
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Table, or_sentence, table
from tsladder.report.facts import CellFacts
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.best_so_far import progress_of
from tsladder.report.panel.figures.names import BEST_SO_FAR
from tsladder.report.patterns.permutation_test import FEWEST
from tsladder.report.sections.patterns import patterns
from tsladder.report.sections.search import architectures, coverage, settings, utilisation


def search(facts: PanelFacts, pictures: Collection[str]) -> list[Block]:
    """Return how each search went, what it chose and what it covered; what the trials of a search have in common only
    where one has enough to say."""
    most = max((len(progress_of(cell).numbers) for cell in facts.planned), default=0)
    return [
        Heading(2, "Search"),
        *_best_so_far(pictures),
        *coverage(facts),
        *architectures(facts, pictures),
        *(settings(facts) if len(facts.params.horizons) > 1 else ()),
        *utilisation(facts),
        *(patterns(facts) if most >= FEWEST else ()),
    ]


def memory(facts: PanelFacts) -> list[Block]:
    """Return the memory that each cell was predicted to take, and what it took."""
    return [
        Heading(2, "Memory"),
        *or_sentence(memory_table(facts), "No training has left a measurement."),
        Paragraph(
            "Predicted: what the plan of the batch counts for a training, of which the next one is started only where "
            "it fits. Measured: the most that a training held. Both are those of the largest trial and the largest "
            "seed; a ratio above 1 would mean that the prediction is too low."
        ),
    ]


def memory_table(facts: PanelFacts) -> Table:
    """Return one row per planned cell with a finished training."""
    rows = [row for cell in facts.planned if (row := _memory_row(cell)) is not None]
    return table(
        "memory",
        "Memory predicted and measured, GiB",
        text=("cell",),
        numbers=(
            "trials, predicted",
            "trials, measured",
            "measured / predicted, least",
            "most",
            "seeds, predicted",
            "seeds, measured",
        ),
        rows=rows,
    )


def _memory_row(cell: CellFacts) -> tuple[str, ...] | None:
    measured = [
        (trial.outcome.peak_memory_gib, trial.predicted_memory_gib)
        for trial in latest(cell.search.trials).values()
        if trial.outcome.peak_memory_gib is not None
    ]
    again = cell.retraining
    if not measured and again.peak_memory_gib is None:
        return None
    shares = [peak / predicted for peak, predicted in measured if predicted > 0.0]
    return (
        str(cell.cell),
        common.number(max((predicted for _, predicted in measured), default=None), 2),
        common.number(max((peak for peak, _ in measured), default=None), 2),
        common.number(min(shares, default=None), 2),
        common.number(max(shares, default=None), 2),
        common.number(again.predicted_memory_gib, 2),
        common.number(again.peak_memory_gib, 2),
    )


def _best_so_far(pictures: Collection[str]) -> list[Block]:
    if BEST_SO_FAR not in pictures:
        return [Paragraph("No trial has ended with a RankIC on validation.")]
    return [
        Picture(BEST_SO_FAR, "RankIC on validation of every trial and the best so far, one line per rung"),
        Paragraph(
            "Trials that were pruned or failed are left out. The best of several trials is the higher the more there "
            "are, whatever was tried: the searches of all rungs have the same number."
        ),
    ]
