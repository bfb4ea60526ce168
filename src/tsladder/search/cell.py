"""The search of one cell: who owns it, what it may draw, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from tsladder.interruption import Interrupted
from tsladder.locks import sole_owner
from tsladder.params import Choices, PruningParams, SpaceParams, Span, StopParams, ZeroOr
from tsladder.planning.grid import build_grid
from tsladder.planning.machine import slow_bf16_note
from tsladder.planning.memory import misfit
from tsladder.records import cut_torn_tail, write_json
from tsladder.search.bookkeeping import Bookkeeper
from tsladder.search.objective import Objective
from tsladder.search.outputs import write_choice, write_failure
from tsladder.search.runner import TRIALS, Runner
from tsladder.search.schedule import Schedule, build_schedule
from tsladder.search.space import SearchSpace
from tsladder.search.strategies import load
from tsladder.tracking import MlflowTracker, RunStatus, Tracker, open_cell_run
from tsladder.training.cell import CellWork
from tsladder.vocabulary import Phase

Rule = TypeVar("Rule", StopParams, PruningParams)


def search_cell(work: CellWork, tracker: Tracker | None = None) -> None:
    """Search `work.cell` and write its outputs under artifacts/hpo/<cell>/.

    A cell that cannot be searched (it does not fit, or no trial ended with a loss) is written as failed.
    Raises Interrupted when asked to stop, WorkFailed when another process owns the cell.
    """
    key = work.search_key
    folder = work.places.study(work.cell, key)
    with sole_owner(folder, f"the search of {work.cell}"):
        write_json(folder / "plan.json", work.plan)
        cut_torn_tail(folder / TRIALS)
        space = _search_space(work)
        schedule = _schedule(work, space)
        offered = {*space.grid.members, *(item.spec for item in schedule.forced)}
        workers = min(work.execution(member).workers for member in offered)
        memory = work.machine.memory_gib / workers
        unfit = [member for member in offered if work.batch_plan(member, memory) is None]
        if unfit:
            write_failure(work, misfit(unfit, len(offered), memory, workers))
            return
        tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
        _search(work, key, folder, space, schedule, workers, tracker)


def _search(
    work: CellWork, key: str, folder: Path, space: SearchSpace, plan: Schedule, workers: int, tracker: Tracker
) -> None:
    with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, key)) as run:
        tracker.close_orphans(run.run_id)
        books = Bookkeeper(work=work, key=key, parent_id=run.run_id, tracker=tracker, trials_total=plan.trials_total)
        runner = Runner(
            work=work,
            folder=folder,
            space=space,
            schedule=plan,
            workers=workers,
            books=books,
            pruning=_rule(PruningParams, work.plan["search"]["pruning"]),
        )
        note = slow_bf16_note(work.machine, work.recipe.precision)
        if note is not None:
            books.say(note)
        interrupted = runner.run()
        records = runner.ended_records
        winner = plan.objective.best(records)
        run.metrics = {"best_val_loss": winner.best_val_loss if winner else None, "trials_done": float(len(records))}
        if interrupted:
            raise Interrupted(f"{work.cell}: stopped with {len(records)} of {plan.trials_total} trials done")
        if winner is None:
            run.status = RunStatus.FAILED
    write_choice(work, space, plan, records, runner.finished)
    leader = "none has a loss" if winner is None else f"best {winner.best_val_loss:.4f} in trial {winner.number + 1}"
    books.say(f"{len(records)} trials done, {leader}")
    if runner.finished is not None:
        books.say(runner.finished.reason)
        if runner.finished.warning is not None:
            books.say(f"WARNING: {runner.finished.warning}")


def _schedule(work: CellWork, space: SearchSpace) -> Schedule:
    search = work.plan["search"]
    positives = int(work.dataset.windows.validation.y_N.sum())
    return build_schedule(
        load(search["strategy"]),
        space.grid,
        trials_total=search["trials"],
        objective=Objective(search["objective"]),
        stop=_rule(StopParams, search["stop"]),
        classes=(positives, len(work.dataset.windows.validation.y_N) - positives),
    )


def _rule(kind: type[Rule], record: dict[str, Any] | None) -> Rule | None:
    return None if record is None else kind(**record)


def _search_space(work: CellWork) -> SearchSpace:
    grid = build_grid(work.geometry, work.cell.budget)
    steps_per_epoch = -(-len(work.dataset.windows.train) // work.recipe.effective_batch)
    return SearchSpace(grid, _space_params(work.plan["search"]["space"]), steps_per_epoch)


def _space_params(record: dict[str, Any]) -> SpaceParams:
    def read(value: dict[str, Any] | None) -> Span | Choices | ZeroOr | None:
        if value is None:
            return None
        if "zero_or" in value:
            return ZeroOr(zero_or=Span(**value["zero_or"]))
        return Choices(choices=tuple(value["choices"])) if "choices" in value else Span(**value)

    return SpaceParams(**{name: read(value) for name, value in record.items()})  # type: ignore[arg-type]
