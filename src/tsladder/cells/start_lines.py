"""Log lines at the start of a search and of its trials. For the user alone: no program reads them back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tsladder.artifacts.adoption import Adoption
from tsladder.artifacts.outcome import BatchPlan
from tsladder.cells.training_log import (
    data_lines,
    describe_model,
    describe_plan,
    describe_settings,
    describe_workers,
    labelled,
)
from tsladder.cells.trial_records import TrialPlan
from tsladder.cells.work import CellWork
from tsladder.params import Choices, SpaceParams, Span, ZeroOr
from tsladder.search.schedule import Schedule
from tsladder.search.space import EFFECTIVE_BATCH, SearchSpace
from tsladder.tasks import load_any
from tsladder.vocabulary import Phase, parse_budget


def search_lines(
    work: CellWork, phase: Phase, space: SearchSpace, schedule: Schedule, *, workers: int, lag: int, done: int
) -> list[str]:
    """Describe a cell's search as it starts, `done` of its trials being known from before."""
    return [
        labelled(
            "search", ("around the winner, " if phase is Phase.SUPPLEMENTARY else "") + _trial_counts(schedule, done)
        ),
        labelled("objective", describe_objective(work, schedule)),
        *data_lines(work),
        labelled("grid", _describe_grid(work, space)),
        labelled("space", describe_space(space)),
        *_plan_lines(work, space, schedule, workers),
        *([labelled("lag", f"each trial learns from the trials up to {lag} before it")] if lag != workers else []),
    ]


def describe_trial(work: CellWork, trial: TrialPlan) -> str:
    """Describe what a trial trains, and how."""
    attempt = "" if trial.drawn.attempt == 1 else f"attempt {trial.drawn.attempt}, "
    origin = "drawn" if trial.drawn.forced is None else f"forced ({trial.drawn.forced})"
    spec, settings = trial.drawn.configuration.spec, trial.drawn.configuration.settings
    plan = describe_plan(trial.execution.plan, [work.predicted_memory_gib(spec, trial.execution.plan)])
    return f"{attempt}{origin}; {describe_model(spec)}; {describe_settings(settings.to_record())}; {plan}"


def describe_adoption(adoption: Adoption) -> str:
    """Describe the adoption by a search that began with the trials of another one."""
    return (
        f"the first trials are those of {adoption.folder}, whose search space this one contains: the sampler continues "
        "from them, so what this search finds depends on what was known when it began"
    )


def describe_taken_over(counts: Mapping[str, int]) -> str:
    """Describe how many trials were taken over from which live records."""
    total = sum(counts.values())
    origins = ", ".join(f"{count} from {folder}" for folder, count in sorted(counts.items()))
    return f"{total} {'trial is' if total == 1 else 'trials are'} taken over and not trained again ({origins})"


def describe_objective(work: CellWork, schedule: Schedule) -> str:
    """Describe the objective of the search, by its name in params.yaml and in words."""
    mean = f", mean over {len(work.dataset.folds)} folds" if len(work.dataset.folds) > 1 else ""
    if schedule.objective.name == "val_auc":
        named = "val_auc: area under the ROC curve on validation, the highest wins"
    else:
        named = f"val_loss: {load_any(work.target.task).words.loss} on validation, the lowest wins"
    patience = work.recipe.patience
    stops = "" if patience is None else f", early stopping after {patience} epochs without a better one"
    return f"{named}{mean}; epochs are judged by {work.recipe.monitor}{stops}"


def _trial_counts(schedule: Schedule, done: int) -> str:
    forced, total = len(schedule.forced), schedule.trials_total
    drawn = "drawn by TPE" if schedule.learns else "drawn at random"
    parts = [f"{forced} forced"] if forced else []
    parts += [f"{total - forced} {drawn}"] if total > forced else []
    known = f"; {done} already done" if done else ""
    early = "; may end early (search.stop)" if schedule.stop is not None else ""
    return f"{total} trials: {', '.join(parts)}{known}{early}"


def _describe_grid(work: CellWork, space: SearchSpace) -> str:
    counts = sorted(member.n_params for member in space.grid.members)
    return (
        f"{len(space.grid.members)} architectures of {len(space.grid.shapes)} shapes, "
        f"{counts[0]:,} to {counts[-1]:,} parameters for a budget of {parse_budget(work.cell.budget):,}"
    )


def describe_space(space: SearchSpace) -> str:
    """Describe every setting that is drawn or given, with its range."""
    words = [
        f"{field.name} {_describe_range(value)}"
        for field in dataclasses.fields(SpaceParams)
        if (value := getattr(space.settings, field.name)) is not None
    ]
    if len(space.effective_batches) > 1:
        words.append(f"{EFFECTIVE_BATCH} {_listed(space.effective_batches)}")
    return ", ".join(words)


def _describe_range(value: Span | Choices | ZeroOr) -> str:
    if isinstance(value, ZeroOr):
        return f"0 or {_describe_range(value.zero_or)}"
    if isinstance(value, Choices):
        return _listed(value.choices)
    return f"{value.low:g} to {value.high:g}{' (log)' if value.log else ''}"


def _listed(values: tuple[float, ...] | tuple[int, ...]) -> str:
    *first, last = (f"{value:g}" for value in values)
    return f"{', '.join(first)} or {last}" if first else last


def _plan_lines(work: CellWork, space: SearchSpace, schedule: Schedule, workers: int) -> list[str]:
    """Describe the batch plans under which the grid's members and the forced trials are trained, each plan once."""
    memory = work.machine.memory_gib / workers
    peaks: dict[BatchPlan, list[float]] = {}
    offered = dict.fromkeys([*space.grid.members, *(item.spec for item in schedule.forced)])
    for spec in offered:
        for effective_batch in space.effective_batches:
            plan = work.batch_plan(spec, memory, effective_batch)
            if plan is not None:
                peaks.setdefault(plan, []).append(work.predicted_memory_gib(spec, plan))
    crew = describe_workers(workers, work.execution(space.grid.members[0]))
    return [
        labelled("plan", f"{describe_plan(plan, found)}{f', of {len(found)}' if len(peaks) > 1 else ''}; {crew}")
        for plan, found in peaks.items()
    ]
