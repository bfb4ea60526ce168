"""Limits of the figures of a panel study: what so few days can show, how its stocks were chosen, and what trading would
find."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tsladder.artifacts.law import HorizonLaw
from tsladder.artifacts.law_fits import closed
from tsladder.ranking.words import gain, rank_ic
from tsladder.report.blocks import Block, Heading, Points
from tsladder.report.facts import CellFacts
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts, ScoredRung
from tsladder.report.words import counted
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import Region

Item = tuple[str, str]


def limits_of_models(facts: PanelFacts) -> list[Block]:
    """Return what limits the figures of the rungs; empty where none is scored."""
    if not facts.rungs:
        return []
    items: list[Item] = []
    several = len(facts.params.horizons) > 1
    for horizon in facts.params.horizons:
        if rungs := facts.rungs_of(horizon):
            where = f", {words.sessions(horizon)}" if several else ""
            items.append((f"Power{where}", _power(facts, rungs, facts.law_of(horizon))))
        if (draw := _draw(facts.of_horizon(horizon))) is not None:
            items.append((f"Choice of the trials{f', {words.sessions(horizon)}' if several else ''}", draw))
    return [Heading(2, "Limits"), Points((*items, *_market(facts)))]


def _power(facts: PanelFacts, rungs: Sequence[ScoredRung], law: HorizonLaw | None) -> str:
    """State how well one RankIC and the gain of size are known."""
    level = confidence_level(facts.params.evaluation.confidence)
    tests = [rung.regions[Region.TEST] for rung in rungs]
    found = [interval for test in tests if (interval := test.intervals.get("rank_ic")) is not None]
    half = max((interval.high - interval.low) / 2.0 for interval in found) if found else None
    parts = [f"{counted(tests[0].windows, 'test day')}, which all rungs share"]
    if half is not None:
        parts.append(f"the RankIC of a rung is known to within {rank_ic(half)} at {level}")
    slope = None if law is None else law.rank_ic_per_tenfold
    if slope is not None and slope.detectable is not None:
        parts.append(
            f"a gain of less than {gain(slope.detectable)} RankIC for ten times the size would be missed by more than "
            "one in five such studies"
        )
    elif slope is not None and (ends := closed(slope.detectable_range)) is not None:
        parts.append(
            "what gain for ten times the size such a study finds is itself not known: somewhere between "
            f"{gain(ends[0])} and {gain(ends[1])} RankIC"
        )
    return f"{'; '.join(parts)}. More test days and more stocks on each of them sharpen this, more trials do not."


def _draw(cells: Sequence[CellFacts]) -> str | None:
    """State how far the trials of a search lie apart, beside the standard error of one; None where neither is known."""
    errors = [
        trial.outcome.val_loss_se
        for cell in cells
        for trial in cell.search.trials
        if trial.val_loss is not None and trial.outcome.val_loss_se is not None
    ]
    spreads = [cell.search.spread for cell in cells if cell.search.spread is not None]
    if not errors or not spreads:
        return None
    error, spread = statistics.median(errors), statistics.median(spreads)
    told = (
        "so which of them leads is mostly luck, the same for every rung"
        if spread < 2.0 * error
        else "so the leading trials differ by more than luck"
    )
    return (
        f"the standard error of a trial's RankIC on validation is {rank_ic(error)} (median), and the best and worst "
        f"trial of a search lie {rank_ic(spread)} apart (median), {told}. The law is fitted to fresh seeds of the "
        "chosen configurations, never to the best trial."
    )


def _market(facts: PanelFacts) -> list[Item]:
    """State how stocks were chosen, when a position is taken, and what costs leave out."""
    lag, cost = facts.params.target.entry_lag, facts.params.evaluation.cost_bps
    close = f"day t+{lag}" if lag else "the very day t whose close the ranking knows"
    items = [
        (
            "Entry lag",
            (
                f"positions are taken at the closing price of {close}, for any amount and without a wait. With another "
                "lag the labels, and so every figure, are others"
            ),
        ),
        (
            "Costs",
            (
                f"{cost:g} basis points of what is traded, however much that is: no market impact, no fee for borrowed "
                "stocks, no drift of weights between two closes"
            ),
        ),
        (
            "One market, one period",
            (
                "intervals tell what other days like these would do, not what another market or another decade would; "
                "the best rung and the best baseline were named on the test days themselves"
            ),
        ),
    ]
    if facts.features is not None:
        items.insert(
            0,
            (
                "Universe",
                (
                    f"{facts.features.universe}: how the stocks were chosen, told at the top of the page, moves every "
                    "figure; differences between rankings of the same stocks suffer less from it than returns do"
                    if facts.features.bias
                    else f"{facts.features.universe}: no bias of the choice of the stocks is known"
                ),
            ),
        )
    return [(label, text if text.endswith(".") else f"{text}.") for label, text in items]
