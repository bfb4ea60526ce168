"""Rankings of one horizon on a region as the report shows them side by side: rungs, baselines and constants."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RankingScores, RegionBaselines
from tsladder.artifacts.scores import Interval
from tsladder.ranking.level import CONSTANTS, best_and_constant, by_rank_ic, in_order
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


def followed(facts: PanelFacts, level: RegionBaselines) -> tuple[str, ...]:
    """Return what the pictures follow over the test days: the best rung, the largest, the best baseline and the
    stricter constant; in a study without scored rungs the three best baselines and the stricter constant."""
    best, rungs = facts.best_rung(level.horizon), facts.rungs_of(level.horizon)
    if best is None:
        return best_and_constant(level)
    models = dict.fromkeys(str(rung.cell) for rung in (best, rungs[-1]) if rung.daily is not None)
    return (*models, *by_rank_ic(level)[:1], level.stricter)


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
