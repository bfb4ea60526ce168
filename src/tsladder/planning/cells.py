"""Plan files of a cell: everything that must make its stages stale, and nothing else.

A cell has three plan files: of its search (`plans/<cell>.json`), of its winner's retraining (`plans/train/`) and of its
scoring (`plans/evaluate/`). So a change of the metrics never retrains, and another seed count never repeats a search.
The files hold the question with sorted keys, no timestamps and nothing about the machine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tsladder.artifacts.plans import (
    CellQuestion,
    EvaluatePlan,
    SearchPlan,
    SearchTask,
    TrainPlan,
)
from tsladder.data.tier_sizes import n_features
from tsladder.models.spec import Geometry
from tsladder.params import DataParams, Params, SearchParams
from tsladder.planning.fingerprint import Code, stage_fingerprint
from tsladder.planning.grid import Grid
from tsladder.planning.grids import grid_of
from tsladder.planning.plans import CellPlans, PlanFiles
from tsladder.planning.recipe import recipe_of
from tsladder.planning.stage_code import family_module, strategy_module, task_module
from tsladder.vocabulary import Cell


def geometry_of(params: Params) -> Geometry:
    """Return the geometry that all models of the study share: window, patches and inputs."""
    return Geometry(
        family=params.model.family,
        context_length=params.windows.context_length,
        n_features=n_features(params.data),
        patch_len=params.model.patch_len,
        stride=params.model.stride,
        revin=params.windows.normalisation == "revin",
    )


def plan_cells(params: Params) -> tuple[CellPlans, ...]:
    """Return the plans of every cell of ladder x horizons; those of a cell above the top rung say only that it is not
    planned.

    The plans hold fingerprints of the code in use. Raises BadInput when a planned rung's grid is empty.
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
    if not params.is_planned(cell):
        return CellPlans(cell=cell, files=None)
    geometry = geometry_of(params)
    grid = grid_of(geometry, cell.budget)
    search = params.search
    question = CellQuestion(
        cell=str(cell),
        budget=cell.budget,
        horizon=cell.horizon,
        seed=params.study.seed,
        data=canonical_data(params.data),
        target=params.target,
        windows=params.windows,
        model=geometry,
        training=recipe_of(params.training, search.chosen, cell.budget, params.target.task),
    )
    return CellPlans(
        cell=cell,
        files=PlanFiles(
            search=SearchPlan(question=question, search=search_task(search, grid), code=code["hpo"]),
            train=TrainPlan(question=question, seeds=params.train.seeds, code=code["train"]),
            evaluate=EvaluatePlan(question=question, evaluation=params.evaluation, code=code["evaluate"]),
        ),
    )


def search_task(search: SearchParams, grid: Grid) -> SearchTask:
    """Return the settings of a search as plan files store them."""
    return SearchTask(
        strategy=search.strategy,
        preset=search.preset,
        trials=search.trials_total,
        objective=search.objective,
        # The unit is left out: it is that of the objective, and params.yaml is refused where they differ.
        stop=None if search.stop_rule is None else dataclasses.replace(search.stop_rule, metric=None),
        pruning=search.pruning_rule,
        space=search.chosen.space,
        grid_size=len(grid.members),
        shapes=len(grid.shapes),
    )


def canonical_data(data: DataParams) -> DataParams:
    """Return `data` as plan files store it: `symbols` is None where it lists `symbol` alone, which is the same
    question."""
    return dataclasses.replace(data, symbols=data.markets if data.further else None)
