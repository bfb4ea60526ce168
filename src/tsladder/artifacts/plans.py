"""artifacts/plans/: everything that must make a stage stale, and nothing else. One record a kind of plan file.

The files are inputs of stages and enter the keys of live records, so their bytes are those of the record's values. A
file of a cell above the top rung, or of a stage that was not asked for, says only that nothing is planned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from tsladder.artifacts.record import Inline, OmitNone, read_record, record_of, write_record
from tsladder.artifacts.store import read_json
from tsladder.errors import WorkFailed
from tsladder.families.parts.geometry import Geometry
from tsladder.params import (
    DataParams,
    EvaluationParams,
    PruningParams,
    SpaceParams,
    StopParams,
    TargetParams,
    WindowParams,
)

_AGAIN = "remove it and run `dvc repro plan`"


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The part of training that is the same for every trial of a study. `patience` None: no early stopping.

    `loss` is what is trained on; `monitor`, val_loss or val_auc, is what stops a run early and chooses its best epoch.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class CellQuestion:
    """What the three plan files of a cell have in common."""

    cell: str
    budget: str
    horizon: int
    seed: int
    data: DataParams
    target: TargetParams
    windows: WindowParams
    model: Geometry
    training: Recipe
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchTask:
    """How a cell is searched. `stop` and `pruning` None: off. `grid_size` and `shapes`: of the rung's architectures."""

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
    """plans/<cell>.json. `code`: module -> fingerprint of what makes its numbers."""

    question: Annotated[CellQuestion, Inline()]
    search: SearchTask
    code: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainPlan:
    """plans/train/<cell>.json: how its winner is retrained. `seeds` is a count."""

    question: Annotated[CellQuestion, Inline()]
    seeds: int
    code: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluatePlan:
    """plans/evaluate/<cell>.json: how its winner is scored."""

    question: Annotated[CellQuestion, Inline()]
    evaluation: EvaluationParams
    code: Mapping[str, str]


CellPlan = SearchPlan | TrainPlan | EvaluatePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementaryPlan:
    """plans/supplementary.json: the second phase. `cells`: name -> digest of its search plan."""

    budgets: Literal["auto"] | tuple[str, ...]
    trials: int
    cells: Mapping[str, str]
    code: Mapping[str, str]
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferPlan:
    """plans/transfer.json: winners on the other horizons. `cells`: name -> digest of its train plan."""

    seed: int
    evaluation: EvaluationParams
    cells: Mapping[str, str]
    code: Mapping[str, str]
    planned: Literal[True] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPlan:
    """plans/audit.json: the study under audit, and the small model that is trained for it."""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPlanned:
    """Instead of any of them: of a cell above the top rung, or of a stage that was not asked for, with the reason."""

    cell: Annotated[str | None, OmitNone()] = None
    budget: Annotated[str | None, OmitNone()] = None
    horizon: Annotated[int | None, OmitNone()] = None
    reason: Annotated[str | None, OmitNone()] = None
    planned: Literal[False] = False


Plan = SearchPlan | TrainPlan | EvaluatePlan | SupplementaryPlan | TransferPlan | AuditPlan
P = TypeVar("P", SearchPlan, TrainPlan, EvaluatePlan, SupplementaryPlan, TransferPlan, AuditPlan)


def read_plan(kind: type[P], path: Path) -> P | NotPlanned:
    """The plan file `path`. Raises WorkFailed when it is missing, damaged or of another kind."""
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise WorkFailed(f"{path} is missing: run `dvc repro plan` first") from None
    if content.get("planned") is False:
        return record_of(NotPlanned, content, source=str(path), remedy=_AGAIN)
    return record_of(kind, content, source=str(path), remedy=_AGAIN)


def read_planned(kind: type[P], path: Path) -> P:
    """As `read_plan`; a file that plans nothing is refused as well."""
    plan = read_plan(kind, path)
    if isinstance(plan, NotPlanned):
        raise WorkFailed(f"{path} plans nothing: set a higher `budget` in params.yaml and run `dvc repro plan`")
    return plan


def plan_if_there(kind: type[P], path: Path) -> P | NotPlanned | None:
    """As `read_plan`; None where there is no file."""
    try:
        return read_plan(kind, path) if path.exists() else None
    except NotADirectoryError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchedTask:
    """What a live record says of its search, whichever version of tsladder began it."""

    strategy: str
    objective: str
    space: SpaceParams


@dataclass(frozen=True, kw_only=True, slots=True)
class _SearchedPlan:
    search: SearchedTask


def searched_task(path: Path) -> SearchedTask | None:
    """Of the search plan at `path` in a live record; None where it says nothing that can be read."""
    try:
        return read_record(_SearchedPlan, path).search
    except (WorkFailed, OSError):
        return None


def plain_plan(content: str | bytes) -> Mapping[str, Any] | None:
    """A plan file of any version as plain data, to be compared leaf by leaf; None where it is no object."""
    found = json.loads(content)
    return found if isinstance(found, dict) else None


def write_plan(path: Path, plan: Plan | NotPlanned) -> None:
    """Replace the plan file `path`."""
    write_record(path, plan)
