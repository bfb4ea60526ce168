"""The question of a panel study with the settings that tests vary."""

from __future__ import annotations

import dataclasses
import functools

from tests.panel_studies import DEFAULT_PANEL_PARAMS

from tsladder.params import (
    GraphParams,
    PanelDataParams,
    PanelParams,
    PanelSplitParams,
    PanelWindowParams,
    RankingEvaluationParams,
    RankTargetParams,
    UniverseParams,
    load_panel_params,
)
from tsladder.params.sections import StudyParams


@functools.cache
def default_question() -> PanelParams:
    return load_panel_params(DEFAULT_PANEL_PARAMS)


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
    return dataclasses.replace(
        default_question(),
        study=StudyParams(name="made-up", phase="test", timescale="daily", seed=42),
        budget=None,
        horizons=horizons,
        data=PanelDataParams(panel=panel, tier=tier),
        universe=UniverseParams(min_history=min_history, min_stocks=min_stocks),
        target=RankTargetParams(entry_lag=entry_lag),
        windows=PanelWindowParams(context_length=20),
        splits=PanelSplitParams(),
        evaluation=RankingEvaluationParams(bootstrap_draws=200, confidence=0.95),
        graph=graph,
    )
