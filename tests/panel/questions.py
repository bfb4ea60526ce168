"""The question of a panel study with the settings that tests vary."""

from __future__ import annotations

from tsladder.params import (
    GraphParams,
    PanelDataParams,
    PanelParams,
    PanelSplitParams,
    PanelWindowParams,
    RankingEvaluationParams,
    RankTargetParams,
    UniverseParams,
)
from tsladder.params.sections import StudyParams


def question(
    *,
    panel: str = "made_up",
    tier: str = "s9",
    horizons: tuple[int, ...] = (1, 5),
    entry_lag: int = 1,
    min_history: int = 30,
    min_stocks: int = 5,
    graph: GraphParams | None = None,
) -> PanelParams:
    return PanelParams(
        study=StudyParams(name="made-up", phase="test", timescale="daily", seed=42),
        horizons=horizons,
        data=PanelDataParams(panel=panel, tier=tier),
        universe=UniverseParams(min_history=min_history, min_stocks=min_stocks),
        target=RankTargetParams(entry_lag=entry_lag),
        windows=PanelWindowParams(context_length=20),
        splits=PanelSplitParams(),
        evaluation=RankingEvaluationParams(bootstrap_draws=200, confidence=0.95),
        graph=graph,
    )
