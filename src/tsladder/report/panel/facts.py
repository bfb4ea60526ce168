"""Facts on a panel study that its report presents, as values. None and empty mean: not built yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tsladder.artifacts.baselines import BaselineScores
from tsladder.artifacts.ending import Ending
from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.pretraining import Pretraining
from tsladder.artifacts.ranking_scores import RankingRegionScores, RegionBaselines
from tsladder.params import PanelParams
from tsladder.ranking.daily_figures import DailyFigures
from tsladder.report.extent import TrainingExtent
from tsladder.report.facts import Facts
from tsladder.report.panel import words
from tsladder.report.panel.fifths import FifthReturns
from tsladder.vocabulary import Cell, Region


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoredRung:
    """A scored cell. `daily`: its daily figures on the test days, means over its seeds; None without predictions."""

    cell: Cell
    regions: Mapping[Region, RankingRegionScores]
    daily: DailyFigures | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelFacts(Facts):
    """All facts that the report of a panel study presents.

    `splits` and `scores`: by horizon. `rungs`: the scored cells, smallest first. `daily`: horizon -> baseline -> its
    daily figures on the test days. `fifths`: horizon -> ranking -> mean returns by fifths of its scores on the test
    days, of the best rung and the best baseline. `pretraining`: its result in each cell whose stage has run where it is
    asked for.
    """

    params: PanelParams
    features: PanelFeatures | None
    splits: Mapping[int, PanelSplits]
    scores: Mapping[int, BaselineScores]
    rungs: Mapping[Cell, ScoredRung]
    daily: Mapping[int, Mapping[str, DailyFigures]]
    fifths: Mapping[int, Mapping[str, FifthReturns]]
    pretraining: Mapping[Cell, Pretraining | Ending] = field(default_factory=dict)

    def horizon(self, horizon: int) -> str:
        """Format a horizon in the unit of the study: 5 sessions."""
        return words.sessions(horizon)

    def region(self, horizon: int, region: Region = Region.TEST) -> RegionBaselines | None:
        """Return the scores of the baselines of one horizon on a region; None before they were built."""
        of_horizon = self.scores.get(horizon)
        return None if of_horizon is None else of_horizon.regions.get(region)

    def scored(self, region: Region = Region.TEST) -> dict[int, RegionBaselines]:
        """Return horizon -> scores on `region`, of the horizons that have them, in the order of the question."""
        found = {horizon: self.region(horizon, region) for horizon in self.params.horizons}
        return {horizon: level for horizon, level in found.items() if level is not None}

    def rungs_of(self, horizon: int, region: Region = Region.TEST) -> tuple[ScoredRung, ...]:
        """Return the rungs of one horizon that are scored on `region`, smallest first."""
        return tuple(rung for cell, rung in self.rungs.items() if cell.horizon == horizon and region in rung.regions)

    def best_rung(self, horizon: int) -> ScoredRung | None:
        """Return the rung with the highest RankIC on the test days, the smaller of equal ones; None without one."""
        rungs = self.rungs_of(horizon)
        return max(rungs, key=lambda rung: rung.regions[Region.TEST].mean.rank_ic, default=None)

    def training_extent(self, horizon: int) -> TrainingExtent:
        """Return the training sessions, sample days and labels of one horizon."""
        splits, context = self.splits.get(horizon), self.params.windows.context_length
        span = self.params.span(horizon)
        if splits is None:
            return TrainingExtent(runs=(), windows=None, context_length=context, horizon=horizon, span=span)
        count = splits.counts.get(Region.TRAIN)
        return TrainingExtent(
            runs=tuple(last - first + 1 for first, last in splits.days.train.segments),
            windows=None if count is None else count.samples,
            context_length=context,
            horizon=horizon,
            span=span,
            labels=None if count is None else count.labels,
        )


def mean_of_seeds(by_seed: Mapping[str, DailyFigures]) -> DailyFigures:
    """Average the daily figures of the seeds of one cell, which are on the same days: its book holds each seed's
    portfolio with an equal share of the capital, and trades of one seed are not set off against those of another."""
    seeds = list(by_seed.values())
    return DailyFigures(
        dates_N=seeds[0].dates_N,
        rank_ic_N=np.mean([one.rank_ic_N for one in seeds], axis=0),
        gross_return_N=np.mean([one.gross_return_N for one in seeds], axis=0),
        traded_N=np.mean([one.traded_N for one in seeds], axis=0),
    )
