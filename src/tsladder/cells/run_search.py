"""Run one search from its live record to its last trial: what all phases have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.adoption import Adoption
from tsladder.artifacts.best_params import write_best_params
from tsladder.artifacts.search_question import SearchQuestion
from tsladder.artifacts.trials import TrialRecord, latest
from tsladder.cells.best_params import best_params
from tsladder.cells.start_lines import describe_adoption, search_lines
from tsladder.cells.trial_files import write_trial_files
from tsladder.cells.trial_identity import trial_base
from tsladder.cells.trial_records import TrialRecorder
from tsladder.cells.trial_runner import HeatStop, TrialRunner
from tsladder.cells.work import CellWork, clear_scratch
from tsladder.execution.job_source import Steps
from tsladder.interruption import Interrupted
from tsladder.models.spec import ModelSpec
from tsladder.panel.dataset import PanelDataset
from tsladder.params import PruningParams
from tsladder.places import BEST_PARAMS
from tsladder.planning.machine import describe_memory, scarce_memory_note, slow_bf16_note
from tsladder.planning.too_little_memory import insufficient_memory
from tsladder.results.live import LiveResults
from tsladder.search.adoption import Adopter, adopt, adoption_in
from tsladder.search.configuration import Configuration
from tsladder.search.decisions import Finished
from tsladder.search.lag import record_lag, recorded_lag
from tsladder.search.live import open_live_record, resumable
from tsladder.search.schedule import Schedule
from tsladder.search.space import SearchSpace
from tsladder.search.takeover import Earlier, trials_of_others
from tsladder.tracking import RunStatus, Tracker, open_cell_run, size_metrics
from tsladder.training.checkpoint_plan import clear_checkpoints
from tsladder.vocabulary import Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """Search to run, and the folder of its live record. `question`: what decides its trials; `key`: its identity.

    A configuration among `known` is not trained.
    """

    work: CellWork
    phase: Phase
    key: str
    folder: Path
    question: SearchQuestion
    space: SearchSpace
    schedule: Schedule
    pruning: PruningParams | None
    known: Sequence[Configuration] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchResult:
    """Result of a search: the ended trials in the order of their numbers, and why there are no more (None: all were
    asked).

    `heat_stop`: the machine became too hot, and the next start resumes. `adopted`: what the search began with, if
    anything.
    """

    records: tuple[TrialRecord, ...]
    finished: Finished | None
    best: TrialRecord | None
    heat_stop: HeatStop | None
    adopted: Adoption | None


def run_search(search: Search, tracker: Tracker) -> SearchResult | str:
    """Train the trials that have not ended yet, with a crew of their own; or return the reason why they cannot be
    trained on this machine.

    The caller holds the lock of `search.folder`. Raises Interrupted when asked to stop.
    """
    return search.work.run(search_steps(search, tracker))


def search_steps(search: Search, tracker: Tracker) -> Steps[SearchResult | str]:
    """Search as `run_search` does, with the crew of the caller."""
    work, schedule = search.work, search.schedule
    workers = _workers(search)
    if isinstance(workers, str):
        return workers

    say = work.say
    results = LiveResults(work.places, work.params, say)

    def publish(records: Sequence[TrialRecord]) -> None:
        """Update the published results; the table has no row for a supplementary phase."""
        if isinstance(work.dataset, PanelDataset):
            write_trial_files(work, search.key, search.folder, records)
        if search.phase is Phase.SEARCH:
            results.update(
                lambda: write_best_params(
                    search.folder / BEST_PARAMS, best_params(work, search.key, schedule.objective, records)
                ),
            )

    clear_scratch(search.folder)
    attempts = open_live_record(search.folder, search.question, say)
    lag = _lag(search, attempts, workers, say)
    others = [folder for stage in ("hpo", "supplementary") for folder in work.places.live_records(work.cell, stage)]
    base = trial_base(work)
    adopted = _find_adoption(search, attempts, others, base)
    if adopted is not None:
        say(describe_adoption(adopted))
    key = work.search_key
    with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, key)) as run:
        recorder = TrialRecorder(
            work=work,
            phase=search.phase,
            key=key,
            parent_id=run.run_id,
            tracker=tracker,
            trials_total=schedule.trials_total,
            workers=workers,
            lag=lag,
            objective=schedule.objective,
            say=say,
            publish=publish,
        )
        recorder.log_missing(attempts)
        runner = TrialRunner(
            work=work,
            key=search.key,
            folder=search.folder,
            attempts=resumable(attempts),
            space=search.space,
            schedule=schedule,
            recorder=recorder,
            pruning=search.pruning,
            known=search.known,
            earlier=Earlier(
                base=base,
                folders=others,
                trials=trials_of_others(others, search.folder),
                adopted={} if adopted is None else adopted.draws,
            ),
        )
        done = sum(record.final for record in latest(attempts).values())
        for line in search_lines(work, search.phase, search.space, schedule, workers=workers, lag=lag, done=done):
            say(line)
        machine = work.machine
        memory = describe_memory(machine)
        of_memory = None if memory is None else f"memory     {memory}"
        for words in (of_memory, scarce_memory_note(machine), slow_bf16_note(machine, work.recipe.precision)):
            if words is not None:
                say(words)
        publish(runner.ended_records)
        stopped = yield from runner.run()
        heat = runner.heat_stop
        records = tuple(runner.ended_records)
        best = schedule.objective.best(records)
        if search.phase is Phase.SEARCH:
            run.metrics = {
                **schedule.objective.figures(best),
                "trials_done": float(len(records)),
                **size_metrics(best.outcome.n_params if best else None),
            }
        if not stopped and best is not None:
            clear_checkpoints(search.folder)
        if stopped and heat is None:
            raise Interrupted(f"{work.cell}: stopped with {len(records)} of {schedule.trials_total} trials done")
        if heat is not None or (best is None and search.phase is Phase.SEARCH):
            run.status = RunStatus.FAILED
    say(f"{len(records)} trials done, {schedule.objective.describe_leader(best)}")
    if heat is not None:
        say(f"stopped for heat: {heat.reading}")
    if runner.finished is not None:
        say(runner.finished.reason)
        if runner.finished.warning is not None:
            say(f"WARNING: {runner.finished.warning}")
    return SearchResult(records=records, finished=runner.finished, best=best, heat_stop=heat, adopted=adopted)


def _find_adoption(
    search: Search, attempts: Sequence[TrialRecord], others: Sequence[Path], base: str
) -> Adoption | None:
    """Return what the search began with or now begins with; a search that has a trial adopts nothing any more."""
    found = adoption_in(search.folder)
    if found is not None or attempts or search.phase is not Phase.SEARCH:
        return found
    work, schedule = search.work, search.schedule
    adopter = Adopter.of(work.search_plan, work.cell, space=search.space, schedule=schedule, base=base)
    return adopt(search.folder, others, adopter)


def _lag(search: Search, attempts: Sequence[TrialRecord], workers: int, say: Callable[[str], None]) -> int:
    """Return the lag that the search began with, or begins with now."""
    requested = search.work.params.hardware.search_lag(workers)
    lag = recorded_lag(search.folder, attempts)
    if lag is None:
        lag = requested
    record_lag(search.folder, lag)
    if lag != requested:
        hardware = search.work.params.hardware
        follows = hardware.lag == "auto" and hardware.executor == "local"
        asked = f"{workers} workers" if follows else f"hardware.lag {requested}"
        say(f"resumes at search lag {lag}, with which it began, instead of {asked}: at most {lag} trials train at once")
    return lag


def _workers(search: Search) -> int | str:
    """Return how many trials train side by side so that every configuration that may be drawn fits; or a message that
    names those that do not fit."""
    work, space = search.work, search.space
    offered: set[ModelSpec] = {*space.grid.members, *(item.spec for item in search.schedule.forced)}
    workers = min(work.execution(spec).workers for spec in offered)
    memory = work.machine.memory_gib / workers
    unfit = [spec for spec in offered if any(work.batch_plan(spec, memory, b) is None for b in space.effective_batches)]
    if unfit:
        return insufficient_memory(
            unfit, len(offered), machine=work.machine, workers=workers, recipe=work.recipe, panel=work.held_panel
        )
    return workers
