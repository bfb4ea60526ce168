"""Constraints between several leaves of a panel study's params.yaml. Each fault names the leaf to change by its dotted
path."""

from __future__ import annotations

import importlib

from tsladder.params.laws import date_faults
from tsladder.params.panel_sections import GraphParams, PanelParams

RANKING_TASKS = ("rank",)


def faults_between_panel_sections(params: PanelParams) -> list[str]:
    """Check the constraints between leaves and return every fault; every section has been read when this runs."""
    return [
        *_horizon_faults(params),
        *_data_faults(params),
        *_target_faults(params),
        *date_faults(params.splits),
        *_purge_faults(params),
        *_graph_faults(params.graph),
    ]


def _horizon_faults(params: PanelParams) -> list[str]:
    if len(set(params.horizons)) == len(params.horizons):
        return []
    return [f"horizons: each stands once, got {list(params.horizons)}"]


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
    if target.task not in RANKING_TASKS:
        faults.append(f"target.task: a panel is ranked, so it must be {', '.join(RANKING_TASKS)}, got {target.task!r}")
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
