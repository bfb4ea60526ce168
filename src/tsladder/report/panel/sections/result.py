"""Result of a panel study: which baselines beat the constants on the test days, and the level that a model has to
beat."""

from __future__ import annotations

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RegionBaselines
from tsladder.ranking.level import LevelToBeat, by_rank_ic, level_to_beat
from tsladder.report.blocks import Block, Heading, Paragraph, Points
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.tables import days_of
from tsladder.report.words import counted
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import ProbeOutcome, Region

INVALID = ("Invalid", "the leak audit failed, so none of these figures counts.")
READING = (
    "RankIC is the rank correlation of scores and returns over the stocks of a day, averaged over days: 1 is a perfect "
    "order, 0 none, and a few hundredths are usual for daily returns."
)
_SEVERAL = "The best of several baselines was picked on the test days themselves, which flatters it a little."
_HINDSIGHT = "The static order in hindsight knows the test returns: it is only shown."
_NOT_SCORED = "The baselines have not been scored yet."

Item = tuple[str, str]
"""Label and sentence of one point."""


def result(facts: PanelFacts) -> list[Block]:
    """Return the answer of each horizon, the state of the audit, and how to read the figures."""
    confidence = confidence_level(facts.params.evaluation.confidence)
    blocks: list[Block] = [Heading(2, "Result")]
    audit = ("Leak audit", audit_words(facts.audit))
    several = len(facts.params.horizons) > 1
    for horizon in facts.params.horizons:
        level = facts.region(horizon, Region.TEST)
        items = [("", _NOT_SCORED)] if level is None else answers(level, confidence)
        first = [INVALID] if facts.leaks and level is not None else []
        if several:
            blocks.append(Heading(3, f"Horizon {words.sessions(horizon)}"))
        blocks.append(Points((*first, *items, audit)))
    return [*blocks, *([Paragraph(_reading(facts))] if facts.scored() else [])]


def answers(level: RegionBaselines, confidence: str) -> list[Item]:
    """Return the labelled sentences on one horizon: what has skill, what has not, the level to beat, and what costs
    leave."""
    to_beat = level_to_beat(level)
    found = [(f"Beat the stricter constant, {words.name(to_beat.constant)}", _skill(level, to_beat, confidence))]
    if to_beat.undecided:
        found.append(("Not told apart from it", f"{words.names(to_beat.undecided)}."))
    if to_beat.worse:
        found.append(("Worse than it", f"{words.names(to_beat.worse)}."))
    found.append(("Level that a model has to beat", _level(level, to_beat)))
    if to_beat.name == to_beat.best:
        found.append((f"Long-short portfolio of {words.name(to_beat.best)}", _money(level, to_beat.best)))
    elif to_beat.best is not None:
        found.append((f"Best baseline, {words.name(to_beat.best)}", _best(level, to_beat.best)))
    return found


def rank_ic(level: RegionBaselines, name: str) -> str:
    """Format the RankIC of one ranking with its interval."""
    interval = level.baseline_intervals.get(name, {}).get("rank_ic")
    return f"RankIC {words.estimate(level.baselines[name].rank_ic, interval)}"


def audit_words(audit: AuditRecord | None) -> str:
    """Return one sentence on the state of the leak audit."""
    if audit is None:
        return "the audit has not run, so nothing here is known to be free of leaks."
    probes, worst = counted(len(audit.probes), "probe"), audit.worst
    ended_so = len(audit.ending(worst))
    match worst:
        case ProbeOutcome.FAILED:
            return f"failed ({ended_so} of {probes}): no figure counts."
        case ProbeOutcome.INCONCLUSIVE:
            return f"no leak was seen; {ended_so} of {probes} inconclusive."
    return f"passed ({probes})."


def _skill(level: RegionBaselines, to_beat: LevelToBeat, confidence: str) -> str:
    days = f"on the test days ({days_of(level)})"
    if not to_beat.beat:
        return f"no baseline {days}."
    return f"{words.names(to_beat.beat)}, {days}: the {confidence} interval of the paired advantage lies above 0."


def _level(level: RegionBaselines, to_beat: LevelToBeat) -> str:
    text = f"{words.name(to_beat.name)}, {rank_ic(level, to_beat.name)}"
    if to_beat.name == to_beat.constant:
        return f"{text}."
    return f"{text}; to have skill at all, {words.name(to_beat.constant)}, {rank_ic(level, to_beat.constant)}."


def _best(level: RegionBaselines, name: str) -> str:
    advantage = level.baseline_advantage.get(name)
    gap = words.estimate(None if advantage is None else advantage.value, advantage)
    return f"{rank_ic(level, name)}; its paired advantage is {gap}."


def _money(level: RegionBaselines, name: str) -> str:
    """Return what the portfolio of one ranking earned before and after costs."""
    own = level.baselines[name].portfolio
    cost = words.defined(own.break_even_bps)
    eaten = f"; costs of {words.figure(cost, 1)} bps would take all of it" if cost is not None and cost > 0.0 else ""
    return (
        f"{words.figure(own.annual_return_gross, 1, 100.0, ' %')} a year before costs (Sharpe "
        f"{words.figure(own.sharpe_gross, 2)}), {words.figure(own.annual_return_net, 1, 100.0, ' %')} after "
        f"{level.cost_bps:g} bps (Sharpe {words.figure(own.sharpe_net, 2)}){eaten}."
    )


def _reading(facts: PanelFacts) -> str:
    """Explain RankIC, warn that the best of several was picked on these days, and name what is only shown."""
    levels = facts.scored().values()
    several = any(len(by_rank_ic(level)) > 1 for level in levels)
    hindsight = any(OWN_STATIC_ORDER in level.baselines for level in levels)
    return " ".join([READING, *([_SEVERAL] if several else []), *([_HINDSIGHT] if hindsight else [])])
