"""Result of a panel study: which baselines beat the constants on the test days, and the level that a model has to
beat."""

from __future__ import annotations

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RegionBaselines
from tsladder.report.blocks import Block, Heading, Paragraph, Points
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.standing import Standing, standing_of
from tsladder.report.panel.tables import days_of
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import ProbeOutcome, Region

READING = (
    "RankIC is the rank correlation of scores and returns over the stocks of a day, averaged over days: 1 is a perfect "
    "order, 0 none, and a few hundredths are usual for daily returns."
)
_NOT_SCORED = "The baselines have not been scored yet."


def result(facts: PanelFacts) -> list[Block]:
    """Return one labelled answer per horizon, the state of the audit, and how to read the figures."""
    confidence = confidence_level(facts.params.evaluation.confidence)
    items: list[tuple[str, str]] = []
    for horizon in facts.params.horizons:
        level = facts.region(horizon, Region.TEST)
        answer = _NOT_SCORED if level is None else " ".join(answers(level, confidence))
        invalid = level is not None and facts.leaks
        said = f"Invalid, since the leak audit failed. Otherwise it would read: {answer}" if invalid else answer
        items.append((f"Horizon {words.sessions(horizon)}", said))
    return [
        Heading(2, "Result"),
        Points((*items, ("Leak audit", audit_words(facts.audit)))),
        *([Paragraph(f"{READING} {_chosen_there(facts)}".strip())] if facts.scored() else []),
    ]


def answers(level: RegionBaselines, confidence: str) -> list[str]:
    """Return the sentences on one horizon: what has skill, what has not, the level to beat, and what costs leave."""
    standing = standing_of(level)
    found = [_skill(level, standing, confidence)]
    if standing.undecided:
        found.append(f"Not told apart from it: {words.names(standing.undecided)}.")
    if standing.worse:
        found.append(f"Worse than it: {words.names(standing.worse)}.")
    found.append(_level(level, standing))
    if standing.to_beat == standing.best:
        found.append(_money(level, standing.to_beat))
    elif standing.best is not None:
        advantage = level.baseline_advantage.get(standing.best)
        gap = words.estimate(None if advantage is None else advantage.value, advantage)
        best = f"{words.name(standing.best)}, has {rank_ic(level, standing.best)}"
        found.append(f"The best baseline, {best}; its paired advantage is {gap}.")
    return found


def rank_ic(level: RegionBaselines, name: str) -> str:
    """Format the RankIC of one ranking with its interval."""
    interval = level.baseline_intervals.get(name, {}).get("rank_ic")
    return f"RankIC {words.estimate(level.baselines[name].rank_ic, interval)}"


def audit_words(audit: AuditRecord | None) -> str:
    """Return one sentence on the state of the leak audit."""
    if audit is None:
        return "the audit has not run, so nothing here is known to be free of leaks."
    many = len(audit.probes)
    match audit.worst:
        case ProbeOutcome.FAILED:
            return f"failed ({len(audit.ending(ProbeOutcome.FAILED))} of {many} probes): no figure counts."
        case ProbeOutcome.INCONCLUSIVE:
            return f"no leak was seen; {len(audit.ending(ProbeOutcome.INCONCLUSIVE))} of {many} probes inconclusive."
    return f"passed, all {many} probes."


def _skill(level: RegionBaselines, standing: Standing, confidence: str) -> str:
    constant = f"the stricter of the two constants, {words.name(standing.constant)},"
    days = f"on the test days ({days_of(level)})"
    if not standing.beat:
        return f"No baseline beats {constant} {days}."
    best = f"{words.names(standing.beat)} beat{'s' if len(standing.beat) == 1 else ''} {constant} {days}"
    return f"{best[0].upper()}{best[1:]}: the {confidence} interval of the paired advantage lies above 0."


def _level(level: RegionBaselines, standing: Standing) -> str:
    text = f"The level that a model has to beat is {words.name(standing.to_beat)}, {rank_ic(level, standing.to_beat)}"
    if standing.to_beat == standing.constant:
        return f"{text}."
    least = f"{words.name(standing.constant)}, {rank_ic(level, standing.constant)}"
    return f"{text}; to have skill at all, it has to beat {least}."


def _money(level: RegionBaselines, name: str) -> str:
    """Return what the portfolio of the best baseline earned before and after costs."""
    own = level.baselines[name].portfolio
    cost = words.defined(own.break_even_bps)
    eaten = f"; costs of {words.figure(cost, 1)} bps would take all of it" if cost is not None and cost > 0.0 else ""
    return (
        f"Its long-short portfolio earned {words.figure(own.annual_return_gross, 1, 100.0, ' %')} a year before costs "
        f"(Sharpe {words.figure(own.sharpe_gross, 2)}) and {words.figure(own.annual_return_net, 1, 100.0, ' %')} after "
        f"{level.cost_bps:g} bps (Sharpe {words.figure(own.sharpe_net, 2)}){eaten}."
    )


def _chosen_there(facts: PanelFacts) -> str:
    """Warn that the best of several was picked on these days, and name what is only shown."""
    levels = facts.scored().values()
    several = any(
        len(standing.beat) + len(standing.undecided) + len(standing.worse) > 1 for standing in map(standing_of, levels)
    )
    said = ["The best of several baselines was picked on the test days themselves, which flatters it a little."]
    shown = any(OWN_STATIC_ORDER in level.baselines for level in levels)
    hindsight = "The static order in hindsight knows the test returns: it is only shown."
    return " ".join([*(said if several else []), *([hindsight] if shown else [])])
