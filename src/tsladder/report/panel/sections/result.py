"""Result of a panel study: which rungs and which baselines beat the constants on the test days, and the level that a
model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RankingScores, RegionBaselines
from tsladder.ranking.level import LevelToBeat, by_rank_ic, level_to_beat
from tsladder.report.blocks import Block, Heading, Paragraph, Points
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts, ScoredRung
from tsladder.report.panel.rankings import Standing, shown_rung
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

_ALONE = ("Beat the stricter constant", "Not told apart from it", "Worse than it")
_BESIDE_RUNGS = (
    "Baselines that beat the stricter constant",
    "Baselines not told apart from it",
    "Baselines worse than it",
)
"""Labels of the groups of baselines, alone and beside rungs."""

Item = tuple[str, str]
"""Label and sentence of one point."""


def result(facts: PanelFacts) -> list[Block]:
    """Return the answer of each horizon, the state of the audit, and how to read the figures."""
    confidence = confidence_level(facts.params.evaluation.confidence)
    blocks: list[Block] = [Heading(2, "Models and baselines" if facts.planned else "Result")]
    audit = ("Leak audit", audit_words(facts.audit))
    several = len(facts.params.horizons) > 1
    for horizon in facts.params.horizons:
        level = facts.region(horizon, Region.TEST)
        items = [("", _NOT_SCORED)] if level is None else [*models(facts, level), *answers(facts, level, confidence)]
        first = [INVALID] if facts.leaks and level is not None else []
        if several:
            blocks.append(Heading(3, f"Horizon {words.sessions(horizon)}"))
        blocks.append(Points((*first, *items, audit)))
    return [*blocks, *([Paragraph(_reading(facts))] if facts.scored() else [])]


def answers(facts: PanelFacts, level: RegionBaselines, confidence: str) -> list[Item]:
    """Return the labelled sentences on the baselines of one horizon: what has skill, what has not, the level to beat,
    and what costs leave."""
    to_beat = level_to_beat(level)
    beat, undecided, worse = _BESIDE_RUNGS if facts.planned else _ALONE
    found = [(f"{beat}, {words.name(to_beat.constant)}", _skill(level, to_beat, confidence))]
    if to_beat.undecided:
        found.append((undecided, f"{words.names(to_beat.undecided)}."))
    if to_beat.worse:
        found.append((worse, f"{words.names(to_beat.worse)}."))
    found.append(("Level that a model has to beat", _level(level, to_beat)))
    if to_beat.name == to_beat.best:
        found.append((f"Long-short portfolio of {words.name(to_beat.best)}", _money(level, to_beat.best)))
    elif to_beat.best is not None:
        found.append((f"Best baseline, {words.name(to_beat.best)}", _best(level, to_beat.best)))
    return found


def models(facts: PanelFacts, level: RegionBaselines) -> list[Item]:
    """Return the labelled sentences on the rungs of one horizon: which have skill, the best one, what beats them, and
    what costs leave; empty in a study of baselines alone."""
    if not facts.planned:
        return []
    rungs, best = facts.rungs_of(level.horizon), facts.best_rung(level.horizon)
    if best is None:
        return [("Models", "no rung has been scored yet.")]
    shown = [shown_rung(rung) for rung in rungs]
    found = []
    for standing in Standing:
        names = [rung.cell.budget for rung, one in zip(rungs, shown, strict=True) if one.standing is standing]
        if names:
            found.append((f"Rungs that {_VERBS[standing]}", f"{words.joined(names)}."))
    own = shown_rung(best)
    picked = " It was picked on the test days, which flatters it a little." if len(rungs) > 1 else ""
    advantage = words.estimate(own.scores.rank_ic, own.intervals.get("rank_ic"))
    found.append((f"Best of {counted(len(rungs), 'rung')}, {best.cell.budget}", f"RankIC {advantage}.{picked}"))
    found.append(("Rungs that a baseline beats", _beaten(level, rungs)))
    found.append((f"Long-short portfolio of rung {best.cell.budget}", _earned(own.scores, level.cost_bps)))
    return found


_VERBS = {
    Standing.BEATS: "beat the stricter constant",
    Standing.UNDECIDED: "are not told apart from it",
    Standing.WORSE: "are worse than it",
}


def _beaten(level: RegionBaselines, rungs: Sequence[ScoredRung]) -> str:
    """Say which baselines beat which rungs."""
    beaten = {rung.cell.budget: rung.regions[Region.TEST].beaten_by for rung in rungs}
    parts = []
    for name in by_rank_ic(level):
        losers = [budget for budget, names in beaten.items() if name in names]
        if losers:
            which = "every rung" if len(losers) == len(beaten) > 1 else words.joined(losers)
            parts.append(f"{which} by {words.name(name)}")
    return f"{'; '.join(parts) or 'no baseline ranks better than a rung'}."


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
    return _earned(level.baselines[name], level.cost_bps)


def _earned(scores: RankingScores, cost_bps: float) -> str:
    own = scores.portfolio
    cost = words.defined(own.break_even_bps)
    eaten = f"; costs of {words.figure(cost, 1)} bps would take all of it" if cost is not None and cost > 0.0 else ""
    return (
        f"{words.figure(own.annual_return_gross, 1, 100.0, ' %')} a year before costs (Sharpe "
        f"{words.figure(own.sharpe_gross, 2)}), {words.figure(own.annual_return_net, 1, 100.0, ' %')} after "
        f"{cost_bps:g} bps (Sharpe {words.figure(own.sharpe_net, 2)}){eaten}."
    )


def _reading(facts: PanelFacts) -> str:
    """Explain RankIC, warn that the best of several was picked on these days, and name what is only shown."""
    levels = facts.scored().values()
    several = any(len(by_rank_ic(level)) > 1 for level in levels)
    hindsight = any(OWN_STATIC_ORDER in level.baselines for level in levels)
    return " ".join([READING, *([_SEVERAL] if several else []), *([_HINDSIGHT] if hindsight else [])])
