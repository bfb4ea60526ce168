"""Plan files of the stages that look at more than one cell: supplementary search, transfer of winners, leak audit.

Each holds what must make its stage stale: the plans of the cells it works on, as digests, or what it asks about, and
the code it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.store import digest
from tsladder.models.spec import ModelSpec
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.cells import CellPlans, geometry_of
from tsladder.planning.fingerprint import Code, stage_fingerprint
from tsladder.planning.grid import FF_RATIOS, HEADS, SMALL_DEPTHS, SMALL_WIDTHS, build_grid
from tsladder.planning.plans import Plan
from tsladder.planning.recipe import Recipe
from tsladder.planning.stage_code import family_module, strategy_module, task_module, tier_module
from tsladder.tasks import load as load_task

AUDITED_AT_MOST = 200_000
"""Parameters of the model that the audit trains: a dozen short trainings of it take seconds on one thread."""


def plan_supplementary(params: Params, plans: Sequence[CellPlans], *, offered: bool) -> Plan:
    """`offered`: has the strategy a second phase?"""
    wanted = params.search.supplementary
    if wanted is None:
        return {"planned": False, "reason": "search.supplementary is null"}
    if not offered:
        return {"planned": False, "reason": f"strategy {params.search.strategy} has one phase"}
    return {
        "planned": True,
        "budgets": wanted.budgets if isinstance(wanted.budgets, str) else list(wanted.budgets),
        "trials": wanted.trials,
        "cells": {str(plan.cell): digest(plan.search) for plan in plans if plan.planned},
        "code": stage_fingerprint(
            "supplementary",
            Code.in_use().source,
            [*_chosen(params), strategy_module(params.search.strategy)],
        ),
    }


def plan_transfer(params: Params, plans: Sequence[CellPlans]) -> Plan:
    """What the winners of a rung are trained and judged by on each other's horizons."""
    if not params.search.transfer:
        return {"planned": False, "reason": "search.transfer is false"}
    return {
        "planned": True,
        "seed": params.study.seed,
        "evaluation": dataclasses.asdict(params.evaluation),
        "cells": {str(plan.cell): digest(plan.train) for plan in plans if plan.planned},
        "code": stage_fingerprint("transfer", Code.in_use().source, _chosen(params)),
    }


def plan_audit(params: Params) -> Plan:
    """What the leak audit asks about: data, labels and windows on every horizon, and a small model of the family.

    Rungs, search and seeds are not in it, so another rung or another seed count audits nothing again. Raises BadInput
    when the lowest rung's grid is empty.
    """
    spec = _small_member(params)
    # Precision and optimizer follow from its own size; the audit runs every epoch that it asks for. It reads
    # reported losses, so it trains on them: a leak shows whatever the study is trained on.
    recipe = Recipe.from_params(params.training, params.search.chosen, str(spec.n_params_formula), params.target.task)
    loss = load_task(params.target.task).losses[0]
    audited = dataclasses.replace(recipe, patience=None, min_delta=0.0, loss=loss, monitor="val_loss")
    return {
        "planned": True,
        "seed": params.study.seed,
        "horizons": list(params.horizons),
        "data": params.data.to_record(),
        "target": dataclasses.asdict(params.target),
        "windows": dataclasses.asdict(params.windows),
        "model": dataclasses.asdict(spec.geometry),
        "architecture": spec.architecture(),
        "training": dataclasses.asdict(audited),
        "code": stage_fingerprint("audit", Code.in_use().source, [*_chosen(params), tier_module(params.data.tier)]),
    }


def _chosen(params: Params) -> list[str]:
    """Modules that are loaded by name wherever models are trained."""
    return [family_module(params.model.family), task_module(params.target.task)]


def _small_member(params: Params) -> ModelSpec:
    """The lowest rung's smallest member, or the smallest shape there is where that takes minutes to train: a leak lies
    in the way from bars to losses, which is the same for every size."""
    geometry = geometry_of(params)
    member = build_grid(geometry, params.ladder[0]).members[0]
    if member.n_params <= AUDITED_AT_MOST:
        return member
    d_model, n_layers = SMALL_WIDTHS[0], SMALL_DEPTHS[0]
    return ModelSpec(
        geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=HEADS[0], d_ff=FF_RATIOS[0] * d_model
    )


def plan_files(
    places: Places, params: Params, plans: Sequence[CellPlans], *, supplement_offered: bool
) -> dict[Path, Plan]:
    """Every plan file of the study -> what it says: three of each cell, and those of the stages across cells."""
    return {
        **{places.search_plan(plan.cell): plan.search for plan in plans},
        **{places.train_plan(plan.cell): plan.train for plan in plans},
        **{places.evaluate_plan(plan.cell): plan.evaluate for plan in plans},
        places.supplementary_plan: plan_supplementary(params, plans, offered=supplement_offered),
        places.transfer_plan: plan_transfer(params, plans),
        places.audit_plan: plan_audit(params),
    }
