"""Supervisor of training processes side by side on one machine: start, watch and end them. Imports no torch itself."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tsladder.artifacts.outcome import TrainingOutcome
from tsladder.data.samples import Fold
from tsladder.execution.crew import Ended, Event, Message, Progress, Retried
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.memory_guard import KernelKills, MemoryWatch
from tsladder.execution.shared_windows import SharedFolds, shared
from tsladder.execution.suspension import Suspension
from tsladder.execution.worker import BEAT, MAX_RETRIES, STOP, WorkerMessage, run_job
from tsladder.planning.memory import smaller_plan
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

STALL_SECONDS = 600.0
"""Silence after which a worker counts as hung, if its micro-batches are short or of unknown length."""

STALL_MICRO_BATCHES = 10.0
"""Silence, in predicted micro-batches, after which a worker counts as hung, if that is longer than STALL_SECONDS. A
worker sends a message in every block of its model, so even on a shared machine this is many times what it needs."""

STALL_RETRIES = 1
"""Number of times that a stalled training is started again; one that stalls twice hangs for a reason of its own."""

NO_CHANGES: Mapping[str, str] = {}

_LONGEST_TICK = 5.0
"""Longest step, in seconds, in which the supervisor counts silence, so that a suspended machine or a stopped process
group, which silences all workers at once, does not end any of them."""


@dataclass(slots=True)
class _Child:
    """Worker process and its job.

    `started`: start time of the job's first attempt. `too_large` and `stalled`: why each earlier attempt was ended.
    """

    number: int
    job: Job
    samples: int
    limit_gib: float | None
    environment: Mapping[str, str]
    process: BaseProcess
    channel: Connection
    started: float
    too_large: tuple[str, ...] = ()
    stalled: tuple[str, ...] = ()
    silent_seconds: float = 0.0


def start_fork_server(*, optimizers: bool = True, panel: bool = False) -> None:
    """Start the server that workers are forked from; it loads torch while this process does something else.

    A repeated call does nothing. Only modules that RUN no tensor operation are preloaded, since a fork would lose the
    threads of one. torch._dynamo is imported by every first optimizer, which takes a second that each worker would
    spend again. `panel`: workers train models of a panel, whose validation computes intervals: arch.bootstrap takes
    each of them more than a second and 127 MB (docs/decisions.md, 2026-11-29).
    """
    preload = ["torch", *(["torch._dynamo"] if optimizers else []), *(["arch.bootstrap"] if panel else [])]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
    # Started first, because starting the resource tracker unblocks the signals that are blocked below.
    resource_tracker.ensure_running()
    with _blocked(signal.SIGINT, signal.SIGTERM):
        forkserver.ensure_running()


class Supervisor:
    """Supervisor of jobs in processes that are forked from a server with torch loaded; it yields their events.

    A child that dies without a last message ends as KILLED. A child that is silent for `stall_seconds`, or for as long
    as STALL_MICRO_BATCHES of its predicted micro-batches if that is longer, is killed and started again; the second
    time it ends as STALLED. Nothing that a child does ends the parent. A child that `watch` finds above its share of
    memory, or that the kernel killed for want of memory, is started again under a smaller plan, at most MAX_RETRIES
    times, and then ends as OUT_OF_MEMORY. A job that is started again resumes from its checkpoint if it has one.

    Every job trains one model on each fold of its samples, one after the other. `folds`: the first samples to hold.
    """

    def __init__(
        self,
        folds: Sequence[Fold] = (),
        *,
        watch: MemoryWatch | None = None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._samples: dict[int, SharedFolds] = {}
        self._held = itertools.count()
        if folds:
            self.hold(folds)
        self._stall_seconds = stall_seconds
        self._last_tick = time.monotonic()
        self._context = multiprocessing.get_context("forkserver")
        start_fork_server()
        self._children: dict[int, _Child] = {}
        self._watch = watch
        self._kernel_kills = KernelKills()
        self._suspension = Suspension()
        self._stopping = False

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self._children)

    def vital_signs(self) -> dict[int, VitalSigns]:
        """Return the vital signs of every running job. Time for which a job is suspended does not count as silence."""
        held = {} if self._watch is None else self._watch.held_gib
        return {
            number: VitalSigns(silent_seconds=child.silent_seconds, resident_gib=held.get(number))
            for number, child in self._children.items()
        }

    def hold(self, folds: Sequence[Fold]) -> int:
        """Keep samples for jobs, and return the number by which `start` takes them."""
        number = next(self._held)
        self._samples[number] = shared(folds)
        return number

    def release(self, samples: int) -> None:
        """Forget samples on which no job trains any more. Raises ValueError while one does. After `end_now` nothing is
        held, and nothing happens."""
        if any(child.samples == samples for child in self._children.values()):
            raise ValueError(f"a job trains on samples {samples}")
        if samples in self._samples:
            self._samples.pop(samples).close()

    def start(
        self,
        number: int,
        job: Job,
        *,
        samples: int = 0,
        limit_gib: float | None = None,
        environment: Mapping[str, str] = NO_CHANGES,
    ) -> None:
        """Start `job` on the samples of that number. `limit_gib`: its share of memory; None: it is not limited.
        `environment`: variables that the child sets before it loads a driver of a device."""
        self._launch(number, job, samples, limit_gib, environment, time.perf_counter())

    def _launch(
        self,
        number: int,
        job: Job,
        samples: int,
        limit_gib: float | None,
        environment: Mapping[str, str],
        started: float,
        too_large: tuple[str, ...] = (),
        stalled: tuple[str, ...] = (),
    ) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run_job, args=(theirs, job, self._samples[samples], dict(environment)))
        process.start()
        theirs.close()
        self._children[number] = _Child(
            number, job, samples, limit_gib, environment, process, ours, started, too_large, stalled
        )

    def _relaunch(self, child: _Child, job: Job, *, too_large: str | None = None, stalled: str | None = None) -> None:
        """Start the job of `child` again as `job`, with one more reason why an attempt was ended."""
        self._launch(
            child.number,
            job,
            child.samples,
            child.limit_gib,
            child.environment,
            child.started,
            (*child.too_large, *([too_large] if too_large is not None else [])),
            (*child.stalled, *([stalled] if stalled is not None else [])),
        )

    def stop_all(self) -> None:
        """Ask every child to stop: at once, with a checkpoint, if it keeps one; else after its current epoch."""
        self._stopping = True
        for child in self._children.values():
            try:
                child.channel.send(STOP)
            except (BrokenPipeError, ConnectionResetError):
                # It is already dead; `events` reports how it ended.
                continue

    def pause_all(self) -> None:
        """Suspend every child where it stands, until `resume_all`. A repeated call also suspends the children started
        since.

        A suspended child does not count as silent, and does not outlive this process.
        """
        self._suspension.hold([pid for child in self._children.values() if (pid := child.process.pid) is not None])

    def resume_all(self) -> None:
        """Resume every suspended child."""
        self._suspension.end()

    def events(self, timeout: float | None = None, *, until: Connection | None = None) -> Iterator[Event]:
        """Wait until some child sends a message or dies (at most `timeout` seconds, and no longer than until something
        can be read from `until`), then yield the events that are there."""
        channels = {child.channel: child for child in self._children.values()}
        found = wait([*channels, *([] if until is None else [until])], timeout)
        responsive = [ready for ready in found if ready is not until]
        self._count_silence([channels[ready] for ready in responsive])  # type: ignore[index]
        for ready in responsive:
            child = channels[ready]  # type: ignore[index]
            try:
                message = child.channel.recv()
            except (EOFError, ConnectionResetError):
                yield self._reap(child)
                continue
            if isinstance(message, TrainingOutcome):
                child.process.join()
                self._forget(child)
                yield Ended(child.number, _with_earlier_attempts(child, message))
            elif isinstance(message, WorkerMessage):
                yield Message(child.number, message.text)
            elif message != BEAT:
                yield Progress(child.number, message)
        for child in [child for child in self._children.values() if self._is_stalled(child)]:
            child.process.kill()
            yield self._reap(child)
        yield from self._end_oversized()

    def _end_oversized(self) -> Iterator[Retried | Ended]:
        if self._watch is None:
            return
        workers = {n: child.process.pid for n, child in self._children.items() if child.process.pid is not None}
        limits = {n: child.limit_gib for n, child in self._children.items() if child.limit_gib is not None}
        for number, reason in self._watch.overuse(workers, limits).items():
            child = self._children[number]
            child.process.kill()
            child.process.join()
            self._forget(child)
            yield self._restart_smaller(child, reason)

    def _restart_smaller(self, child: _Child, reason: str) -> Retried | Ended:
        """Start `child`'s job again under a smaller plan; end the job if there is none or too many were tried."""
        smaller = smaller_plan(child.job.plan, child.job.spec.stocks)
        if smaller is None or len(child.too_large) >= MAX_RETRIES:
            seconds = time.perf_counter() - child.started
            outcome = ended_early(child.job, StopReason.OUT_OF_MEMORY, seconds, reason)
            return Ended(child.number, _with_earlier_attempts(child, outcome))
        job = dataclasses.replace(child.job, plan=smaller)
        self._relaunch(child, job, too_large=reason)
        return Retried(child.number, smaller, reason)

    def _count_silence(self, responsive: list[_Child]) -> None:
        now = time.monotonic()
        tick = 0.0 if self._suspension.holds else min(now - self._last_tick, _LONGEST_TICK)
        self._last_tick = now
        for child in self._children.values():
            child.silent_seconds += tick
        for child in responsive:
            child.silent_seconds = 0.0

    def end_now(self) -> None:
        """Kill every running child; nothing can be started afterwards."""
        self.kill_all()
        while self._samples:
            self._samples.popitem()[1].close()

    def kill_all(self) -> None:
        """Kill every running child without an event; others can be started afterwards."""
        self.resume_all()
        for child in list(self._children.values()):
            child.process.kill()
            child.process.join()
            self._forget(child)

    def _is_stalled(self, child: _Child) -> bool:
        predicted = child.job.micro_batch_seconds
        own = 0.0 if predicted is None else STALL_MICRO_BATCHES * predicted
        return child.silent_seconds >= max(self._stall_seconds, own)

    def _reap(self, child: _Child) -> Retried | Ended:
        child.process.join()
        self._forget(child)
        seconds = time.perf_counter() - child.started
        if self._is_stalled(child):
            message = f"the training process sent no message for {child.silent_seconds:.0f} s and was killed"
            if len(child.stalled) < STALL_RETRIES and not self._stopping:
                self._relaunch(child, child.job, stalled=message)
                return Retried(child.number, None, message)
            return Ended(
                child.number,
                _with_earlier_attempts(child, ended_early(child.job, StopReason.STALLED, seconds, message)),
            )
        if child.process.exitcode == -signal.SIGKILL and self._kernel_kills.has_new_kill():
            return self._restart_smaller(child, "the kernel killed it because memory ran out")
        message = f"the training process ended with exit code {child.process.exitcode} without sending a result"
        return Ended(
            child.number, _with_earlier_attempts(child, ended_early(child.job, StopReason.KILLED, seconds, message))
        )

    def _forget(self, child: _Child) -> None:
        child.channel.close()
        del self._children[child.number]


def _with_earlier_attempts(child: _Child, outcome: TrainingOutcome) -> TrainingOutcome:
    """Add the earlier attempts of a job to the `outcome` of its last one: their number, their time and the reasons of
    their ends."""
    if not child.too_large and not child.stalled:
        return outcome
    reasons = [f"out of memory before: {reason}" for reason in child.too_large]
    reasons += [f"stalled before: {reason}" for reason in child.stalled]
    return dataclasses.replace(
        outcome,
        retries=outcome.retries + len(child.too_large) + len(child.stalled),
        # Only the outcome includes the seconds of earlier processes of a checkpoint.
        seconds=max(outcome.seconds, time.perf_counter() - child.started),
        message="; ".join((*reasons, *filter(None, [outcome.message]))),
    )


@contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block `signals` in the processes that are started meanwhile.

    A Ctrl-C reaches the whole process group. The server and every child forked from it inherit the mask, so that the
    decision to end an epoch in order stays with the parent; a handler set in the child would come too late for a signal
    that arrives while the child is being forked.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
