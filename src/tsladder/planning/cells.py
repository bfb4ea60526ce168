"""Plan files: per cell, everything that must make its stages stale, and nothing else.

A cell has three: what is searched (`plans/<cell>.json`), how its winner is retrained (`plans/train/`) and how
it is scored (`plans/evaluate/`). So a change of the metrics never retrains, and another seed count never
searches again. They hold the question, sorted, without clocks, and nothing of the machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tsladder.data.tier_sizes import n_features
from tsladder.models.spec import Geometry
from tsladder.params import Params, StopParams
from tsladder.planning.fingerprint import Code, stage_fingerprint
from tsladder.planning.grid import build_grid
from tsladder.planning.plans import Plan
from tsladder.planning.recipe import Recipe
from tsladder.planning.stage_code import family_module, strategy_module, task_module
from tsladder.vocabulary import Cell


@dataclasses.dataclass(frozen=True, slots=True)
class CellPlans:
    """The three plan files of one cell."""

    cell: Cell
    search: Plan
    train: Plan
    evaluate: Plan

    @property
    def planned(self) -> bool:
        return bool(self.search["planned"])


def geometry_of(params: Params) -> Geometry:
    """The window, patches and inputs that all models of the study share."""
    return Geometry(
        family=params.model.family,
        context_length=params.windows.context_length,
        n_features=n_features(params.data),
        patch_len=params.model.patch_len,
        stride=params.model.stride,
        revin=params.windows.normalisation == "revin",
    )


def plan_cells(params: Params) -> tuple[CellPlans, ...]:
    """Plans of every cell of ladder x horizons; a cell above the top rung says only that it is not planned.

    The code in use is fingerprinted into them. Raises BadInput when a planned rung's grid is empty.
    """
    source = Code.in_use().source
    # Loaded by name, so no import leads to them; other families, tasks and strategies make nothing stale.
    chosen = [family_module(params.model.family), task_module(params.target.task)]
    code = {
        "hpo": stage_fingerprint("hpo", source, [*chosen, strategy_module(params.search.strategy)]),
        "train": stage_fingerprint("train", source, chosen),
        "evaluate": stage_fingerprint("evaluate", source, chosen),
    }
    return tuple(_plan_cell(params, cell, code) for cell in params.cells)


def _plan_cell(params: Params, cell: Cell, code: Mapping[str, dict[str, str]]) -> CellPlans:
    head: Plan = {"cell": str(cell), "budget": cell.budget, "horizon": cell.horizon}
    if not params.is_planned(cell):
        nothing = {**head, "planned": False}
        return CellPlans(cell, nothing, nothing, nothing)
    geometry = geometry_of(params)
    grid = build_grid(geometry, cell.budget)
    question: Plan = {
        **head,
        "planned": True,
        "seed": params.study.seed,
        "data": params.data.to_record(),
        "target": dataclasses.asdict(params.target),
        "windows": dataclasses.asdict(params.windows),
        "model": dataclasses.asdict(geometry),
    }
    recipe = dataclasses.asdict(
        Recipe.from_params(params.training, params.search.chosen, cell.budget, params.target.task)
    )
    search = {
        "strategy": params.search.strategy,
        "preset": params.search.preset,
        "trials": params.search.trials_total,
        "objective": params.search.objective,
        "stop": _stop_record(params.search.stop_rule),
        "pruning": None if params.search.pruning_rule is None else dataclasses.asdict(params.search.pruning_rule),
        "space": dataclasses.asdict(params.search.chosen.space),
        "grid_size": len(grid.members),
        "shapes": len(grid.shapes),
    }
    return CellPlans(
        cell,
        search=_plain({**question, "training": recipe, "search": search, "code": code["hpo"]}),
        train=_plain({**question, "training": recipe, "seeds": params.train.seeds, "code": code["train"]}),
        evaluate=_plain(
            {
                **question,
                "training": recipe,
                "evaluation": dataclasses.asdict(params.evaluation),
                "code": code["evaluate"],
            }
        ),
    )


def _stop_record(rule: StopParams | None) -> dict[str, Any] | None:
    """Without the unit, which is the objective's whatever `metric` says: params.yaml is refused where they differ."""
    return (
        None if rule is None else {name: value for name, value in dataclasses.asdict(rule).items() if name != "metric"}
    )


def _plain(value: Any) -> Any:
    """Tuples become lists, so that a plan in memory equals the one read back from its file."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
