"""Training processes side by side on one machine: start them, watch them, end them. Imports no torch itself."""

from __future__ import annotations

import dataclasses
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tsladder.artifacts.outcome import Outcome
from tsladder.data.windows import FoldWindows, Windows
from tsladder.execution.crew import Ended, Event, Progress, Retried, Said
from tsladder.execution.heartbeat import VitalSigns
from tsladder.execution.memory_guard import KernelKills, MemoryWatch
from tsladder.execution.shared_windows import SharedWindows
from tsladder.execution.suspension import Suspension
from tsladder.execution.worker import BEAT, MAX_RETRIES, STOP, Remark, run_job
from tsladder.planning.memory import smaller_plan
from tsladder.training.outcome import Job, ended_early
from tsladder.vocabulary import StopReason

STALL_SECONDS = 600.0
"""A worker that says nothing for so long hangs, where its micro-batches are short or of unknown length."""

STALL_MICRO_BATCHES = 10.0
"""So many predicted micro-batches, where that is longer: a worker speaks in every block of its model, so that even a
machine shared with others leaves it many times what it needs."""

STALL_RETRIES = 1
"""A stalled training is started once more; what stalls twice hangs for a reason of its own."""

_LONGEST_TICK = 5.0
"""Silence is counted in ticks of the supervisor and no longer than this each, so that a suspended machine or a stopped
process group, which silences all of them at once, ends nobody."""


@dataclass(slots=True)
class _Child:
    """`started`: when its job's first attempt did. `too_large` and `stalled`: why each earlier one was ended."""

    number: int
    job: Job
    process: BaseProcess
    channel: Connection
    started: float
    too_large: tuple[str, ...] = ()
    stalled: tuple[str, ...] = ()
    silent_seconds: float = 0.0


def start_fork_server(*, optimizers: bool = True) -> None:
    """Start the server that workers are forked from; it loads torch while this process does something else.

    Called again it does nothing. Only what RUNS no tensor operation is preloaded: a fork would lose the threads of
    one. torch._dynamo is imported by every first optimizer, which takes a second that each worker would spend again.
    """
    preload = ["torch", "torch._dynamo"] if optimizers else ["torch"]
    multiprocessing.get_context("forkserver").set_forkserver_preload(preload)
    # First, because starting the tracker unblocks the very signals that are to be blocked.
    resource_tracker.ensure_running()
    with _blocked(signal.SIGINT, signal.SIGTERM):
        forkserver.ensure_running()


class Supervisor:
    """Starts jobs in processes forked from a server that has torch loaded, and yields what they say.

    A child that dies without a last word ends as KILLED. One that is silent for `stall_seconds`, or for as long as
    STALL_MICRO_BATCHES of its predicted micro-batches, is killed and started once more; a second time it ends as
    STALLED. Nothing a child does ends the parent. One that `watch` finds above its share of memory, or that the kernel
    killed for memory, starts again under a smaller plan, MAX_RETRIES times at most, and then ends as OUT_OF_MEMORY.
    Whatever starts again goes on from its checkpoint where it has one.

    Every job trains one model on `train` and `validation`; with `earlier` folds, one on each of them before.
    """

    def __init__(
        self,
        train: Windows,
        validation: Windows,
        *,
        earlier: Sequence[FoldWindows] = (),
        watch: MemoryWatch | None = None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._windows = SharedWindows([*earlier, FoldWindows(train=train, validation=validation)])
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
        """Of every job that runs. Its silence does not count while it is suspended."""
        held = {} if self._watch is None else self._watch.held_gib
        return {
            number: VitalSigns(silent_seconds=child.silent_seconds, resident_gib=held.get(number))
            for number, child in self._children.items()
        }

    def start(self, number: int, job: Job) -> None:
        self._launch(number, job, time.perf_counter())

    def _launch(
        self, number: int, job: Job, started: float, too_large: tuple[str, ...] = (), stalled: tuple[str, ...] = ()
    ) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run_job, args=(theirs, job, self._windows))
        process.start()
        theirs.close()
        self._children[number] = _Child(number, job, process, ours, started, too_large, stalled)

    def stop_all(self) -> None:
        """Ask every child to stop: at once with a checkpoint where it keeps one, else after its current epoch."""
        self._stopping = True
        for child in self._children.values():
            try:
                child.channel.send(STOP)
            except (BrokenPipeError, ConnectionResetError):
                # It is already dead; `events` reports how it ended.
                continue

    def pause_all(self) -> None:
        """Suspend every child where it stands, until `resume_all`; called again it takes in those started since.

        What is suspended is not silent, and does not outlive this process.
        """
        self._suspension.hold([pid for child in self._children.values() if (pid := child.process.pid) is not None])

    def resume_all(self) -> None:
        """Let every suspended child run on."""
        self._suspension.end()

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait until some child speaks or dies (at most `timeout` seconds), then yield what is there."""
        channels = {child.channel: child for child in self._children.values()}
        spoken = wait(list(channels), timeout)
        self._count_silence([channels[ready] for ready in spoken])  # type: ignore[index]
        for ready in spoken:
            child = channels[ready]  # type: ignore[index]
            try:
                message = child.channel.recv()
            except (EOFError, ConnectionResetError):
                yield self._bury(child)
                continue
            if isinstance(message, Outcome):
                child.process.join()
                self._forget(child)
                yield Ended(child.number, _whole(child, message))
            elif isinstance(message, Remark):
                yield Said(child.number, message.text)
            elif message != BEAT:
                yield Progress(child.number, message)
        for child in [child for child in self._children.values() if self._is_stalled(child)]:
            child.process.kill()
            yield self._bury(child)
        yield from self._end_what_is_too_large()

    def _end_what_is_too_large(self) -> Iterator[Retried | Ended]:
        if self._watch is None:
            return
        workers = {n: child.process.pid for n, child in self._children.items() if child.process.pid is not None}
        for number, reason in self._watch.overuse(workers).items():
            child = self._children[number]
            child.process.kill()
            child.process.join()
            self._forget(child)
            yield self._again(child, reason)

    def _again(self, child: _Child, reason: str) -> Retried | Ended:
        """Start `child`'s job under a smaller plan; the job is over when there is none or too many were tried."""
        smaller = smaller_plan(child.job.plan)
        if smaller is None or len(child.too_large) >= MAX_RETRIES:
            seconds = time.perf_counter() - child.started
            outcome = ended_early(child.job, StopReason.OUT_OF_MEMORY, seconds, reason)
            return Ended(child.number, _whole(child, outcome))
        job = dataclasses.replace(child.job, plan=smaller)
        self._launch(child.number, job, child.started, (*child.too_large, reason), child.stalled)
        return Retried(child.number, smaller, reason)

    def _count_silence(self, spoken: list[_Child]) -> None:
        now = time.monotonic()
        tick = 0.0 if self._suspension.holds else min(now - self._last_tick, _LONGEST_TICK)
        self._last_tick = now
        for child in self._children.values():
            child.silent_seconds += tick
        for child in spoken:
            child.silent_seconds = 0.0

    def end_now(self) -> None:
        """Kill every child that is still running; nothing can be started afterwards."""
        self.resume_all()
        for child in list(self._children.values()):
            child.process.kill()
            child.process.join()
            self._forget(child)
        self._windows.close()

    def _is_stalled(self, child: _Child) -> bool:
        predicted = child.job.micro_batch_seconds
        own = 0.0 if predicted is None else STALL_MICRO_BATCHES * predicted
        return child.silent_seconds >= max(self._stall_seconds, own)

    def _bury(self, child: _Child) -> Retried | Ended:
        child.process.join()
        self._forget(child)
        seconds = time.perf_counter() - child.started
        if self._is_stalled(child):
            message = f"the training process said nothing for {child.silent_seconds:.0f} s and was ended"
            if len(child.stalled) < STALL_RETRIES and not self._stopping:
                self._launch(child.number, child.job, child.started, child.too_large, (*child.stalled, message))
                return Retried(child.number, None, message)
            return Ended(child.number, _whole(child, ended_early(child.job, StopReason.STALLED, seconds, message)))
        if child.process.exitcode == -signal.SIGKILL and self._kernel_kills.one_more():
            return self._again(child, "the kernel killed it for want of memory")
        message = f"the training process ended with exit code {child.process.exitcode} and without a last word"
        return Ended(child.number, _whole(child, ended_early(child.job, StopReason.KILLED, seconds, message)))

    def _forget(self, child: _Child) -> None:
        child.channel.close()
        del self._children[child.number]


def _whole(child: _Child, outcome: Outcome) -> Outcome:
    """`outcome` of the last attempt with what is to be said of the earlier ones."""
    if not child.too_large and not child.stalled:
        return outcome
    said = [f"out of memory before: {reason}" for reason in child.too_large]
    said += [f"stalled before: {reason}" for reason in child.stalled]
    return dataclasses.replace(
        outcome,
        retries=outcome.retries + len(child.too_large) + len(child.stalled),
        # Those of a checkpoint's earlier process are in the outcome alone.
        seconds=max(outcome.seconds, time.perf_counter() - child.started),
        message="; ".join((*said, *filter(None, [outcome.message]))),
    )


@contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block `signals` for what is started meanwhile.

    A Ctrl-C reaches the whole process group. The server and every child forked from it inherit the mask, so that
    ending an epoch in order stays the parent's to ask for; a handler set in the child would come too late for a
    signal that arrives while it is being forked.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
