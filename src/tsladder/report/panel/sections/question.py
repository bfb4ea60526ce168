"""Question of a panel study and how its stocks were chosen: the top of the page."""

from __future__ import annotations

from tsladder.panel.baseline_runs import bias_sentence
from tsladder.report.blocks import Block, Paragraph
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.words import counted


def question(facts: PanelFacts) -> str:
    """Return the question, with panel, horizons and entry lag, and the rungs of a study of models."""
    params = facts.params
    stocks = "stocks" if facts.features is None else f"{facts.features.symbols:,} stocks"
    horizons = words.joined([f"{horizon:,}" for horizon in params.horizons])
    unit = "session" if params.horizons == (1,) else "sessions"
    ranked = (
        f"the {stocks} of {params.data.panel} by their return over {horizons} {unit}, with an entry lag of "
        f"{words.sessions(params.target.entry_lag)}"
    )
    if not facts.planned:
        return f"How well do simple rules rank {ranked}, and what does a model have to beat?"
    rungs = [budget for budget in params.ladder if any(cell.cell.budget == budget for cell in facts.planned)]
    region = facts.law.region if facts.law is not None else params.law.region
    return (
        f"Does the ranking skill of {params.model.family} rise with its size? Models of {counted(len(rungs), 'rung')} "
        f"({', '.join(rungs)} parameters) rank {ranked}, beside simple rules. The law is that of the rank error, "
        f"1 - RankIC, on the {region} days."
    )


def entry_words(entry_lag: int, horizon: int) -> str:
    """Explain the entry lag in one sentence, for the shortest horizon."""
    if entry_lag == 0:
        return (
            "Entry lag 0 means: the stocks are ranked with what is known at the close of day t and bought at that very "
            f"close, which nobody can do exactly, and held to the close of day t+{horizon}."
        )
    return (
        f"Entry lag {entry_lag} means: the stocks are ranked with what is known at the close of day t, the position is "
        f"taken at the close of day t+{entry_lag} and held to the close of day t+{entry_lag + horizon} (horizon "
        f"{horizon})."
    )


def opening(facts: PanelFacts) -> list[Block]:
    """Return the question, and directly below it how the choice of the stocks misleads."""
    params = facts.params
    bias = "The panel has not been read yet." if facts.features is None else bias_sentence(facts.features)
    return [
        Paragraph(f"{question(facts)} {entry_words(params.target.entry_lag, min(params.horizons))}"),
        Paragraph(bias),
    ]
