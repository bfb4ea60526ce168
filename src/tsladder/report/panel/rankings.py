"""Rankings of one horizon on a region as the report shows them side by side: rungs, baselines and constants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RankingScores, RegionBaselines
from tsladder.artifacts.scores import Interval
from tsladder.ranking.daily_figures import DailyFigures
from tsladder.ranking.level import CONSTANTS, best_and_constant, in_order
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts, ScoredRung
from tsladder.vocabulary import Region


class Kind(StrEnum):
    """Kind of a ranking. HINDSIGHT knows the scored returns and is only shown."""

    RUNG = "rung"
    BASELINE = "baseline"
    CONSTANT = "constant"
    HINDSIGHT = "hindsight"


class Standing(StrEnum):
    """Standing against the stricter constant, by the paired interval of the advantage over it."""

    BEATS = "beats it"
    UNDECIDED = "not told apart from it"
    WORSE = "worse than it"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRanking:
    """One ranking on one region.

    `name`: cell or baseline; `title`: what the reader sees. `intervals`: metric -> interval over days. `advantage`:
    paired, over the stricter constant; None for that constant itself. `seeds`: scores of the seeds of a rung.
    """

    name: str
    title: str
    kind: Kind
    scores: RankingScores
    intervals: Mapping[str, Interval | None]
    advantage: Interval | None
    seeds: tuple[RankingScores, ...] = ()

    @property
    def standing(self) -> Standing:
        found = self.advantage
        if found is None or not (math.isfinite(found.low) and math.isfinite(found.high)):
            return Standing.UNDECIDED
        return Standing.BEATS if found.low > 0.0 else Standing.WORSE if found.high < 0.0 else Standing.UNDECIDED


def shown_rankings(facts: PanelFacts, level: RegionBaselines, region: Region) -> tuple[ShownRanking, ...]:
    """Return every ranking of the horizon of `level`: the rungs by size, the baselines by RankIC, the constants, then
    the one of hindsight."""
    rungs = [shown_rung(rung, region) for rung in facts.rungs_of(level.horizon, region)]
    return (*rungs, *(_baseline(level, name) for name in in_order(level)))


def shown_rung(rung: ScoredRung, region: Region = Region.TEST) -> ShownRanking:
    """Return a rung as it is shown on `region`, where it must be scored."""
    scores = rung.regions[region]
    return ShownRanking(
        name=str(rung.cell),
        title=rung_title(rung),
        kind=Kind.RUNG,
        scores=scores.mean,
        intervals=scores.intervals,
        advantage=scores.advantage,
        seeds=tuple(scores.seeds.values()),
    )


def rung_title(rung: ScoredRung) -> str:
    """Format the name of a rung where its horizon is known: rung 80k."""
    return f"rung {rung.cell.budget}"


def title_of(facts: PanelFacts, name: str) -> str:
    """Format the name of a cell or baseline."""
    return next((rung_title(rung) for cell, rung in facts.rungs.items() if str(cell) == name), words.name(name))


def followed(facts: PanelFacts, level: RegionBaselines) -> dict[str, DailyFigures]:
    """Return what the pictures follow over the test days, with its daily figures: the best rung, the largest, the best
    baseline and the stricter constant; in a study without scored rungs the three best baselines and that constant."""
    rungs = [rung for rung in (facts.best_rung(level.horizon), *facts.rungs_of(level.horizon)[-1:]) if rung is not None]
    models = {str(rung.cell): rung.daily for rung in rungs if rung.daily is not None}
    daily = facts.daily.get(level.horizon, {})
    return models | {name: daily[name] for name in best_and_constant(level, 1 if rungs else 3) if name in daily}


def rungs_among(facts: PanelFacts, names: Iterable[str]) -> int:
    """Return how many of `names` are cells."""
    cells = {str(cell) for cell in facts.rungs}
    return sum(name in cells for name in names)


def legend_of(facts: PanelFacts, level: RegionBaselines, name: str) -> str:
    """Format the name of what is followed, with what it is."""
    if name == level.stricter:
        return f"{words.name(name)} (constant)"
    rungs, best = facts.rungs_of(level.horizon), facts.best_rung(level.horizon)
    roles = {"best": best, "largest": rungs[-1] if rungs else None}
    held = [role for role, rung in roles.items() if rung is not None and str(rung.cell) == name]
    return f"{title_of(facts, name)}{f' ({words.joined(held)})' if held else ''}"


def _baseline(level: RegionBaselines, name: str) -> ShownRanking:
    kind = Kind.HINDSIGHT if name == OWN_STATIC_ORDER else Kind.CONSTANT if name in CONSTANTS else Kind.BASELINE
    aside = {
        Kind.HINDSIGHT: " (only shown)",
        Kind.CONSTANT: " (the stricter constant)" if name == level.stricter else " (constant)",
    }
    return ShownRanking(
        name=name,
        title=f"{words.name(name)}{aside.get(kind, '')}",
        kind=kind,
        scores=level.baselines[name],
        intervals=level.baseline_intervals.get(name, {}),
        advantage=None if name == level.stricter else level.baseline_advantage.get(name),
    )
