"""The search of one cell: ask, train in worker processes, write down, tell; resumable at any instant.

trials.jsonl is written the moment a trial ends and is the truth. The sampler is told in the order of trial
numbers, and a trial that it learns for is asked when exactly the trials up to `workers` before it are told:
so the same plan on the same number of workers searches the same trials, whatever ends first.
"""

from __future__ import annotations

import datetime
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsladder.interruption import Interrupted, StopFlag, graceful_stop
from tsladder.locks import sole_owner
from tsladder.models.spec import ModelSpec
from tsladder.params import Choices, SpaceParams, Span
from tsladder.planning.grid import build_grid
from tsladder.planning.machine import ExecutionPlan
from tsladder.planning.memory import BatchPlan, predicted_memory_gib
from tsladder.planning.plans import cell_key
from tsladder.planning.recipe import Settings
from tsladder.records import append_line, cut_torn_tail, read_lines, write_json
from tsladder.search.outputs import write_choice, write_failure
from tsladder.search.space import SearchSpace, Value
from tsladder.search.strategy import Drawn, Finished, Forced, Schedule, schedule
from tsladder.search.study import SearchStudy
from tsladder.search.trials import TrialRecord, TrialState, best, latest
from tsladder.seeds import derive_seed
from tsladder.tracking import MlflowTracker, RunRecord, RunStatus, Tracker
from tsladder.training.cell import CellWork, settings_params
from tsladder.training.outcome import Job, Outcome
from tsladder.training.supervisor import Ended, Supervisor
from tsladder.vocabulary import Phase, StopReason

TRIALS = "trials.jsonl"
PROGRESS = "progress.json"


@dataclass(slots=True)
class _Asked:
    """A trial that has been drawn and not ended."""

    number: int
    attempt: int
    forced: str | None
    draws: dict[str, Value]
    spec: ModelSpec
    settings: Settings
    execution: ExecutionPlan
    plan: BatchPlan
    seed: int
    started_ms: int
    epoch: int = 0
    best_val_loss: float = math.inf


@dataclass(slots=True)
class _Search:
    work: CellWork
    key: str
    folder: Path
    space: SearchSpace
    schedule: Schedule
    tracker: Tracker
    workers: int
    say: Callable[[str], None]
    parent_id: str = ""
    asked: dict[int, _Asked] = field(default_factory=dict)
    ended: dict[int, TrialRecord] = field(default_factory=dict)
    told_through: int = -1


def search_cell(work: CellWork, tracker: Tracker | None = None) -> None:
    """Search `work.cell` and write its outputs under artifacts/hpo/<cell>/.

    A cell that cannot be searched (it does not fit, or no trial ended with a loss) is written as failed.
    Raises Interrupted when asked to stop, WorkFailed when another process owns the cell.
    """
    plan = work.plan
    key = cell_key(plan, work.dataset.table.fingerprint(), work.dataset.splits_record)
    folder = work.places.study(work.cell, key)
    with sole_owner(folder, f"the search of {work.cell}"):
        write_json(folder / "plan.json", plan)
        cut_torn_tail(folder / TRIALS)
        search = _prepare(work, key, folder, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))
        misfit = _misfit(search)
        if misfit is not None:
            write_failure(work, misfit)
            return
        search.parent_id = search.tracker.cell_run(str(work.cell), work.tags(Phase.SEARCH, key))
        search.tracker.close_orphans(search.parent_id)
        interrupted = _run(search)
        records = [search.ended[number] for number in sorted(search.ended)]
        winner = best(records)
        final = {"best_val_loss": winner.best_val_loss if winner else None, "trials_done": float(len(records))}
        if interrupted:
            search.tracker.finish(search.parent_id, RunStatus.KILLED, final)
            raise Interrupted(f"{work.cell}: stopped with {len(records)} of {plan['search']['trials']} trials done")
        search.tracker.finish(search.parent_id, RunStatus.FINISHED if winner else RunStatus.FAILED, final)
        write_choice(work, search.space, search.schedule, records)


def _prepare(work: CellWork, key: str, folder: Path, tracker: Tracker) -> _Search:
    plan = work.plan
    grid = build_grid(work.geometry, work.cell.budget)
    steps_per_epoch = -(-len(work.dataset.windows.train) // work.recipe.effective_batch)
    space = SearchSpace(grid, _space(plan["search"]["space"]), steps_per_epoch)
    return _Search(
        work=work,
        key=key,
        folder=folder,
        space=space,
        schedule=schedule(plan["search"]["strategy"], grid, plan["search"]["trials"]),
        tracker=tracker,
        workers=min(work.execution(member).workers for member in grid.members),
        say=_say(str(work.cell)),
    )


def _space(record: dict[str, Any]) -> SpaceParams:
    def read(value: dict[str, Any] | None) -> Span | Choices | None:
        if value is None:
            return None
        return Choices(choices=tuple(value["choices"])) if "choices" in value else Span(**value)

    return SpaceParams(**{name: read(value) for name, value in record.items()})  # type: ignore[arg-type]


def _misfit(search: _Search) -> str | None:
    """Why no member of the grid can be trained here, or None."""
    work = search.work
    memory = work.machine.memory_gib / search.workers
    unfit = [m for m in search.space.grid.shapes if work.batch_plan(m, memory) is None]
    if not unfit:
        return None
    worst = max(unfit, key=lambda spec: spec.n_params)
    return (
        f"does not fit: {worst.architecture()} needs more than the {memory:.1f} GiB that each of {search.workers} "
        "workers has, even at micro-batch 1 with activation checkpointing"
    )


def _run(search: _Search) -> bool:
    """Train every trial that is not done yet. True when interrupted."""
    work = search.work
    records = [TrialRecord.from_record(line) for line in read_lines(search.folder / TRIALS)]
    last = latest(records)
    search.ended = {number: record for number, record in last.items() if record.final}
    redo = {number: (record.attempt + 1, dict(record.draws)) for number, record in last.items() if not record.final}
    total = search.schedule.trials_total
    if len(search.ended) >= total:
        return False
    study = SearchStudy(search.folder, search.space.draws, seed=work.seed)
    for number, draws in study.open_draws().items():
        if number not in search.ended:
            # Its owner died while it ran: it is closed here and asked again with the same parameters.
            study.tell(number, None)
            attempt = redo[number][0] if number in redo else 2
            redo[number] = (attempt, draws)
    search.told_through = -1
    supervisor = Supervisor(work.dataset.windows.train, work.dataset.windows.validation)
    pending = [number for number in range(total) if number not in search.ended]
    try:
        with graceful_stop() as stop:
            _loop(search, study, supervisor, pending, redo, stop)
    finally:
        supervisor.end_now()
        write_json(search.folder / PROGRESS, {"running": []})
    for number in sorted(search.ended):
        _tell(search, study, number)
    return stop.is_set and len(search.ended) < total


def _loop(
    search: _Search,
    study: SearchStudy,
    supervisor: Supervisor,
    pending: list[int],
    redo: dict[int, tuple[int, dict[str, Value]]],
    stop: StopFlag,
) -> None:
    asked_to_stop = False
    while pending or supervisor.running:
        while pending and len(supervisor.running) < search.workers and not stop.is_set:
            asked = _ask(search, study, pending[0], redo)
            if asked is None:
                break
            pending.pop(0)
            search.asked[asked.number] = asked
            supervisor.start(asked.number, _job(search, asked))
        if stop.is_set and not asked_to_stop:
            asked_to_stop = True
            search.say("stopping after the current epoch; Ctrl-C again stops at once")
            supervisor.stop_all()
        if not supervisor.running:
            return
        for event in supervisor.events(timeout=0.5):
            if isinstance(event, Ended):
                _take_down(search, study, search.asked.pop(event.number), event.outcome)
            else:
                asked = search.asked[event.number]
                asked.epoch = event.record.epoch
                asked.best_val_loss = min(asked.best_val_loss, event.record.val_loss)
            _show_progress(search)


def _ask(
    search: _Search, study: SearchStudy, number: int, redo: dict[int, tuple[int, dict[str, Value]]]
) -> _Asked | None:
    """Draw trial `number`; None while trials that it must learn from are still running."""
    decision = search.schedule.decide(number)
    if isinstance(decision, Finished):
        raise ValueError(f"trial {number} was asked though {decision.reason}")
    learns = isinstance(decision, Drawn) and decision.learns
    if learns:
        needed = number - search.workers
        if any(earlier not in search.ended for earlier in range(needed + 1)):
            return None
        for earlier in range(needed + 1):
            _tell(search, study, earlier)
    forced = decision.what if isinstance(decision, Forced) else None
    fixed = search.space.coordinates(decision.spec) if isinstance(decision, Forced) else {}
    attempt, fixed = redo.get(number, (1, fixed))
    draws = study.ask(number, fixed, learns=learns)
    spec, settings = search.space.decode(draws)
    execution = search.work.execution(spec)
    memory = search.work.machine.memory_gib / search.workers
    plan = search.work.batch_plan(spec, memory)
    if plan is None:
        raise ValueError(f"{spec} was drawn though it does not fit {memory} GiB")
    return _Asked(
        number=number,
        attempt=attempt,
        forced=forced,
        draws=draws,
        spec=spec,
        settings=settings,
        execution=execution,
        plan=plan,
        seed=derive_seed(search.work.seed, str(search.work.cell), "trial", number),
        started_ms=int(time.time() * 1000),
    )


def _job(search: _Search, asked: _Asked) -> Job:
    return Job(
        spec=asked.spec,
        settings=asked.settings,
        recipe=search.work.recipe,
        seed=asked.seed,
        plan=asked.plan,
        device=asked.execution.device,
        threads=asked.execution.threads,
    )


def _tell(search: _Search, study: SearchStudy, number: int) -> None:
    if number <= search.told_through:
        return
    record = search.ended[number]
    study.ensure_told(number, record.draws, record.best_val_loss if record.state is TrialState.COMPLETE else None)
    search.told_through = number


def _take_down(search: _Search, study: SearchStudy, asked: _Asked, outcome: Outcome) -> None:
    """Write the ended trial to disk and to MLflow, in this order."""
    record = _record(search, asked, outcome)
    append_line(search.folder / TRIALS, record.to_record())
    if record.final:
        search.ended[record.number] = record
    else:
        study.tell(record.number, None)
    search.tracker.log_run(_run_record(search, asked, record, outcome))
    loss = "no loss" if record.best_val_loss is None else f"val_loss {record.best_val_loss:.4f}"
    leader = best(list(search.ended.values()))
    so_far = "" if leader is None or leader.best_val_loss is None else f", best {leader.best_val_loss:.4f}"
    shape = f"d={asked.spec.d_model} L={asked.spec.n_layers} h={asked.spec.n_heads} ff={asked.spec.d_ff}"
    search.say(
        f"trial {record.number + 1}/{search.schedule.trials_total} {shape}: {loss}, {record.stop_reason} "
        f"after {record.epochs_run} epochs in {record.seconds:.1f} s{so_far}"
    )


def _record(search: _Search, asked: _Asked, outcome: Outcome) -> TrialRecord:
    if outcome.stop_reason is StopReason.INTERRUPTED:
        state = TrialState.INTERRUPTED
    else:
        state = TrialState.COMPLETE if outcome.scored else TrialState.FAILED
    return TrialRecord(
        number=asked.number,
        attempt=asked.attempt,
        state=state,
        stop_reason=outcome.stop_reason,
        forced=asked.forced,
        draws=asked.draws,
        params=settings_params(asked.spec, asked.settings.to_record(), outcome.plan, asked.seed),
        n_params=outcome.n_params,
        best_val_loss=outcome.best_val_loss,
        best_epoch=outcome.best_epoch,
        val_auc=outcome.val_auc,
        base_rate_loss=search.work.base_rate_loss,
        train_loss=outcome.curve[-1].train_loss if outcome.curve else None,
        epochs_run=len(outcome.curve),
        retries=outcome.retries,
        peak_memory_gib=outcome.peak_memory_gib,
        predicted_memory_gib=predicted_memory_gib(asked.spec, asked.plan),
        seconds=outcome.seconds,
        device=asked.execution.device,
        workers=search.workers,
        threads=asked.execution.threads,
        ended_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        message=outcome.message,
    )


def _run_record(search: _Search, asked: _Asked, record: TrialRecord, outcome: Outcome) -> RunRecord:
    status = {
        TrialState.COMPLETE: RunStatus.FINISHED,
        TrialState.FAILED: RunStatus.FAILED,
        TrialState.INTERRUPTED: RunStatus.KILLED,
    }
    return RunRecord(
        name=f"{search.work.cell}/trial-{record.number:03d}",
        tags=search.work.tags(Phase.SEARCH, search.key),
        parent_id=search.parent_id,
        params=record.params,
        metrics={
            "best_val_loss": record.best_val_loss,
            "val_auc": record.val_auc,
            "base_rate_loss": record.base_rate_loss,
            "peak_memory_gib": record.peak_memory_gib,
            "predicted_memory_gib": record.predicted_memory_gib,
            "seconds": record.seconds,
            "epochs_run": float(record.epochs_run),
        },
        curves={
            "val_loss": [(epoch.epoch, epoch.val_loss) for epoch in outcome.curve],
            "train_loss": [(epoch.epoch, epoch.train_loss) for epoch in outcome.curve],
        },
        extra_tags={
            "stop_reason": str(record.stop_reason),
            "forced": record.forced or "",
            "attempt": str(record.attempt),
            "workers": str(record.workers),
            "threads": str(record.threads),
            "device": record.device,
        },
        status=status[record.state],
        start_ms=asked.started_ms,
    )


def _show_progress(search: _Search) -> None:
    running: Sequence[dict[str, Any]] = [
        {
            "number": asked.number,
            "epoch": asked.epoch,
            "epochs": asked.settings.epochs,
            "best_val_loss": asked.best_val_loss if math.isfinite(asked.best_val_loss) else None,
        }
        for asked in search.asked.values()
    ]
    write_json(search.folder / PROGRESS, {"running": running, "at": time.time()})


def _say(cell: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        print(f"{cell}: {text}", file=sys.stderr, flush=True)

    return say
