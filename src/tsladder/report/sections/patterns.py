"""Patterns of shape and settings in the searches, in sentences with their statistics."""

from __future__ import annotations

from tsladder.report import pattern_tables, words
from tsladder.report.blocks import Block, Heading, Paragraph, Points, or_sentence
from tsladder.report.facts import Facts
from tsladder.report.patterns.agreement import WIDE_SPREAD, Agreement, Scatter
from tsladder.report.patterns.cost import TransferCost, transfer_cost
from tsladder.report.patterns.depth import Preference, RungPattern, Trend
from tsladder.report.patterns.found import SearchPatterns, search_patterns
from tsladder.report.patterns.permutation_test import FEWEST


def patterns(facts: Facts) -> list[Block]:
    found = search_patterns(facts)
    heading = Heading(2, "What the searches show of shape and settings")
    if not found.depth:
        return [heading, Paragraph("No search has left trials to compare.")]
    return [heading, Paragraph(METHOD), *_depth(facts, found), *_winners(facts, found), *_agreement(found)]


METHOD = (
    "Complete trials are compared by the score that their search made best. Pruned trials are left out, for their loss "
    "is that of a shorter training, and so are failed ones, which have none; a table says how many. Every p is how "
    "often chance gives as much when the same scores are permuted among the trials, within blocks of about eight "
    "consecutive ones: a sampler that has learned makes later trials better and more alike whatever matters. It is "
    "corrected (Holm) over all cells, over the horizons where it speaks of a horizon, and over the orders of shapes, "
    "where no column says otherwise. Trials differ in all of their "
    "settings at once and each is one seed: no pattern means that these trials show none, not that there is none."
)


def _depth(facts: Facts, found: SearchPatterns) -> list[Block]:
    is_loss = facts.params.search.objective == "val_loss"
    return [
        Heading(3, "Deep or wide"),
        Points(tuple((facts.horizon(rungs.horizon), horizon_sentence(rungs)) for rungs in found.rungs)),
        pattern_tables.depth_table(found, is_loss=is_loss),
        Paragraph(
            "The deep half are the trials whose layers over width lie above the median, the wide half those below it. "
            "The rank correlation (Spearman) is that of the score with layers over width: above 0 where deeper trials "
            'scored better, below 0 where wider ones did. "p of that" and "p" are of this cell alone, not corrected.'
        ),
    ]


def horizon_sentence(rungs: RungPattern) -> str:
    """Describe what the rungs of a horizon show together, and how it changes with model size."""
    if rungs.preference is Preference.TOO_FEW:
        return f"Too few rungs to say: {rungs.rungs} with a rank correlation."
    all_rungs, coin = words.counted(rungs.rungs, "rung"), words.percent(rungs.same_side, 0)
    power = _power(rungs.preference is Preference.NO_PATTERN, rungs.shown)
    preference = (
        f"{_capital(rungs.preference)} over {all_rungs}: the mean rank correlation is {words.signed(rungs.rho, 2)} "
        f"({words.p_value(rungs.p_holm)}{power}). Deeper trials "
        f"scored better at {rungs.deeper}, wider ones at {rungs.wider} (a split at least as uneven has a chance of "
        f"{coin})."
    )
    if rungs.change is Trend.TOO_FEW:
        return f"{preference} A change with size needs {FEWEST} rungs."
    return (
        f"{preference} {_capital(rungs.change)}: the rungs' correlations have the rank correlation "
        f"{words.signed(rungs.trend, 2)} with the budget ({words.p_value(rungs.trend_p_holm)}"
        f"{_power(rungs.change is Trend.NO_TREND, rungs.trend_shown)})."
    )


def _power(is_due: bool, weakest: float | None) -> str:
    """Return the weakest effect that could have been detected, where no pattern was found; otherwise ""."""
    return f"; {pattern_tables.describe_detectable(weakest)}" if is_due else ""


def _winners(facts: Facts, found: SearchPatterns) -> list[Block]:
    blocks: list[Block] = [Heading(3, "Shapes over the horizons")]
    if found.orders:
        rungs = sum(pattern.chances is not None for pattern in found.winners)
        counts = [
            f"{count.order} at {count.found} (by chance {count.expected:.1f}, {words.p_value(count.p_holm)})"
            for count in found.orders
        ]
        blocks.append(Paragraph(f"Of {words.counted(rungs, 'rung')}: {', '.join(counts)}."))
    table = pattern_tables.winners_table(found, facts.params.horizons)
    return [
        *blocks,
        *or_sentence(table, "No rung has winners on two horizons."),
        Paragraph(
            "A winner is the best of few trials, and so a noisy draw: the chance is how often the same order would "
            "come about if every complete trial of a search were as likely to win as any other. Deeper or wider with "
            "the horizon: layers over width never fall, or never rise, from one horizon to the next."
        ),
    ]


def _agreement(found: SearchPatterns) -> list[Block]:
    return [
        Heading(3, "The best trials against all"),
        Points(tuple(agreement_points(found))),
        pattern_tables.settings_table(found),
        Paragraph(
            "The best are a quarter of the complete trials, at least three. Under each setting stands the range of the "
            "best as a share of that of all, on the log scale for learning rate and weight decay (unless one is "
            "zero); settings are stable where the mean of the three is less than chance gives."
        ),
        pattern_tables.best_trials_table(found),
        Paragraph(
            "The distance is the mean one between two of the best, over that between any two trials, in all "
            "coordinates of the search's space, each scaled to its range: clustered below 1, scattered above."
        ),
    ]


def agreement_points(found: SearchPatterns) -> list[tuple[str, str]]:
    """Return settings, spread and location of the best trials, over all cells."""
    spreads = [item.spread for item in found.agreements if item.spread is not None]
    if not spreads:
        return [("All", f"No search has {FEWEST} complete trials, too few to say.")]
    wide = sum(spread >= WIDE_SPREAD for spread in spreads)
    spread = (
        f"The median trial lies {words.percent(WIDE_SPREAD, 0)} or more behind the best in {wide} of "
        f"{words.counted(len(spreads), 'cell')}: by {words.percent(min(spreads))} to {words.percent(max(spreads))}."
    )
    return [("Settings", _settings(found)), ("Spread", spread), ("Best trials", _place(found))]


def _settings(found: SearchPatterns) -> str:
    tested = [item for item in found.agreements if item.p_stable is not None]
    if not tested:
        return "No setting varied among the trials of a cell."
    stable = [str(item.cell) for item in tested if item.stable]
    named = f" ({', '.join(stable)})" if stable else ""
    return (
        f"Stable in {len(stable)} of {words.counted(len(tested), 'cell')}{named}.{_too_few(tested, found)} Over all "
        f"cells the best trials span {words.percent(found.together.range, 0)} of the range of all, mean of the "
        f"settings ({words.p_value(found.together.p_stable)})."
    )


def _too_few(tested: list[Agreement], found: SearchPatterns) -> str:
    """Return a sentence for the case that no single cell could have shown anything, whatever its trials."""
    least = min(item.least_p for item in tested) * len(tested)
    return " No single search of so few trials could show it." if least > found.level else ""


def _place(found: SearchPatterns) -> str:
    tested = [item for item in found.agreements if item.p_scatter is not None]
    if not tested:
        return "The trials of a cell do not differ in anything on record."
    return (
        f"Clustered in {_named(tested, Scatter.CLUSTERED)}, scattered in {_named(tested, Scatter.SCATTERED)} of "
        f"{words.counted(len(tested), 'cell')}. Over all cells two of the best trials lie "
        f"{words.number(found.together.distance, 2)} times as far apart as any two "
        f"({words.p_value(found.together.p_scatter)})."
    )


def _named(items: list[Agreement], scatter: Scatter) -> str:
    cells = [str(item.cell) for item in items if item.scatter is scatter]
    return f"{len(cells)} ({', '.join(cells)})" if cells else "0"


def transfer_not_tried(facts: Facts) -> str:
    """Return a note on what search.transfer would cost in this study."""
    cost = transfer_cost(facts.planned, facts.params.train.seeds)
    sentence = "Whether such a difference matters was not tried: search.transfer is false."
    if not cost.trainings:
        return f"{sentence} There is nothing to try: no rung has winners on two horizons that differ."
    return (
        f"{sentence} dvc exp run -S search.transfer=true would train the winners on the other horizons of their rung, "
        f"{words.counted(cost.trainings, 'training')} on {words.counted(cost.pairs, 'pair')}: {_time(cost)}."
    )


def _time(cost: TransferCost) -> str:
    if cost.seconds is None:
        return "for how long is not known, as the seconds of some winner's seeds are not on record"
    share = "" if cost.share is None else f", {words.percent(cost.share, 0)} of what searches and retraining took"
    return f"about {words.duration(cost.seconds)} of work summed over workers{share}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
