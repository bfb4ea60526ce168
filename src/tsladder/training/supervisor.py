"""Several training processes side by side, watched by one loop. Imports no torch itself."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from tsladder.market.windows import Windows
from tsladder.training.outcome import EpochRecord, Job, Outcome, ended_early
from tsladder.training.shared import SharedWindows
from tsladder.training.worker import BEAT, STOP, run_job
from tsladder.vocabulary import StopReason

STALL_SECONDS = 600.0
"""A worker that says nothing for so long hangs: a micro-batch of the largest rung takes under a minute on two cores."""

_LONGEST_TICK = 5.0
"""Silence is counted in ticks of the supervisor and no longer than this each, so that a suspended machine or a stopped
process group, which silences all of them at once, ends nobody."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Job `number` finished an epoch."""

    number: int
    record: EpochRecord


@dataclass(frozen=True, slots=True)
class Ended:
    """Job `number` is over."""

    number: int
    outcome: Outcome


@dataclass(slots=True)
class _Child:
    number: int
    job: Job
    process: BaseProcess
    channel: Connection
    started: float
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

    A child that dies without a last word ends as KILLED, one that is silent for `stall_seconds` is killed and ends as
    STALLED; nothing a child does ends the parent.
    """

    def __init__(self, train: Windows, validation: Windows, *, stall_seconds: float = STALL_SECONDS) -> None:
        self._windows = SharedWindows(train, validation)
        self._stall_seconds = stall_seconds
        self._last_tick = time.monotonic()
        self._context = multiprocessing.get_context("forkserver")
        start_fork_server()
        self._children: dict[int, _Child] = {}

    @property
    def running(self) -> tuple[int, ...]:
        return tuple(self._children)

    def start(self, number: int, job: Job) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=run_job, args=(theirs, job, self._windows))
        process.start()
        theirs.close()
        self._children[number] = _Child(number, job, process, ours, time.perf_counter())

    def stop_all(self) -> None:
        """Ask every child to stop after its current epoch."""
        for child in self._children.values():
            try:
                child.channel.send(STOP)
            except (BrokenPipeError, ConnectionResetError):
                # It is already dead; `events` reports how it ended.
                continue

    def events(self, timeout: float | None = None) -> Iterator[Progress | Ended]:
        """Wait until some child speaks or dies (at most `timeout` seconds), then yield what is there."""
        channels = {child.channel: child for child in self._children.values()}
        spoken = wait(list(channels), timeout)
        self._count_silence([channels[ready] for ready in spoken])  # type: ignore[index]
        for ready in spoken:
            child = channels[ready]  # type: ignore[index]
            try:
                message = child.channel.recv()
            except (EOFError, ConnectionResetError):
                yield Ended(child.number, self._bury(child))
                continue
            if isinstance(message, Outcome):
                child.process.join()
                self._forget(child)
                yield Ended(child.number, message)
            elif message != BEAT:
                yield Progress(child.number, message)
        for child in [child for child in self._children.values() if child.silent_seconds >= self._stall_seconds]:
            child.process.kill()
            yield Ended(child.number, self._bury(child))

    def _count_silence(self, spoken: list[_Child]) -> None:
        now = time.monotonic()
        tick = min(now - self._last_tick, _LONGEST_TICK)
        self._last_tick = now
        for child in self._children.values():
            child.silent_seconds += tick
        for child in spoken:
            child.silent_seconds = 0.0

    def end_now(self) -> None:
        """Kill every child that is still running; nothing can be started afterwards."""
        for child in list(self._children.values()):
            child.process.kill()
            child.process.join()
            self._forget(child)
        self._windows.close()

    def _bury(self, child: _Child) -> Outcome:
        child.process.join()
        self._forget(child)
        seconds = time.perf_counter() - child.started
        if child.silent_seconds >= self._stall_seconds:
            message = f"the training process said nothing for {child.silent_seconds:.0f} s and was ended"
            return ended_early(child.job, StopReason.STALLED, seconds, message)
        message = f"the training process ended with exit code {child.process.exitcode} and without a last word"
        return ended_early(child.job, StopReason.KILLED, seconds, message)

    def _forget(self, child: _Child) -> None:
        child.channel.close()
        del self._children[child.number]


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
