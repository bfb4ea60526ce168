"""Plan files of the stages that look at more than one cell: supplementary search, transfer of winners, leak audit.

Each plan holds what must make its stage stale: the digests of the plans of the cells that it works on, or else its
question, and the fingerprint of the code that it runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tsladder.artifacts.plans import AuditPlan, NotPlanned, Plan, SupplementaryPlan, TransferPlan
from tsladder.artifacts.record import json_of
from tsladder.artifacts.store import digest
from tsladder.models.spec import ModelSpec
from tsladder.params import Params
from tsladder.places import Places
from tsladder.planning.cells import canonical_data, geometry_of
from tsladder.planning.fingerprint import Code, stage_fingerprint
from tsladder.planning.grid import FF_RATIOS, HEADS, SMALL_DEPTHS, SMALL_WIDTHS, build_grid
from tsladder.planning.plans import CellPlans
from tsladder.planning.recipe import recipe_of
from tsladder.planning.stage_code import family_module, strategy_module, task_module, tier_module
from tsladder.tasks import load as load_task

AUDITED_AT_MOST = 200_000
"""Largest parameter count of the model that the audit trains: at this size a dozen short trainings take seconds on one
thread."""


def plan_supplementary(params: Params, plans: Sequence[CellPlans], *, offered: bool) -> SupplementaryPlan | NotPlanned:
    """Plan the supplementary search, or give the reason why there is none. `offered`: whether the strategy has a second
    phase."""
    settings = params.search.supplementary
    if settings is None:
        return NotPlanned(reason="search.supplementary is null")
    if not offered:
        return NotPlanned(reason=f"strategy {params.search.strategy} has one phase")
    return SupplementaryPlan(
        budgets=settings.budgets,
        trials=settings.trials,
        cells={str(plan.cell): digest(json_of(plan.search)) for plan in plans if plan.planned},
        code=stage_fingerprint(
            "supplementary",
            Code.in_use().source,
            [*_chosen(params), strategy_module(params.search.strategy)],
        ),
    )


def plan_transfer(params: Params, plans: Sequence[CellPlans]) -> TransferPlan | NotPlanned:
    """Plan the transfer stage, which retrains and scores the winners of a rung on each other's horizons."""
    if not params.search.transfer:
        return NotPlanned(reason="search.transfer is false")
    return TransferPlan(
        seed=params.study.seed,
        evaluation=params.evaluation,
        cells={str(plan.cell): digest(json_of(plan.train)) for plan in plans if plan.planned},
        code=stage_fingerprint("transfer", Code.in_use().source, _chosen(params)),
    )


def plan_audit(params: Params) -> AuditPlan:
    """Plan the leak audit: data, labels and windows on every horizon, and a small model of the family.

    Rungs, search and seeds are left out of the plan, so another rung or another seed count repeats no audit. Raises
    BadInput when the lowest rung's grid is empty.
    """
    spec = _small_member(params)
    # Precision and optimizer follow from the model's own size; the audit runs every epoch. It compares
    # reported losses, so it also trains on the reported loss: a leak is detected whatever loss the study trains on.
    recipe = recipe_of(params.training, params.search.chosen, str(spec.n_params_formula), params.target.task)
    loss = load_task(params.target.task).losses[0]
    return AuditPlan(
        seed=params.study.seed,
        horizons=params.horizons,
        data=canonical_data(params.data),
        target=params.target,
        windows=params.windows,
        model=spec.geometry,
        architecture=spec.architecture(),
        training=dataclasses.replace(recipe, patience=None, min_delta=0.0, loss=loss, monitor="val_loss"),
        code=stage_fingerprint("audit", Code.in_use().source, [*_chosen(params), tier_module(params.data.tier)]),
    )


def _chosen(params: Params) -> list[str]:
    """Return the modules that are loaded by name wherever models are trained: those of the family and of the task."""
    return [family_module(params.model.family), task_module(params.target.task)]


def _small_member(params: Params) -> ModelSpec:
    """Return the smallest member of the lowest rung's grid, or the smallest shape of all where that member takes
    minutes to train. A leak lies on the way from bars to losses, which is the same for every model size."""
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
) -> dict[Path, Plan | NotPlanned]:
    """Return the content of every plan file of the study by path: three files per cell, and one for each stage across
    cells."""
    return {
        **{path: content for plan in plans for path, content in plan.by_path(places).items()},
        places.supplementary_plan: plan_supplementary(params, plans, offered=supplement_offered),
        places.transfer_plan: plan_transfer(params, plans),
        places.audit_plan: plan_audit(params),
    }
