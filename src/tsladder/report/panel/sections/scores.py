"""Scores of constants and baselines on test and validation: tables and pictures."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.report.blocks import Block, Heading, Paragraph, Picture
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.names import BY_MONTH, CUMULATIVE, FIFTHS, OVER_TIME, RANK_IC
from tsladder.report.panel.tables import days_of, portfolio_table, ranking_table, short_table
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import Region

_BASELINES = "the three best baselines and of the stricter constant"
_MODELS = "the best and the largest rung, of the best baseline and of the stricter constant"
_PICTURES = {
    RANK_IC: "RankIC and quantile spread of every ranking on the test days, with intervals, beside the constants",
    CUMULATIVE: "Summed return of the long-short portfolios of {followed} over the test days, before and after costs",
    BY_MONTH: "RankIC of the best rung in each month of the test days, with the mean of all days",
    FIFTHS: "Mean return of the stocks by fifths of their scores, of the best rung and of the best baseline",
    OVER_TIME: "RankIC of {followed} in each part of the test days",
}
_NONE = "No horizon has been scored, so there is nothing to show."
_MARKED = (
    "An interval marked (includes 0), or (includes 50) for a hit rate, does not tell the ranking from one without "
    "skill. Each interval is of one figure: of many such figures, {missed} are expected to miss by chance."
)


def test_days(facts: PanelFacts, pictures: Collection[str]) -> list[Block]:
    """Return pictures and full tables of the test days, horizon by horizon."""
    blocks: list[Block] = [Heading(2, "Test days")]
    scored = facts.scored()
    if not scored:
        return [*blocks, Paragraph(_NONE)]
    followed = _MODELS if facts.rungs else _BASELINES
    blocks += [
        Picture(file, words_.format(followed=followed)) for file, words_ in _PICTURES.items() if file in pictures
    ]
    missed = confidence_level(1.0 - facts.params.evaluation.confidence)
    blocks.append(Paragraph(_MARKED.format(missed=missed)))
    for horizon, level in scored.items():
        if len(scored) > 1:
            blocks.append(Heading(3, f"Horizon {words.sessions(horizon)}"))
        blocks.append(Paragraph(f"Scored on {days_of(level)}; stricter constant: {words.name(level.stricter)}."))
        blocks.append(ranking_table(facts, level, Region.TEST))
        blocks.append(portfolio_table(facts, level, Region.TEST))
    return blocks


def validation_days(facts: PanelFacts) -> list[Block]:
    """Return a short table of the validation days for each horizon."""
    blocks: list[Block] = [Heading(2, "Validation days")]
    scored = facts.scored(Region.VALIDATION)
    if not scored:
        return [*blocks, Paragraph(_NONE)]
    for level in scored.values():
        blocks.append(Paragraph(f"Scored on {days_of(level)}."))
        blocks.append(short_table(facts, level, Region.VALIDATION))
    return blocks
