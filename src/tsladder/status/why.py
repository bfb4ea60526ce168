"""Explain one cell for `tsladder why`: changes since it was built, stages that would run again, and their time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.params import AnyParams
from tsladder.params.cells import known_cell
from tsladder.places import Places
from tsladder.planning.plans import CellPlans
from tsladder.planning.time_left import Estimate
from tsladder.search.takeover_forecast import TakeoverForecast
from tsladder.status.cell_results import failed_stage
from tsladder.status.cell_state import (
    FAILED,
    FRESH,
    INPUT_STAGES,
    NOT_PLANNED,
    PENDING,
    RUNNING,
    CellState,
    seconds_fields,
)
from tsladder.status.freshness import Freshness, StageState
from tsladder.status.live_records import live_folders
from tsladder.status.reasons import Reason, reasons_of
from tsladder.status.study_state import StudyReader
from tsladder.status.taken_over import count_taken_over, inputs_are_fresh
from tsladder.status.time_to_go import PRETRAIN, Forecasts, cell_stages, cell_time_left, stage_time_left, timed_stages
from tsladder.vocabulary import Cell

_STUDY_STAGES = ("audit", "supplementary", "transfer", "fit", "report")
"""Stages of the study that use the cell's results, or for which the law waits."""

_BASELINES = "baselines"
"""Stage of a panel study, whose scores every cell is scored beside."""

CERTAINLY, PERHAPS, RESTORED = "certainly", "perhaps", "restored"
_RUNS = {StageState.STALE: CERTAINLY, StageState.BEHIND: PERHAPS, StageState.RESTORED: RESTORED}


@dataclass(frozen=True, kw_only=True, slots=True)
class StageRerun:
    """A stage that is not fresh. `runs`: certainly; perhaps, only where an earlier stage leaves something else; or it
    is restored from DVC's cache, which has its outputs. The seconds are known only for the stages of a cell."""

    stage: str
    runs: str
    seconds: float | None
    seconds_low: float | None
    seconds_high: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """Explanation of the state of one cell. `state`: as in the status; `reasons` and `stages` are empty where the cell
    is fresh; `note`: what to do.

    `trials_taken_over`: lower bound of how many of the trials that have not ended in this search were trained by
    others; `trials_taken_over_exact`: True where this is the exact number. Both are None where the features and splits
    are not built.
    """

    cell: str
    state: str
    study_key: str
    reasons: tuple[Reason, ...]
    stages: tuple[StageRerun, ...]
    trials_done: int
    trials_total: int
    trials_taken_over: int | None
    trials_taken_over_exact: bool | None
    seconds_to_go: float | None
    seconds_to_go_low: float | None
    seconds_to_go_high: float | None
    note: str | None

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def why(places: Places, name: str, *, reader: StudyReader | None = None) -> Why:
    """Explain why cell `name` is stale, or that it is fresh. Raises BadInput for an unknown name (with the most similar
    names) and for a faulty params.yaml."""
    reader = reader or StudyReader(places)
    question = reader.question()
    cell = known_cell(question.params, name)
    plans = next(plans for plans in question.plans if plans.cell == cell)
    freshness, forecasts, now = reader.freshness(), reader.forecasts(), time.time()
    live = live_folders(places).get(name, ())
    reading = reader.read_cell(plans, now)
    stages = freshness.pipeline.stages
    level = [name for name in stages if name == _BASELINES]
    names = (*INPUT_STAGES, *level, *cell_stages(cell))
    timed = timed_stages(plans) if plans.planned else {}
    beside = [name for kind, name in timed.items() if kind == PRETRAIN]
    reruns: list[StageRerun] = []
    reasons: list[Reason] = []
    known = _count_taken_over(places, plans, freshness, forecasts, question.params)
    results = (
        reading.results if known is None else dataclasses.replace(reading.results, trials_to_take_over=known.trials)
    )
    if plans.planned and not all(freshness.is_fresh(stage) for stage in names):
        times = {
            stage: stage_time_left(kind, freshness.stage_state(stage), plans, forecasts, results, reading.work, now)
            for kind, stage in timed.items()
        }
        reruns = _reruns_of(freshness, (*names, *beside, *_STUDY_STAGES), times)
        searches = [folder for phase, folder in live if phase == "search"]
        reasons = reasons_of(places, question, freshness, names, searches)
    to_go = (
        reading.state
        if not results.trials_to_take_over
        else dataclasses.replace(
            reading.state, **seconds_fields(cell_time_left(plans, freshness, forecasts, results, reading.work, now))
        )
    )
    return Why(
        cell=name,
        state=reading.state.state,
        study_key=question.study_key,
        reasons=tuple(reasons),
        stages=tuple(reruns),
        trials_done=reading.state.trials_done,
        trials_total=reading.state.trials_total,
        trials_taken_over=None if known is None else known.trials,
        trials_taken_over_exact=None if known is None else known.exact,
        seconds_to_go=to_go.seconds_to_go,
        seconds_to_go_low=to_go.seconds_to_go_low,
        seconds_to_go_high=to_go.seconds_to_go_high,
        note=_note(places, plans, reading.state, question.params.budget),
    )


def _count_taken_over(
    places: Places, plans: CellPlans, freshness: Freshness, forecasts: Forecasts, params: AnyParams
) -> TakeoverForecast | None:
    """Count the trials that the cell's search, if it runs again, takes over from other searches."""
    if not plans.planned or not inputs_are_fresh(freshness):
        return None
    if freshness.stage_state(cell_stages(plans.cell)[0]) in (StageState.FRESH, StageState.RESTORED):
        return TakeoverForecast(0, exact=True)
    if not places.horizon_splits(plans.cell.horizon).exists():
        return None
    forecast = forecasts.cells.get(str(plans.cell))
    return count_taken_over(places, plans, None if forecast is None else params.hardware.search_lag(forecast.workers))


def _reruns_of(freshness: Freshness, stages: tuple[str, ...], times: Mapping[str, Estimate | None]) -> list[StageRerun]:
    """Return those of `stages` that are not fresh, in the order in which they would run."""
    found = []
    for name, stage_state in freshness.would_run().items():
        if name in stages:
            seconds = {key.replace("_to_go", ""): value for key, value in seconds_fields(times.get(name)).items()}
            found.append(StageRerun(stage=name, runs=_RUNS[stage_state], **seconds))
    return found


def _note(places: Places, plans: CellPlans, state: CellState, budget: str | None) -> str | None:
    """Return one sentence on the state, beside the reasons."""
    if state.state == NOT_PLANNED:
        return (
            f"not planned: rung {plans.cell.budget} is above the top rung, `budget: {budget}` in params.yaml; "
            f"`tsladder plan --budget {plans.cell.budget}` shows what it takes, `budget: {plans.cell.budget}` plans it"
        )
    if state.state == RUNNING:
        return f"running: {state.phase}" + ("" if state.paused is None else f", paused ({state.paused})")
    if state.state == FAILED:
        return _failure_note(places, plans.cell, state.reason)
    if state.state == PENDING:
        kept = f"; {state.trials_done} of its trials are kept and not trained again" if state.trials_done else ""
        return f"not built yet: `tsladder run` builds it{kept}"
    return state.reason if state.state == FRESH else _kept_trials_note(state)


def _kept_trials_note(state: CellState) -> str | None:
    if state.reason is not None:
        return state.reason
    return f"{state.trials_done} trials of this question are kept and not trained again" if state.trials_done else None


def _failure_note(places: Places, cell: Cell, reason: str | None) -> str:
    stage, by_heat = failed_stage(places, cell)
    if by_heat:
        return f"failed: {reason}. Stopped for heat: the next run resumes stage {stage}"
    return (
        f"failed: {reason}. Stage {stage} ended without a result: the next run resumes it and keeps what it has "
        f"trained; `tsladder run --retry-failed` sets that aside and starts it again from the beginning"
    )
