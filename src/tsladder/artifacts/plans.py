"""artifacts/plans/: everything that must make a stage stale, and nothing else; one record class per kind of plan file.

The files are inputs of stages, and their bytes enter the keys of live records, so they depend on the values of the
record alone. The file of a cell above the top rung, or of a stage that was not asked for, says only that nothing is
planned.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from tsladder.artifacts.not_planned import AGAIN, nothing_in, plan_content
from tsladder.artifacts.not_planned import NotPlanned as NotPlanned
from tsladder.artifacts.record import Inline, OmitNone, record_of, write_record
from tsladder.errors import WorkFailed
from tsladder.families.parts.geometry import Geometry, PanelGeometry
from tsladder.params import (
    DataParams,
    EvaluationParams,
    GraphParams,
    OptimizerSettings,
    PanelDataParams,
    PanelWindowParams,
    PruningParams,
    RankTargetParams,
    SpaceParams,
    StopParams,
    TargetParams,
    UniverseParams,
    WindowParams,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """Training settings that are the same for every trial of a study. `patience` None: no early stopping.

    `loss` is the training loss; `monitor`, val_loss or val_auc, decides early stopping and the best epoch.
    `optimizer_settings` None: the optimizer's defaults.
    """

    effective_batch: int
    precision: str
    optimizer: str
    schedule: str
    max_gradient_norm: float | None
    patience: int | None
    min_delta: float
    loss: str
    monitor: str
    optimizer_settings: Annotated[OptimizerSettings | None, OmitNone()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseRecipe:
    """One phase of a training. `learning_rate`: factor on that of the trial. `active`: parts of the model that are
    computed and trained, of those that its family can switch off. The rest is as in `PanelRecipe`."""

    name: str
    epochs: int
    learning_rate: float
    active: tuple[str, ...]
    loss_weights: Mapping[str, float]
    horizon_weights: tuple[float, ...]
    max_gradient_norm: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelRecipe(Recipe):
    """Training settings of a panel study, where a batch counts days. `loss` describes the mixture of `loss_weights`.

    `horizon_weights`: weights of the horizons that a model forecasts, that of its cell first. `transform`: what losses
    see in place of returns. `train_every`: an epoch sees one of so many training days. `stocks_per_day`: stocks drawn
    on each training day; None: all. `day_weights`: rule of the weights of the days in the loss `regime`. `phases`:
    phases of the training, one after the other; None: it has none.
    """

    loss_weights: Mapping[str, float]
    horizon_weights: tuple[float, ...] = (1.0,)
    transform: Literal["rank", "zscore"] = "rank"
    train_every: int = 1
    stocks_per_day: int | None = None
    day_weights: str | None = None
    phases: Annotated[tuple[PhaseRecipe, ...] | None, OmitNone()] = None

    def of_phase(self, phase: PhaseRecipe) -> PanelRecipe:
        """Return the recipe with the losses, weights of horizons and clipping of `phase`."""
        return dataclasses.replace(
            self,
            loss_weights=phase.loss_weights,
            horizon_weights=phase.horizon_weights,
            max_gradient_norm=phase.max_gradient_norm,
        )


def phases_in(recipe: Recipe) -> tuple[PhaseRecipe, ...]:
    """Return the phases of a training by `recipe`; empty for one without phases."""
    return (recipe.phases or ()) if isinstance(recipe, PanelRecipe) else ()


def stocks_drawn(recipe: Recipe) -> int | None:
    """Return how many stocks a training by `recipe` draws on each training day; None: all of them, or there is one
    series."""
    return recipe.stocks_per_day if isinstance(recipe, PanelRecipe) else None


def losses_in(recipe: Recipe) -> frozenset[str]:
    """Return the names of the losses of a panel's mixtures that a training by `recipe` is trained on, in any phase."""
    if not isinstance(recipe, PanelRecipe):
        return frozenset()
    mixtures = [phase.loss_weights for phase in phases_in(recipe)] or [recipe.loss_weights]
    return frozenset(name for weights in mixtures for name, weight in weights.items() if weight > 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedQuestion:
    """Fields that the plan files of the cells of every study have in common."""

    cell: str
    budget: str
    horizon: int
    seed: int
    model: Geometry
    training: Recipe
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class CellQuestion(SharedQuestion):
    """Fields that the three plan files of a cell of a series study have in common."""

    data: DataParams
    target: TargetParams
    windows: WindowParams


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelQuestion(SharedQuestion):
    """Fields that the three plan files of a cell of a panel study have in common. `horizons`: those that a model
    forecasts, that of its cell first."""

    data: PanelDataParams
    universe: UniverseParams
    target: RankTargetParams
    windows: PanelWindowParams
    horizons: tuple[int, ...]
    graph: Annotated[GraphParams | None, OmitNone()] = None
    model: PanelGeometry
    training: PanelRecipe


AnyQuestion = CellQuestion | PanelQuestion


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchTask:
    """Settings of the search of a cell. `stop` and `pruning` None: off. `grid_size` and `shapes` count the rung's
    architectures and their shapes."""

    strategy: str
    preset: str
    trials: int
    objective: Literal["val_loss", "val_auc"]
    stop: StopParams | None
    pruning: PruningParams | None
    space: SpaceParams
    grid_size: int
    shapes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """plans/<cell>.json: the search of a cell. `code`: module -> fingerprint of the code that makes the search's
    numbers."""

    question: Annotated[AnyQuestion, Inline()]
    search: SearchTask
    code: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainPlan:
    """plans/train/<cell>.json: the retraining of a cell's winner. `seeds`: number of training seeds."""

    question: Annotated[AnyQuestion, Inline()]
    seeds: int
    code: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluatePlan:
    """plans/evaluate/<cell>.json: the scoring of a cell's winner. `cost_bps`: cost of trading of a panel study."""

    question: Annotated[AnyQuestion, Inline()]
    evaluation: EvaluationParams
    code: Mapping[str, str]
    cost_bps: Annotated[float | None, OmitNone()] = None


CellPlan = SearchPlan | TrainPlan | EvaluatePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementaryPlan:
    """plans/supplementary.json: the second phase of searches. `cells`: name -> digest of its search plan."""

    budgets: Literal["auto"] | tuple[str, ...]
    trials: int
    cells: Mapping[str, str]
    code: Mapping[str, str]
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferPlan:
    """plans/transfer.json: the winners on the other horizons. `cells`: name -> digest of its train plan."""

    seed: int
    evaluation: EvaluationParams
    cells: Mapping[str, str]
    code: Mapping[str, str]
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainPlan:
    """plans/pretrain/<cell>.json: the winner of a cell of a panel study trained from a pretrained encoder as well.

    `mask`: share of the patches that are hidden. `training_code` is the part of `code` that decides the weights.
    """

    cell: str
    budget: str
    horizon: int
    epochs: int
    mask: float
    evaluation: EvaluationParams
    training_code: Mapping[str, str]
    code: Mapping[str, str]
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPlan:
    """plans/audit.json: the study under audit, and the small model that is trained for the audit."""

    seed: int
    horizons: tuple[int, ...]
    data: DataParams
    target: TargetParams
    windows: WindowParams
    model: Geometry
    architecture: Mapping[str, int]
    training: Recipe
    code: Mapping[str, str]
    planned: Literal[True] = True


Plan = SearchPlan | TrainPlan | EvaluatePlan | PretrainPlan | SupplementaryPlan | TransferPlan | AuditPlan
P = TypeVar("P", SearchPlan, TrainPlan, EvaluatePlan, PretrainPlan, SupplementaryPlan, TransferPlan, AuditPlan)


def read_plan(kind: type[P], path: Path) -> P | NotPlanned:
    """Read the plan file `path`. Raises WorkFailed if it is missing, damaged or of another kind."""
    content = plan_content(path)
    return nothing_in(content, path) or record_of(kind, content, source=str(path), remedy=AGAIN)


def read_planned(kind: type[P], path: Path) -> P:
    """Read the plan file `path` as `read_plan` does. Raises WorkFailed also if it plans nothing."""
    plan = read_plan(kind, path)
    if isinstance(plan, NotPlanned):
        raise WorkFailed(f"{path} plans nothing: set a higher `budget` in params.yaml and run `dvc repro plan`")
    return plan


def plan_if_there(kind: type[P], path: Path) -> P | NotPlanned | None:
    """Read the plan file `path` as `read_plan` does; return None if it does not exist."""
    try:
        return read_plan(kind, path) if path.exists() else None
    except NotADirectoryError:
        return None


def plain_plan(content: str | bytes) -> Mapping[str, Any] | None:
    """Parse a plan file of any version into plain data, to be compared leaf by leaf; return None if it is not a JSON
    object."""
    found = json.loads(content)
    return found if isinstance(found, dict) else None


def write_plan(path: Path, plan: Plan | NotPlanned) -> None:
    """Replace the plan file `path`."""
    write_record(path, plan)
