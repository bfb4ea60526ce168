"""One search from its live record to its last trial: what every phase does alike."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.interruption import Interrupted
from tsladder.models.spec import ModelSpec
from tsladder.params import PruningParams
from tsladder.planning.machine import slow_bf16_note
from tsladder.planning.misfit import misfit
from tsladder.search.bookkeeping import Bookkeeper
from tsladder.search.configuration import Configuration
from tsladder.search.decisions import Finished
from tsladder.search.live import open_live_record
from tsladder.search.runner import HeatStop, Runner
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.trials import TrialRecord, taken_up_again
from tsladder.tracking import RunStatus, Tracker, open_cell_run, size_metrics
from tsladder.training.cell import CellWork, clear_scratch
from tsladder.vocabulary import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """What is searched, and where its live record lies: `question` is what decides its trials, `key` its identity.

    A configuration among `known` is not trained.
    """

    work: CellWork
    phase: Phase
    key: str
    folder: Path
    question: Mapping[str, Any]
    space: SearchSpace
    schedule: Schedule
    pruning: PruningParams | None
    known: Sequence[Configuration] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Searched:
    """The ended trials in the order of their numbers, and why there are no more of them (None: all were asked).

    `heat_stop`: the machine became too hot, and the next start goes on.
    """

    records: tuple[TrialRecord, ...]
    finished: Finished | None
    best: TrialRecord | None
    heat_stop: HeatStop | None


def conduct(search: Search, tracker: Tracker) -> Searched | str:
    """Train what has not ended yet; or say why it cannot be trained on this machine.

    The caller holds the lock of `search.folder`. Raises Interrupted when asked to stop.
    """
    work, schedule = search.work, search.schedule
    workers = _workers(search)
    if isinstance(workers, str):
        return workers

    def say(text: str) -> None:
        print(f"{work.cell}: {text}", file=sys.stderr, flush=True)

    clear_scratch(search.folder)
    attempts = open_live_record(search.folder, search.question, say)
    key = work.search_key
    with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, key)) as run:
        books = Bookkeeper(
            work=work,
            phase=search.phase,
            key=key,
            parent_id=run.run_id,
            tracker=tracker,
            trials_total=schedule.trials_total,
            say=say,
        )
        books.log_lost(attempts)
        runner = Runner(
            work=work,
            key=search.key,
            folder=search.folder,
            attempts=taken_up_again(attempts),
            space=search.space,
            schedule=schedule,
            workers=workers,
            books=books,
            pruning=search.pruning,
            known=search.known,
        )
        note = slow_bf16_note(work.machine, work.recipe.precision)
        if note is not None:
            say(note)
        stopped, heat = runner.run(), runner.heat_stop
        records = tuple(runner.ended_records)
        best = schedule.objective.best(records)
        if search.phase is Phase.SEARCH:
            run.metrics = {
                "best_val_loss": best.best_val_loss if best else None,
                "trials_done": float(len(records)),
                **size_metrics(best.n_params if best else None),
            }
        if stopped and heat is None:
            raise Interrupted(f"{work.cell}: stopped with {len(records)} of {schedule.trials_total} trials done")
        if heat is not None or (best is None and search.phase is Phase.SEARCH):
            run.status = RunStatus.FAILED
    say(f"{len(records)} trials done, {_leader(best)}")
    if heat is not None:
        say(f"stopped for heat: {heat.reading}")
    if runner.finished is not None:
        say(runner.finished.reason)
        if runner.finished.warning is not None:
            say(f"WARNING: {runner.finished.warning}")
    return Searched(records=records, finished=runner.finished, best=best, heat_stop=heat)


def _leader(best: TrialRecord | None) -> str:
    return "none has a loss" if best is None else f"best {best.best_val_loss:.4f} in trial {best.number + 1}"


def _workers(search: Search) -> int | str:
    """How many train side by side so that every configuration that may be drawn fits; or which of them do not."""
    work, space = search.work, search.space
    offered: set[ModelSpec] = {*space.grid.members, *(item.spec for item in search.schedule.forced)}
    workers = min(work.execution(spec).workers for spec in offered)
    memory = work.machine.memory_gib / workers
    unfit = [spec for spec in offered if any(work.batch_plan(spec, memory, b) is None for b in space.effective_batches)]
    if unfit:
        return misfit(unfit, len(offered), machine=work.machine, workers=workers, recipe=work.recipe)
    return workers
