"""Facts on a panel study that its report presents, as values. None and empty mean: not built yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tsladder.artifacts.audit import AuditRecord
from tsladder.artifacts.baselines import BaselineScores
from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.ranking_scores import RegionBaselines
from tsladder.params import PanelParams
from tsladder.ranking.daily_figures import DailyFigures
from tsladder.report.environment import Environment
from tsladder.vocabulary import ProbeOutcome, Region


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelFacts:
    """All facts that the report of a panel study presents.

    `splits` and `scores`: by horizon. `daily`: horizon -> baseline -> its daily figures on the test days.
    """

    params: PanelParams
    features: PanelFeatures | None
    splits: Mapping[int, PanelSplits]
    audit: AuditRecord | None
    scores: Mapping[int, BaselineScores]
    daily: Mapping[int, Mapping[str, DailyFigures]]
    environment: Environment

    @property
    def leaks(self) -> bool:
        """True where a leak probe failed, so that no figure is valid."""
        return self.audit is not None and self.audit.worst is ProbeOutcome.FAILED

    def region(self, horizon: int, region: Region = Region.TEST) -> RegionBaselines | None:
        """Return the scores of one horizon on a region; None before they were built."""
        of_horizon = self.scores.get(horizon)
        return None if of_horizon is None else of_horizon.regions.get(region)

    def scored(self, region: Region = Region.TEST) -> dict[int, RegionBaselines]:
        """Return horizon -> scores on `region`, of the horizons that have them, in the order of the question."""
        found = {horizon: self.region(horizon, region) for horizon in self.params.horizons}
        return {horizon: level for horizon, level in found.items() if level is not None}
