"""Constraints between the phases of a training and the other leaves of a panel study's params.yaml. Each fault names
the leaf to change by its dotted path."""

from __future__ import annotations

import importlib
from collections import Counter

from tsladder.params.panel_sections import PanelParams
from tsladder.params.phases import PhaseParams


def phase_faults(params: PanelParams) -> list[str]:
    """Check `training.phases` and return every fault; none without phases."""
    phases = params.training.phase_list
    if not phases:
        return []
    faults = [*_length_faults(params), *_pruning_faults(params)]
    names = Counter(phase.name for phase in phases)
    if repeated := [name for name, count in names.items() if count > 1]:
        faults.append(f"training.phases: each name must appear only once, got {', '.join(repeated)} more than once")
    for number, phase in enumerate(phases):
        path = "training.phases" if params.training.phases == "classic" else f"training.phases[{number}]"
        faults += [*_toggle_faults(params, phase, path), *_horizon_faults(params, phase, path)]
        if phase.loss_weights is not None:
            faults += _loss_faults(params, phase, path)
    return list(dict.fromkeys(faults))


def _length_faults(params: PanelParams) -> list[str]:
    if params.search.preset not in params.search.presets:
        return []
    total = sum(phase.epochs for phase in params.training.phase_list)
    choices = params.search.chosen.space.epochs.choices
    if choices == (float(total),):
        return []
    path = f"search.presets.{params.search.preset}.space.epochs"
    got = ", ".join(f"{choice:g}" for choice in choices)
    fault = (
        f"{path}: training.phases says how long a model is trained, so it must be {{choices: [{total}]}}, the sum of "
        f"the phases' epochs; got {got}"
    )
    return [fault]


def _pruning_faults(params: PanelParams) -> list[str]:
    if params.search.preset not in params.search.presets or params.search.pruning_rule is None:
        return []
    fault = (
        "search.pruning: with training.phases it must be null: a trial would be given up in a phase that its rivals "
        "have left behind"
    )
    return [fault]


def _toggle_faults(params: PanelParams, phase: PhaseParams, path: str) -> list[str]:
    if isinstance(phase.active, str):
        return []
    # By name, so that stages that only read params.yaml do not become stale with the code of a family.
    families = importlib.import_module("tsladder.families")
    if params.model.family not in families.panel_names():
        return []
    toggles = importlib.import_module("tsladder.families.parts.toggles")
    family = families.load(params.model.family)
    known, of_graph = toggles.toggles_of(family), toggles.graph_toggles_of(family)
    faults = []
    if lacking := [toggle for toggle in phase.active if toggle not in known]:
        has = f"has {', '.join(known)}" if known else "has none that can be switched off; write all or none"
        faults.append(
            f"{path}.active: must name parts of model.family {params.model.family}, which {has}; got "
            f"{', '.join(lacking)}"
        )
    if params.graph is None and (unseen := [toggle for toggle in phase.active if toggle in of_graph]):
        faults.append(f"{path}.active: {', '.join(unseen)} needs neighbours, and graph is null: give it a section")
    return faults


def _horizon_faults(params: PanelParams, phase: PhaseParams, path: str) -> list[str]:
    if params.training.phases == "classic" or phase.horizon_weights is None:
        return []
    unknown = [horizon for horizon in phase.horizon_weights if horizon not in params.horizons]
    if not unknown:
        return []
    known = ", ".join(map(str, params.horizons))
    return [f"{path}.horizon_weights: must name horizons of the study ({known}), got {', '.join(map(str, unknown))}"]


def _loss_faults(params: PanelParams, phase: PhaseParams, path: str) -> list[str]:
    training = params.training
    # By name: params lies below the tasks.
    losses = importlib.import_module("tsladder.tasks.parts.ranking_loss_faults")
    found = losses.loss_faults(
        phase.loss_weights,
        stocks=training.stocks_per_day,
        effective_batch=training.effective_batch,
        day_weights=training.day_weights,
        section=path,
    )
    return [f"{leaf}: {fault}" for leaf, fault in found.items()]
