"""Copies of baseline scores in MLflow: one run for each horizon, with one run for each baseline below it."""

from __future__ import annotations

from pathlib import Path

from tsladder.artifacts.baselines import BaselineScores
from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.artifacts.record import json_of
from tsladder.artifacts.store import digest
from tsladder.params import PanelParams
from tsladder.tracking import RunRecord, RunTags, Tracker
from tsladder.vocabulary import Phase

BASELINES = "baselines"

_EARLIER_HARDWARE = {"device": "auto", "memory_gib": None, "workers": "auto"}
"""Default of the section hardware when keys still depended on it, so that runs of then and now have equal keys."""


def log_baselines(
    tracker: Tracker, params: PanelParams, features: PanelFeatures, scores: BaselineScores, files: tuple[Path, ...]
) -> None:
    """Log the scores of one horizon, with `files` at the run of the horizon. Every run says how the stocks of the panel
    were chosen."""
    name = f"{BASELINES}-h{scores.horizon}"
    tags = study_tags(params, features, horizons=(scores.horizon,), phase=Phase.EVALUATE)
    shared = {"panel": scores.panel, "universe": features.universe, "bias": bias_sentence(features)}
    parent = tracker.log_run(
        RunRecord(
            name=name,
            tags=tags,
            params={"entry_lag": params.target.entry_lag, "cost_bps": params.evaluation.cost_bps},
            extra_tags=shared | {"kind": BASELINES},
            artifacts=dict.fromkeys(files, ""),
            description=f"Constants and baselines on {scores.panel}, the level that a model has to beat. "
            f"{bias_sentence(features)}",
        )
    )
    for baseline in next(iter(scores.regions.values())).baselines:
        metrics: dict[str, float | None] = {}
        for region, level in scores.regions.items():
            figures = level.baselines[baseline].to_json(scores.horizon)
            metrics |= {f"{region.value}_{figure}": value for figure, value in figures.items()}
        tracker.log_run(
            RunRecord(
                name=f"{name}/{baseline}",
                tags=tags,
                parent_id=parent or None,
                metrics=metrics,
                extra_tags=shared | {"kind": "baseline"},
            )
        )


def study_tags(params: PanelParams, features: PanelFeatures, *, horizons: tuple[int, ...], phase: Phase) -> RunTags:
    """Return the tags of a run on the baselines of `horizons`: they have no model and no size."""
    return RunTags(
        budget=BASELINES,
        horizon=",".join(map(str, horizons)),
        model=BASELINES,
        tier=features.tier,
        task=params.target.task,
        phase=phase,
        study_key=study_key(params, features),
    )


def study_key(params: PanelParams, features: PanelFeatures) -> str:
    """Return the identity (SHA-256, hex) of a question about a panel: all parameters but the study's names and the
    hardware, and the values of the features."""
    question = {name: section for name, section in json_of(params).items() if name != "study"}
    question |= {"hardware": _EARLIER_HARDWARE}
    return digest("panel", question, params.study.seed, features.fingerprint)


def bias_sentence(features: PanelFeatures) -> str:
    """Return one sentence on how the choice of the panel's stocks and days misleads."""
    if not features.bias:
        return f"The universe is {features.universe}; no bias is known."
    return f"The universe is {features.universe}: {'; '.join(features.bias)}."
