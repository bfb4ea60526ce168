"""Messages about a cell, or a machine, that has too little memory: how much is needed, and the nearest settings that
fit. Pure, no torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tsladder.artifacts.plans import Recipe
from tsladder.errors import BadInput
from tsladder.models.spec import ModelSpec
from tsladder.params import AnyParams
from tsladder.places import Places
from tsladder.planning.grids import grid_of
from tsladder.planning.held_panel import panel_held_for
from tsladder.planning.machine import Machine, describe_memory
from tsladder.planning.memory import NO_PANEL, HeldPanel, least_memory_gib
from tsladder.planning.study_models import geometry_for, recipe_for

_CHEAPER = (("adamw", "bf16"), ("lean", "bf16-mixed"), ("lean", "bf16"))
"""Pairs (optimizer, precision), from the smallest change of the recipe to the least memory. Each of them makes another
question."""


def insufficient_memory(
    unfit: Sequence[ModelSpec],
    members: int,
    *,
    machine: Machine,
    workers: int,
    recipe: Recipe,
    panel: HeldPanel = NO_PANEL,
) -> str:
    """Explain why a cell of `members` architectures cannot be trained where `unfit` fit under no plan, and what would
    fit. `panel`: data of a panel that each worker holds."""
    smallest, largest = (pick(unfit, key=lambda spec: spec.n_params) for pick in (min, max))
    need = _need(unfit, machine, recipe, panel)
    remedies = [*_fewer_workers(need, machine, workers), *_cheaper_recipes(unfit, machine, recipe, panel)]
    if machine.memory_gib < need <= machine.idle_gib:
        remedies.append(f"to end what holds memory now ({describe_memory(machine)})")
    elif need > machine.memory_gib:
        remedies.append(f"a machine (or hardware.memory_gib) of {need:.1f} GiB")
    remedies.append("a lower budget")
    return (
        f"{len(unfit)} of {members} architectures, of {smallest.n_params:,} to {largest.n_params:,} parameters, need "
        f"up to {need:.1f} GiB per worker with optimizer {recipe.optimizer} and {recipe.precision}, even under the "
        f"batch plan that needs least, and each of {workers} has {machine.memory_gib / workers:.1f} GiB. What would "
        f"fit: {'; '.join(remedies)}"
    )


def check_memory(places: Places, params: AnyParams, machine: Machine) -> None:
    """Raise BadInput where not even the smallest model of the ladder can be trained."""
    rung = params.ladder[0]
    recipe = recipe_for(params, rung)
    spec = min(grid_of(geometry_for(places, params), rung).members, key=lambda spec: spec.n_params)
    least = _need([spec], machine, recipe, panel_held_for(places, params))
    if machine.memory_gib >= least:
        return
    requested = params.hardware.memory_gib
    words = describe_memory(machine)
    got = f"got {machine.memory_gib:.2f}" if requested is not None or words is None else words
    remedy = "raise it, or set null to take what is free"
    if requested is None:
        remedy = "end what holds memory now" if machine.idle_gib >= least else "train on a machine with more memory"
    raise BadInput(
        f"hardware.memory_gib must be at least {least + 0.005:.2f}, what the smallest model of rung {rung} "
        f"({spec.n_params:,} parameters) needs at micro-batch 1 on one worker; {got}: {remedy}"
    )


def _need(specs: Sequence[ModelSpec], machine: Machine, recipe: Recipe, panel: HeldPanel) -> float:
    """Return the GiB that a worker needs to train any of `specs`."""
    return max(
        least_memory_gib(
            spec,
            effective_batch=recipe.effective_batch,
            precision=recipe.precision,
            optimizer=recipe.optimizer,
            calibration=machine.calibration,
            panel=panel,
        )
        for spec in specs
    )


def _fewer_workers(need: float, machine: Machine, workers: int) -> list[str]:
    fitting = int(machine.memory_gib / need)
    return [f"hardware.workers={fitting}"] if 1 <= fitting < workers else []


def _cheaper_recipes(unfit: Sequence[ModelSpec], machine: Machine, recipe: Recipe, panel: HeldPanel) -> list[str]:
    for optimizer, precision in _CHEAPER:
        cheaper = dataclasses.replace(recipe, optimizer=optimizer, precision=precision)
        need = _need(unfit, machine, cheaper, panel)
        if cheaper != recipe and need <= machine.memory_gib:
            return [f"training.optimizer={optimizer} with training.precision={precision} ({need:.1f} GiB)"]
    return []
