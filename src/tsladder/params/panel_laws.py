"""Constraints between several leaves of a panel study's params.yaml. Each fault names the leaf to change by its dotted
path."""

from __future__ import annotations

import importlib

from tsladder.params.laws import date_faults, family_faults, ladder_faults, optimizer_faults, search_faults
from tsladder.params.panel_sections import GraphParams, PanelParams
from tsladder.params.phase_laws import phase_faults


def faults_between_panel_sections(params: PanelParams) -> list[str]:
    """Check the constraints between leaves and return every fault; every section has been read when this runs."""
    return [
        *ladder_faults(params),
        *_data_faults(params),
        *_target_faults(params),
        *date_faults(params.splits),
        *_purge_faults(params),
        *search_faults(params.search),
        *family_faults(params),
        *_pretraining_faults(params),
        *_missing_here(params),
        *_training_faults(params),
        *optimizer_faults(params.training),
        *phase_faults(params),
        *_graph_faults(params.graph),
    ]


def _data_faults(params: PanelParams) -> list[str]:
    # By name: params lies below the room that defines the tiers.
    tiers = importlib.import_module("tsladder.panel.columns").TIERS
    if params.data.tier not in tiers:
        return [f"data.tier: must be one of {', '.join(tiers)}, got {params.data.tier!r}"]
    unknown = [name for name in params.data.lags or () if name not in tiers[params.data.tier]]
    if not unknown:
        return []
    known = ", ".join(tiers[params.data.tier])
    return [f"data.lags: must name columns of tier {params.data.tier} ({known}), got {', '.join(unknown)}"]


def _target_faults(params: PanelParams) -> list[str]:
    target = params.target
    faults = []
    # By name: params lies below the tasks.
    known = importlib.import_module("tsladder.tasks").panel_names()
    if target.task not in known:
        faults.append(f"target.task: a panel is ranked, so it must be {', '.join(known)}, got {target.task!r}")
    if target.entry_lag == 0 and not target.same_close:
        faults.append(
            "target.entry_lag: must be at least 1, got 0: with 0 a position is taken at the very close its features "
            "are made of; set target.same_close to true if that is meant"
        )
    return faults


def _purge_faults(params: PanelParams) -> list[str]:
    splits, span = params.splits, params.span(max(params.horizons))
    if splits.kind == "dates" or splits.purge_days is None or splits.purge_days >= span:
        return []
    fault = (
        f"splits.purge_days: must be at least target.entry_lag + horizon ({span} sessions), got {splits.purge_days}: "
        "training labels would reach into validation; null takes that number"
    )
    return [fault]


def _pretraining_faults(params: PanelParams) -> list[str]:
    """Check that the models of the study have an encoder, and windows of several patches."""
    model = params.model
    if params.search.pretraining is None or family_faults(params):
        return []
    encoders = importlib.import_module("tsladder.families.parts.session_encoder")
    settings = {"patch_len": model.patch_len, "days": model.days}
    fault = encoders.fault(model.family, params.windows.context_length, settings)
    return [] if fault is None else [f"search.pretraining: {fault}"]


def _missing_here(params: PanelParams) -> list[str]:
    """Return a fault for each leaf that asks for what only a series study has."""
    faults = []
    if params.search.supplementary is not None:
        faults.append("search.supplementary: a panel study has no second phase of its searches: it must be null")
    if params.search.transfer:
        faults.append("search.transfer: a panel study does not train winners on other horizons: it must be false")
    if params.search.objective != "val_loss":
        faults.append("search.objective: val_auc needs classes, and a panel study ranks: it must be val_loss")
    if params.training.monitor != "val_loss":
        faults.append("training.monitor: val_auc needs classes, and a panel study ranks: it must be val_loss")
    if params.training.loss != "auto":
        faults.append(
            f"training.loss: a panel study is trained on training.loss_weights, so it must be auto, got "
            f"{params.training.loss}"
        )
    known = params.search.preset in params.search.presets
    if params.splits.kind != "dates" and known and params.search.pruning_rule is not None:
        faults.append(
            "search.pruning: compares learning curves of one training, and a trial of splits.kind "
            f"{params.splits.kind} is {params.splits.folds}: it must be null"
        )
    return faults


def _training_faults(params: PanelParams) -> list[str]:
    training = params.training
    # By name: params lies below the tasks. All stocks of a panel are counted where its file is read.
    losses = importlib.import_module("tsladder.tasks.parts.ranking_loss_faults")
    found = losses.loss_faults(
        training.loss_weights,
        stocks=training.stocks_per_day,
        effective_batch=training.effective_batch,
        day_weights=training.day_weights,
    )
    faults = [f"{leaf}: {fault}" for leaf, fault in found.items()]
    unknown = [str(horizon) for horizon in training.horizon_weights or () if horizon not in params.horizons]
    if unknown:
        known = ", ".join(map(str, params.horizons))
        faults.append(f"training.horizon_weights: must name horizons of the study ({known}), got {', '.join(unknown)}")
    return faults


def _graph_faults(graph: GraphParams | None) -> list[str]:
    if graph is None:
        return []
    faults = []
    if graph.at_least > graph.neighbours:
        faults.append(
            f"graph.at_least: must be at most graph.neighbours ({graph.neighbours}), got {graph.at_least}: they are "
            "some of them"
        )
    most = 1.0 - graph.shrinkage
    if graph.threshold > most:
        faults.append(
            f"graph.threshold: must be at most 1 - graph.shrinkage ({most:g}), which no correlation exceeds, got "
            f"{graph.threshold:g}"
        )
    return faults
