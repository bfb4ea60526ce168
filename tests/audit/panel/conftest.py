"""Small panel studies to audit; their leaks are planted test by test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from tests.audit.panel.leaks import FAST, with_step
from tests.bundled_data import bundled_panel
from tests.panel.made_up import made_up
from tests.panel.questions import default_question

from tsladder.audit.panel.subject import PanelSubject, panel_subject
from tsladder.panel.day_cuts import cut_days
from tsladder.panel.panel import Panel
from tsladder.panel.samples import build_inputs
from tsladder.params import PanelParams
from tsladder.params.panel_sections import (
    PanelDataParams,
    PanelSplitParams,
    PanelWindowParams,
    RankingEvaluationParams,
    RankTargetParams,
    UniverseParams,
)
from tsladder.params.sections import StudyParams


def question(horizons: tuple[int, ...] = (1, 3), *, tier: str = "s9", context: int = 10, **splits: Any) -> PanelParams:
    """Ask for both horizons on a made-up panel, its regions cut by fractions."""
    cut = {"kind": "dates", "validation_fraction": 0.3, "test_fraction": 0.2, "embargo_days": 7, **splits}
    return dataclasses.replace(
        default_question(),
        budget=None,
        study=StudyParams(name="made-up", phase="p", timescale="d", seed=11),
        horizons=horizons,
        data=PanelDataParams(panel="made_up", tier=tier),
        universe=UniverseParams(min_history=60, min_stocks=8),
        target=RankTargetParams(),
        windows=PanelWindowParams(context_length=context),
        splits=PanelSplitParams(**cut),
        evaluation=RankingEvaluationParams(bootstrap_draws=200, confidence=0.95),
    )


def audited(panel: Panel, params: PanelParams) -> PanelSubject:
    """Return the study of `params` on `panel`, its regions cut by the study's own code."""
    axis = build_inputs(panel, params).axis
    context = params.windows.context_length
    splits = {horizon: cut_days(axis, params.splits, context, params.span(horizon)) for horizon in params.horizons}
    return panel_subject(panel, params, splits)


@pytest.fixture(scope="session")
def whole() -> PanelSubject:
    """Two horizons, regions in time order, all baselines; stocks are listed late, pause and leave."""
    return audited(made_up(900, 18), question())


@pytest.fixture(scope="session")
def subject() -> PanelSubject:
    """A shorter study with the quick learners alone."""
    return with_step(audited(made_up(700, 14), question()), learners=FAST)


@pytest.fixture(scope="session")
def folded() -> PanelSubject:
    """A study in purged folds."""
    return with_step(audited(made_up(700, 14), question(kind="purged_kfold", folds=3)), learners=FAST)


@pytest.fixture(scope="session")
def walking() -> PanelSubject:
    """A study that walks forward."""
    params = question((2,), kind="walk_forward", folds=2, validation_fraction=0.4)
    return with_step(audited(made_up(700, 14), params), learners=FAST)


@pytest.fixture(scope="session")
def bundled() -> Callable[[str], Panel]:
    """Read one of the bundled panels by its name."""
    return bundled_panel
