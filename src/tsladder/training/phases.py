"""Phases of a training, one after the other, each with a loss, a learning rate, clipping and parts of the model of its
own. A training without phases is one phase.

Every phase has its own warm-up, cosine and patience. Weights, moments of the optimizer and the order of the samples go
on from the phase before; the best weights are those of the best epoch of all phases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.artifacts.outcome import EpochOfPhase, EpochRecord, PhaseOutcome
from tsladder.artifacts.plans import PanelRecipe, PhaseRecipe, Recipe, phases_in
from tsladder.families import load
from tsladder.families.parts.toggles import Toggled
from tsladder.models.build import Model
from tsladder.models.spec import ModelSpec
from tsladder.tasks.parts.losses import Loss
from tsladder.training.outcome import Job


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Phase:
    """One phase of a training. `learning_rate`: factor on that of the job. `recipe`: None in a training without
    phases."""

    epochs: int
    learning_rate: float
    warmup_steps: int
    max_gradient_norm: float | None
    loss: Loss
    recipe: PhaseRecipe | None = None

    @property
    def name(self) -> str | None:
        return None if self.recipe is None else self.recipe.name

    def place(self, epoch: int) -> EpochOfPhase | None:
        """Return what the record of epoch `epoch` of this phase, counted from 1, says about its place."""
        if self.recipe is None:
            return None
        return EpochOfPhase(name=self.recipe.name, epoch=epoch, epochs=self.epochs)


def phases_of(job: Job, loss_of: Callable[[Recipe], Loss]) -> tuple[Phase, ...]:
    """Return the phases of `job`; `loss_of` builds the loss of a recipe.

    The warm-up of the job is shared out by the phases' epochs. Raises ValueError where these do not add up to the job's
    epochs.
    """
    recipe, settings = job.recipe, job.settings
    if not isinstance(recipe, PanelRecipe) or recipe.phases is None:
        whole = Phase(
            epochs=settings.epochs,
            learning_rate=1.0,
            warmup_steps=settings.warmup_steps,
            max_gradient_norm=recipe.max_gradient_norm,
            loss=loss_of(recipe),
        )
        return (whole,)
    total = sum(phase.epochs for phase in recipe.phases)
    if total != settings.epochs:
        raise ValueError(f"the phases have {total} epochs, and the training is to have {settings.epochs}")
    return tuple(
        Phase(
            epochs=phase.epochs,
            learning_rate=phase.learning_rate,
            warmup_steps=_share(settings.warmup_steps, phase.epochs, total),
            max_gradient_norm=phase.max_gradient_norm,
            loss=loss_of(recipe.of_phase(phase)),
            recipe=phase,
        )
        for phase in recipe.phases
    )


def _share(warmup_steps: int, epochs: int, total: int) -> int:
    return max(1, round(warmup_steps * epochs / total)) if warmup_steps > 0 else 0


def phase_outcomes(recipe: Recipe, curve: Sequence[EpochRecord]) -> tuple[PhaseOutcome, ...] | None:
    """Return the outcome of every phase of `recipe` by the epochs of `curve`; None for a training without phases."""
    phases = phases_in(recipe)
    if not phases:
        return None
    losses: dict[str, list[float]] = {phase.name: [] for phase in phases}
    for record in curve:
        if record.phase is not None:
            losses[record.phase.name].append(record.val_loss)
    return tuple(
        PhaseOutcome(
            name=phase.name,
            active=phase.active,
            epochs_run=len(losses[phase.name]),
            best=min(losses[phase.name], default=None),
        )
        for phase in phases
    )


def activate(spec: ModelSpec, model: Model, parts: Sequence[str]) -> frozenset[str]:
    """Compute these parts of `model` and no others from now on; return the names of the parameters that no output then
    depends on. Raises ValueError for parts that models of this family do not have."""
    family = load(spec.geometry.family)
    if isinstance(family, Toggled):
        return family.activate(model, parts)
    if parts:
        raise ValueError(f"a {spec.geometry.family} has no parts that can be switched on, got {', '.join(parts)}")
    return frozenset()


def parts_of_parameters(spec: ModelSpec, model: Model, phases: Sequence[PhaseRecipe]) -> dict[str, str]:
    """Return parameter -> part of `model` that it belongs to, for every part that a phase trains. Afterwards, all of
    these parts are active."""
    parts = sorted({part for phase in phases for part in phase.active})
    found = {}
    for part in parts:
        without = activate(spec, model, [other for other in parts if other != part])
        found.update(dict.fromkeys(without - activate(spec, model, parts), part))
    return found
