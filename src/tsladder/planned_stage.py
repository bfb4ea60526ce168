"""Run a stage of a planned cell: pass on a failure upstream, or call its function, and record how it ended.

A stage whose cell failed upstream passes the failure on, so that one failed cell never costs the law.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tsladder.artifacts.ending import Ending, read_ending
from tsladder.artifacts.plans import EvaluatePlan, PretrainPlan, SearchPlan, TrainPlan, read_planned
from tsladder.cell_endings import end_without_result, plan_path, record_path
from tsladder.messages import print_message
from tsladder.params import AnyParams, load_any_params
from tsladder.places import Places
from tsladder.planning.endings import note_ending
from tsladder.results.live import LiveResults
from tsladder.vocabulary import Cell, CellStatus

CellVerb = Callable[[Places, Any, Cell, Any], None]
"""Function of a stage of one cell, of the parameters of either kind of study and of the plan of the stage, a record of
`tsladder.artifacts.plans`."""

_NOTED = ("hpo", "train", "pretrain")
"""Stages that the next run repeats where they ended without a result."""


def run_planned_stage(stage: str, verb: CellVerb, places: Places, cell: Cell) -> None:
    """Run stage `stage` of a cell that is planned."""
    plan = _plan_of(stage, places, cell)
    inherited = _inherited_ending(stage, places, cell)
    if inherited is not None:
        end_without_result(stage, places, cell, inherited)
    params = load_any_params(places.params)
    if inherited is None:
        verb(places, params, cell, plan)
    if stage in _NOTED:
        failed = inherited is None and read_ending(record_path(stage, places, cell)).failed
        note_ending(places, plan_path(stage, places, cell), without_result=failed)
    show_results(places, params)


def show_results(places: Places, params: AnyParams) -> None:
    """Update the live table of results with what a stage has left."""
    LiveResults(places, params, print_message).update()


def _plan_of(stage: str, places: Places, cell: Cell) -> SearchPlan | TrainPlan | EvaluatePlan | PretrainPlan:
    path = plan_path(stage, places, cell)
    if stage == "hpo":
        return read_planned(SearchPlan, path)
    if stage == "train":
        return read_planned(TrainPlan, path)
    return read_planned(PretrainPlan, path) if stage == "pretrain" else read_planned(EvaluatePlan, path)


def _inherited_ending(stage: str, places: Places, cell: Cell) -> Ending | None:
    """Return the failure of an earlier stage of this cell, or None."""
    upstream = []
    if stage in ("train", "evaluate", "pretrain"):
        upstream.append(places.choice(cell))
    if stage in ("evaluate", "pretrain"):
        upstream.append(places.models_status(cell))
    for path in upstream:
        ending = read_ending(path)
        if ending.failed:
            return Ending.of(cell, CellStatus.FAILED, ending.reason)
    return None
