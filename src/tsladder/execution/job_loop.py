"""Job loop: keep a crew busy with the jobs of one cell or of several, until none is left or the user asks to stop.

The work on a cell is a generator (`Steps`): it yields a source of jobs whenever it has some to train, is sent the
reading of a stop for heat, or None, when they have ended, and returns its result. So the same code searches one cell
alone and many cells in one pool, where no device waits for the last trial of a cell.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tsladder.artifacts.heat import TemperatureReading
from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.execution.crew import Crew, Ended, Event, JobOrder, Lost, Message, Retried, Slot
from tsladder.execution.heartbeat import WRITE_EVERY_SECONDS
from tsladder.execution.job_source import JobSource, Steps
from tsladder.execution.slot_choice import MOST_WORKERS, FreeSlots, SlotChoice
from tsladder.execution.thermal_guard import Action, ThermalWatch
from tsladder.interruption import Interrupted, StopFlag, graceful_stop
from tsladder.training.outcome import ended_early
from tsladder.vocabulary import StopReason

T = TypeVar("T")

_POLL_SECONDS = 0.5

_BEATS_A_SECOND = 25
"""Number of heartbeats that are written in a second: each takes about half a millisecond."""

_RAREST_BEAT_SECONDS = 30.0
"""Longest interval between two heartbeats of a source, whatever their number: readers call two minutes a stall."""

_NUMBERS_OF_A_SOURCE = 1_000_000

MOST_LOSSES = 5
"""Number of places that may be lost under one job: the job that is lost once more ends as KILLED."""

LOSSES_IN_COMPANY = 2
"""Number of losses after which a job runs alone at its place: where one of several jobs ends a place, those beside it
are lost as well, and only those that run alone show whose fault it is."""

STOPPING = "stopping: trainings with checkpoints write one, the others finish their epoch"


def describe_retry(event: Retried) -> str:
    """Describe a retry in one line for the user."""
    if event.plan is None:
        return f"{event.reason}; it is started again"
    with_it = " and activation checkpointing" if event.plan.activation_checkpointing else ""
    return f"out of memory ({event.reason}); starts again at micro-batch {event.plan.micro_batch}{with_it}"


def heat_reason(reading: TemperatureReading, done: str) -> str:
    """Return the reason of a cell that failed for heat and that the next run resumes; `done` says how much was done."""
    return f"stopped for heat with {done} done: {reading}; the next run resumes from there"


def run_steps(
    steps: Steps[T], crew: Callable[[], Crew], *, watch: ThermalWatch, pause_requested: Callable[[], bool]
) -> T:
    """Run the work of one cell alone and return its result. `crew` is called at the first job. Exceptions of `steps`
    propagate."""
    result: list[T] = []

    def keep() -> Steps[None]:
        result.append((yield from steps))

    (error,) = run_pool([keep], crew, watch=watch, pause_requested=pause_requested)
    if error is not None:
        raise error
    return result[0]


def run_pool(
    cells: Iterable[Callable[[], Steps[Any]]],
    crew: Callable[[], Crew],
    *,
    watch: ThermalWatch,
    pause_requested: Callable[[], bool],
    choice: SlotChoice | None = None,
) -> list[Exception | None]:
    """Run the work of all `cells` side by side in the slots of one crew, then end the crew. `choice`: which slots a
    cell may use; None: those of one kind.

    A cell is begun when there is room that no cell before it needs, or when no more cells are left than jobs run, and
    served in the order of the work that is left, most first. Returns for each cell the exception with which its work
    ended, or None. The first Ctrl-C or SIGTERM lets the running jobs write a checkpoint, or finish their epoch if they
    keep none; cells that were not begun then end as Interrupted. While `watch` asks for a pause, or `pause_requested`
    returns True, all jobs are suspended and none is started. If `watch` stops the crew, its running jobs end as
    THERMAL, and every cell that was begun is sent the reading. An error of this process, such as a full disk, ends all
    jobs and propagates.
    """
    return _Pool(cells, crew, watch, pause_requested, choice or SlotChoice()).run()


@dataclass(slots=True)
class _Started:
    """Job that runs, or that is lost and waits to be started again. `losses`: reasons of the ends of earlier
    attempts; `place`: where it runs, or ran last."""

    member: _Member
    order: JobOrder
    since: float
    attempt: int = 1
    losses: tuple[str, ...] = ()
    place: str = ""

    @property
    def alone(self) -> bool:
        """True where it runs alone at its place."""
        return len(self.losses) >= LOSSES_IN_COMPANY

    @property
    def number(self) -> int:
        """Number by which the crew knows the job, whose own number other cells have as well."""
        return self.member.samples * _NUMBERS_OF_A_SOURCE + self.order.number


@dataclass(slots=True, eq=False)
class _Member:
    """Cell of a pool. `source`: the jobs that it wants trained; None before its first and after its last ones. `kind`:
    of the slots that it keeps to; None before its first job. `kind_missed_since`: see `SlotChoice`."""

    begin: Callable[[], Steps[Any]]
    steps: Steps[Any] | None = None
    source: JobSource | None = None
    samples: int = 0
    running: set[int] = field(default_factory=set)
    lost: list[_Started] = field(default_factory=list)
    over: bool = False
    error: Exception | None = None
    kind: str | None = None
    kind_missed_since: float | None = None

    @property
    def next_alone(self) -> bool:
        """True where its next job is to run alone at its place."""
        return bool(self.lost) and self.lost[0].alone

    @property
    def jobs(self) -> JobSource:
        """Its source. Raises RuntimeError where it has none, whose jobs cannot have events."""
        if self.source is None:
            raise RuntimeError("a job has events although its cell has no jobs")
        return self.source


class _Pool:
    def __init__(
        self,
        cells: Iterable[Callable[[], Steps[Any]]],
        crew: Callable[[], Crew],
        watch: ThermalWatch,
        pause_requested: Callable[[], bool],
        choice: SlotChoice,
    ) -> None:
        self._members = [_Member(begin) for begin in cells]
        self._choice = choice
        self._make_crew = crew
        self._crew: Crew | None = None
        self._watch = watch
        self._pause_requested = pause_requested
        self._started: dict[int, _Started] = {}
        self._stop_sent = False

    def run(self) -> list[Exception | None]:
        try:
            with graceful_stop() as stop:
                if self._members:
                    # Even on a machine that is too hot to train, the user sees what waits.
                    self._resume(self._members[0], None)
                while not all(member.over for member in self._members):
                    self._turn(stop)
        except BaseException as error:
            if self._crew is not None:
                self._crew.end_now()
            for member in self._members:
                self._dismiss(member, error)
            raise
        if self._crew is not None:
            self._crew.end_now()
        return [member.error for member in self._members]

    def _turn(self, stop: StopFlag) -> None:
        """Start, pause or stop jobs as is due, then handle the events of a moment."""
        stopping = stop.is_set
        running = () if self._crew is None else self._crew.running
        action = self._watch.update(running, stopping=stopping, pause_requested=self._pause_requested())
        if action is Action.STOP:
            self._end_for_heat(stopping=stopping)
            return
        if self._crew is not None:
            if action is Action.PAUSE:
                self._crew.pause_all()
            else:
                self._crew.resume_all()
        if stopping:
            self._stop()
        elif action is Action.GO:
            self._fill(stop)
        if all(member.over for member in self._members):
            return
        celsius = None if self._watch.reading is None else self._watch.reading.celsius
        signs = {} if self._crew is None else self._crew.vital_signs()
        sources = [(member, member.source) for member in self._members if member.source is not None]
        every = min(_RAREST_BEAT_SECONDS, max(WRITE_EVERY_SECONDS, len(sources) / _BEATS_A_SECOND))
        for member, source in sources:
            own = {self._started[n].order.number: signs[n] for n in member.running if n in signs}
            source.heartbeat.beat(own, paused=self._watch.pause, celsius=celsius, every_seconds=every)
        if self._crew is None:
            time.sleep(_POLL_SECONDS)
            return
        for event in self._crew.events(timeout=_POLL_SECONDS):
            self._handle(event)

    def _fill(self, stop: StopFlag) -> None:
        """Start jobs until no slot is free or none can be started now, and resume the cells that have none left."""
        while not stop.is_set:
            if self._serve_once(stop):
                continue
            waiting = next((member for member in self._members if member.steps is None and not member.over), None)
            if waiting is None:
                return
            if not self._has_room():
                if self._few_cells_left():
                    # One in each turn, since it is not needed yet and takes a while.
                    self._resume(waiting, None)
                return
            self._resume(waiting, None)

    def _few_cells_left(self) -> bool:
        """Check whether no more cells are left than jobs run. All are begun then: of a cell that is begun last, too few
        trials are ready to keep the slots busy."""
        return self._crew is not None and sum(not member.over for member in self._members) <= len(self._crew.running)

    def _has_room(self) -> bool:
        """Check whether some job could be started. Whole places are looked for first, since those are few slots."""
        if self._crew is None:
            return True
        closed, crew = self._closed_places(), self._crew
        return any(slot.place not in closed for workers in (1, MOST_WORKERS) for slot in crew.free(workers))

    def _closed_places(self) -> set[str]:
        """Return the places at which a job runs alone."""
        return {started.place for started in self._started.values() if started.alone}

    def _serve_once(self, stop: StopFlag) -> bool:
        """Offer free slots to all sources once, those with the most work left first, but before them those whose next
        job needs a place for itself. Returns True where a cell went on to its next source or to its end, since then
        there may be more to do."""
        active = [member for member in self._members if member.source is not None]
        if not active:
            return False
        for member in active:
            if not member.running and not member.lost and not member.jobs.is_ready:
                self._resume(member, None)
                return True
        slots = FreeSlots(self._working_crew, self._choice, self._closed_places())
        for member in sorted(active, key=_urgency, reverse=True):
            source = member.source
            if source is None:
                continue
            while not stop.is_set:
                alone = member.next_alone
                slot = slots.first(source.workers, member.kind, alone=alone)
                if slot is None:
                    if slots.first(MOST_WORKERS) is None:
                        return False
                    if member.lost or source.is_ready:
                        # A job that needs a large share would never find one beside a stream of smaller ones.
                        slots.keep_place(member.kind)
                        self._miss_kind(member, slots.first(source.workers, alone=alone))
                    break
                if not self._start_next(member, source, slot):
                    if not member.running and not member.lost:
                        self._resume(member, None)
                        return True
                    break
                slots.take(slot, alone=alone)
        return False

    def _miss_kind(self, member: _Member, other: Slot | None) -> None:
        """Let a cell take another kind of slots where none of its own has been free for long and others are, such as
        `other`."""
        now = self._choice.clock()
        if member.running or other is None or member.kind is None:
            member.kind_missed_since = None
        elif member.kind_missed_since is None:
            member.kind_missed_since = now
        elif now - member.kind_missed_since >= self._choice.patience:
            self._choice.say(
                f"no place of the kind {member.kind!r} has been free for {self._choice.patience:.0f} s: a cell that "
                "began there goes on at another kind, where the last digits of its losses may differ"
            )
            member.kind = member.kind_missed_since = None

    def _start_next(self, member: _Member, source: JobSource, slot: Slot) -> bool:
        """Start the next job of a source, first those that were lost. Returns False where there is none now."""
        if member.lost:
            started = member.lost.pop(0)
            started.order, started.attempt = source.again(started.order.number, slot), started.attempt + 1
        else:
            order = source.next_job(slot)
            if order is None:
                return False
            started = _Started(member, order, time.perf_counter())
            source.heartbeat.started(order.number, epochs=source.models_per_job * order.job.settings.epochs)
        member.kind, member.kind_missed_since = slot.kind, None
        number, started.place = started.number, slot.place
        self._started[number] = started
        member.running.add(number)
        self._watch.begin(number)
        self._working_crew.start(
            JobOrder(number=number, job=started.order.job, attempt=started.attempt, samples=member.samples), slot
        )
        return True

    def _handle(self, event: Event) -> None:
        """Pass an event to its source under the job's own number. Events of a job, or of an attempt at a job, that is
        not running are dropped."""
        started = self._started.get(event.number)
        if started is None or started.attempt != event.attempt:
            return
        if isinstance(event, Lost):
            self._lose(event, started)
            return
        source = started.member.jobs
        own = dataclasses.replace(event, number=started.order.number, attempt=started.order.attempt)
        if isinstance(own, Ended):
            self._end(event.number, own.outcome)
        elif isinstance(own, Retried):
            source.heartbeat.restarted(own.number)
            source.on_retry(own)
        elif isinstance(own, Message):
            source.on_message(own)
        else:
            record = own.record
            phase = None if record.phase is None else str(record.phase)
            source.heartbeat.epoch_ended(own.number, epoch=record.epoch, val_loss=record.val_loss, phase=phase)
            source.on_epoch(own)

    def _end(self, number: int, outcome: TrainingOutcome) -> None:
        """Pass the end of running job `number` to its source."""
        started = self._started.pop(number)
        started.member.running.discard(number)
        _tell_end(started, dataclasses.replace(outcome, heat=outcome.heat.with_that_of(self._watch.end(number))))

    def _lose(self, event: Lost, started: _Started) -> None:
        """Queue a lost job to be started again elsewhere; the one that is lost too often ends as KILLED."""
        member, order = started.member, started.order
        started.losses = (*started.losses, event.reason)
        if len(started.losses) >= MOST_LOSSES:
            message = f"lost with its place {len(started.losses)} times: {'; '.join(started.losses)}"
            seconds = time.perf_counter() - started.since
            self._end(event.number, ended_early(order.job, StopReason.KILLED, seconds, message))
            return
        del self._started[event.number]
        member.running.discard(event.number)
        self._watch.end(event.number)
        member.jobs.heartbeat.restarted(order.number)
        words = f"{event.reason}; it is started again{', alone at its place' if started.alone else ''}"
        member.jobs.on_message(Message(order.number, words, order.attempt))
        member.lost.append(started)

    def _resume(self, member: _Member, reading: TemperatureReading | None) -> None:
        """Let a cell go on to its next source of jobs, or to its end; after a stop for heat it gets no further one."""
        self._leave(member)
        try:
            if member.steps is None:
                member.steps = member.begin()
                member.source = next(member.steps)
            else:
                member.source = member.steps.send(reading)
                while reading is not None:
                    member.source = member.steps.send(reading)
        except StopIteration:
            member.source, member.over = None, True
        # The other cells go on; what ended this one is returned to the caller.
        except Exception as error:
            member.source, member.over, member.error = None, True, error
        if member.source is not None:
            member.samples = self._working_crew.hold(member.source.folds)

    def _leave(self, member: _Member) -> None:
        """Take leave of the source of a cell, whose jobs have all ended."""
        if member.source is not None:
            member.source.heartbeat.stop()
            self._working_crew.release(member.samples)
            member.source = None

    def _dismiss(self, member: _Member, error: BaseException) -> None:
        """End a cell that has not come to its end: `error` is raised where it waits."""
        if member.over:
            return
        if member.source is not None:
            member.source.heartbeat.stop()
        member.source, member.over = None, True
        member.error = error if isinstance(error, Exception) else None
        if member.steps is not None:
            # It ends by this very error, of which the caller is told.
            with contextlib.suppress(BaseException):
                member.steps.throw(error)
            member.steps.close()

    def _stop(self) -> None:
        """Ask the running jobs to stop, and end the cells of which none runs any more."""
        if not self._stop_sent:
            self._stop_sent = True
            for member in self._members:
                if member.source is not None:
                    member.source.on_stop()
            if self._crew is not None:
                self._crew.stop_all()
        for member in self._members:
            if member.over or member.running:
                continue
            for started in _taken(member.lost):
                message = f"lost with its place: {started.losses[-1]}"
                seconds = time.perf_counter() - started.since
                _tell_end(started, ended_early(started.order.job, StopReason.INTERRUPTED, seconds, message))
            self._conclude(member, None, "stopped before its next trainings")

    def _end_for_heat(self, *, stopping: bool) -> None:
        """End every running job as THERMAL, then every cell."""
        if self._crew is not None:
            self._crew.end_now()
        ended = list(self._started)
        for member in self._members:
            for started in _taken(member.lost):
                self._started[started.number] = started
                ended.append(started.number)
        for number in ended:
            started = self._started[number]
            seconds, message = time.perf_counter() - started.since, f"ended for heat: {self._watch.reading}"
            self._end(number, ended_early(started.order.job, StopReason.THERMAL, seconds, message))
        for member in self._members:
            told = None if stopping else self._watch.reading
            self._conclude(member, told, f"stopped before its next trainings: {self._watch.reading}")

    def _conclude(self, member: _Member, reading: TemperatureReading | None, why: str) -> None:
        """Let a cell end of which no job runs; where it wants further trainings, it is interrupted for the reason
        `why`."""
        if member.steps is not None and not member.over:
            self._resume(member, reading)
            self._leave(member)
        self._dismiss(member, Interrupted(why))

    @property
    def _working_crew(self) -> Crew:
        if self._crew is None:
            self._crew = self._make_crew()
        return self._crew


def _urgency(member: _Member) -> tuple[bool, float]:
    return member.next_alone, 0.0 if member.source is None else member.source.work_left


def _taken(started: list[_Started]) -> list[_Started]:
    """Return all of a list, which is empty afterwards."""
    taken = list(started)
    started.clear()
    return taken


def _tell_end(started: _Started, outcome: TrainingOutcome) -> None:
    """Tell the source of a job that it ended with `outcome`."""
    order, source = started.order, started.member.jobs
    source.heartbeat.ended(order.number)
    source.on_end(Ended(order.number, outcome, order.attempt))
