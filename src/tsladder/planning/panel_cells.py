"""Plan files of the cells of a panel study: everything that must make their stages stale, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.plans import (
    EvaluatePlan,
    NotPlanned,
    PanelQuestion,
    Plan,
    PretrainPlan,
    SearchPlan,
    TrainPlan,
)
from tsladder.artifacts.store import if_there
from tsladder.families import load
from tsladder.families.parts.panel_family import OwnDepths
from tsladder.families.parts.session_encoder import encoder_module
from tsladder.models.spec import PanelGeometry
from tsladder.panel.columns import TIERS
from tsladder.panel.file import read_manifest
from tsladder.params import EvaluationParams, GraphParams, PanelParams, PretrainingParams
from tsladder.places import Places
from tsladder.planning.cells import search_task
from tsladder.planning.fingerprint import Code, module_fingerprints, stage_fingerprint
from tsladder.planning.grids import grid_of
from tsladder.planning.panel_recipe import forecast_horizons, panel_recipe_of
from tsladder.planning.plans import CellPlans, PlanFiles
from tsladder.planning.stage_code import PRETRAINING, family_module, strategy_module, task_module
from tsladder.tasks.parts.ranking_loss_names import needs_quantiles
from tsladder.vocabulary import Cell

QUANTILES = 5
"""Quantiles that a model forecasts where the loss `quantile` trains it."""


def stocks_of(places: Places, params: PanelParams) -> int:
    """Return the number of stocks of the panel, as `panel_size` finds it."""
    return panel_size(places, params)[1]


def panel_size(places: Places, params: PanelParams) -> tuple[int, int]:
    """Return the numbers of sessions and of stocks of the panel, from the manifest of its file; where that is not here,
    from the record that the stage features left. Raises BadInput as `read_manifest` does."""
    path = places.bars(params.data.panel)
    recorded = None if path.exists() else if_there(read_panel_features)(places.features_manifest)
    if recorded is not None and recorded.panel == params.data.panel:
        return recorded.sessions, recorded.symbols
    manifest = read_manifest(path)
    return manifest.sessions, manifest.symbols


def panel_geometry(params: PanelParams, horizon: int, stocks: int) -> PanelGeometry:
    """Return the geometry that all models of a cell of `horizon` share; `stocks`: those of the panel."""
    leaves, graph = load(params.model.family).leaves, _graph_of(params)
    horizons = len(forecast_horizons(params, horizon))
    quantiles = QUANTILES if any(map(needs_quantiles, params.training.mixtures)) else 1

    def read(leaf: str, value: int) -> int:
        """Return `value` where the family reads `leaf`; a leaf that it ignores makes no cell stale."""
        return value if leaf in leaves else 0

    patch_len = read("patch_len", params.model.patch_len) or params.windows.context_length
    return PanelGeometry(
        family=params.model.family,
        context_length=params.windows.context_length,
        n_features=len(TIERS[params.data.tier]),
        patch_len=patch_len,
        stride=patch_len,
        revin=False,
        n_outputs=horizons * quantiles,
        stocks=stocks,
        horizons=horizons,
        quantiles=quantiles,
        days=read("days", params.model.days),
        fan_components=read("fan_components", params.model.fan_components),
        neighbours=0 if graph is None else graph.places,
    )


def _graph_of(params: PanelParams) -> GraphParams | None:
    """Return the graph that the models of the study read; None where their family has no layers over one."""
    family = load(params.model.family)
    return params.graph if isinstance(family, OwnDepths) and any(family.graph_depths) else None


def plan_panel_cells(params: PanelParams, stocks: int) -> tuple[CellPlans, ...]:
    """Return the plans of every cell of ladder x horizons, as `plan_cells` does for a series study.

    Raises BadInput when a planned rung's grid is empty.
    """
    if params.budget is None:
        return tuple(CellPlans(cell=cell, files=None, pretrain=_nothing(cell)) for cell in params.cells)
    source = Code.in_use().source
    chosen = [family_module(params.model.family), task_module(params.target.task)]
    code = {
        "hpo": stage_fingerprint("panel/hpo", source, [*chosen, strategy_module(params.search.strategy)]),
        "train": stage_fingerprint("panel/train", source, chosen),
        "evaluate": stage_fingerprint("panel/evaluate", source, chosen),
    }
    if params.search.pretraining is not None:
        encoder = encoder_module(params.model.family)
        code["pretrain"] = stage_fingerprint("panel/pretrain", source, [*chosen, encoder])
        code["pretraining"] = module_fingerprints((*PRETRAINING, encoder), source, "panel/pretrain")
    return tuple(_plan_cell(params, cell, code, stocks) for cell in params.cells)


def _plan_cell(params: PanelParams, cell: Cell, code: Mapping[str, dict[str, str]], stocks: int) -> CellPlans:
    if not params.is_planned(cell):
        return CellPlans(cell=cell, files=None, pretrain=_nothing(cell))
    geometry = panel_geometry(params, cell.horizon, stocks)
    grid = grid_of(geometry, cell.budget)
    search = params.search
    evaluation = EvaluationParams(
        bootstrap_draws=params.evaluation.bootstrap_draws, confidence=params.evaluation.confidence
    )
    question = PanelQuestion(
        cell=str(cell),
        budget=cell.budget,
        horizon=cell.horizon,
        seed=params.study.seed,
        data=params.data,
        universe=params.universe,
        target=params.target,
        windows=params.windows,
        horizons=forecast_horizons(params, cell.horizon),
        graph=_graph_of(params),
        model=geometry,
        training=panel_recipe_of(params, cell.budget, cell.horizon),
    )
    return CellPlans(
        cell=cell,
        files=PlanFiles(
            search=SearchPlan(question=question, search=search_task(search, grid), code=code["hpo"]),
            train=TrainPlan(question=question, seeds=params.train.seeds, code=code["train"]),
            evaluate=EvaluatePlan(
                question=question,
                evaluation=evaluation,
                cost_bps=params.evaluation.cost_bps,
                code=code["evaluate"],
            ),
        ),
        pretrain=_plan_pretraining(search.pretraining, cell, evaluation, code),
    )


def _plan_pretraining(
    pretraining: PretrainingParams | None,
    cell: Cell,
    evaluation: EvaluationParams,
    code: Mapping[str, dict[str, str]],
) -> PretrainPlan | NotPlanned:
    if pretraining is None:
        return dataclasses.replace(_nothing(cell), reason="search.pretraining is null")
    return PretrainPlan(
        cell=str(cell),
        budget=cell.budget,
        horizon=cell.horizon,
        epochs=pretraining.epochs,
        mask=pretraining.mask,
        evaluation=evaluation,
        training_code=code["pretraining"],
        code=code["pretrain"],
    )


def _nothing(cell: Cell) -> NotPlanned:
    """Return the plan of a stage of `cell` that has nothing to do."""
    return NotPlanned(cell=str(cell), budget=cell.budget, horizon=cell.horizon)


def panel_plan_files(places: Places, params: PanelParams) -> dict[Path, Plan | NotPlanned]:
    """Return the content of every plan file of the study by path: four files for each cell."""
    plans = plan_panel_cells(params, stocks_of(places, params))
    return {path: content for plan in plans for path, content in plan.by_path(places).items()}
