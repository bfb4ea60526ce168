"""Notes on the input columns: left-out volume columns, and columns that are constant over training."""

from __future__ import annotations

from tsladder.report import words
from tsladder.report.blocks import Block, Heading, Paragraph
from tsladder.report.facts import SeriesFacts


def columns(facts: SeriesFacts) -> list[Block]:
    """Return the section on columns; empty where every column of the tier is an input and varies."""
    constant = None if facts.audit is None else facts.audit.constant
    notes = [*_without_volume(facts), *([] if constant is None else [constant])]
    return [Heading(3, "Columns"), *map(Paragraph, notes)] if notes else []


def _without_volume(facts: SeriesFacts) -> list[str]:
    data = facts.params.data
    if data.volume:
        return []
    count = "" if facts.data is None else f" {words.count(len(facts.data.columns))} columns were fed."
    return [f"Tier {data.tier_words}: data.volume is false, so every column made of the volume was left out.{count}"]
