"""Draining of the spool into MLflow's store by a thread of its own, which the work never waits for.

MLflow is imported by that thread. Whatever the store does (it refuses, raises, hangs, or is full), lines wait in
mlruns/spool.jsonl, and whoever drains next logs them.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tsladder.artifacts.spool import Spool, SpoolLine, Turn, new_key
from tsladder.messages import ignore_message, print_message
from tsladder.tracking.address import TRACKING_URI, StoreAddress, address_of
from tsladder.tracking.spool_lines import SpoolCarrier
from tsladder.tracking.store import MlflowStore

LOGGED_BY_RUN = "TSLADDER_LOGGED_BY_RUN"
"""Environment variable that `tsladder run` sets for its stages: another process drains their spool. So MLflow is
imported once a run and not once a stage."""

SETTLE_SECONDS = 30.0
"""Longest time that a stage waits at its end for the spool to be drained."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_BUSY_PAUSE = 0.5
_REFUSALS = ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
"""Codes of MLflow's errors about what it was given, which another attempt does not change."""


class _Ending(Enum):
    """Ending of one attempt to drain: nothing waits, another process drains, or the store did not take a line."""

    EMPTY = "empty"
    BUSY = "busy"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drained:
    """Result of draining at once. `logged`: kind of line -> number; `left`: lines that wait still, for `reason`."""

    logged: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    reason: str | None = None


class Drainer:
    """Drainer of the spool in the folder `folder` into the store that `given`, the value of MLFLOW_TRACKING_URI, names;
    None: the local one. `say` reports repairs, and the first failure; `open_store` opens the store of an experiment.

    `only_appends`: lines are left to another process.
    """

    def __init__(
        self,
        folder: Path,
        given: str | None = None,
        *,
        say: Callable[[str], None] = print_message,
        open_store: Callable[[StoreAddress, str, Callable[[str], None]], MlflowStore] = MlflowStore,
        only_appends: bool = False,
    ) -> None:
        self.spool = Spool(folder)
        self.say = say
        self._given = given
        self._open_store = open_store
        self._only_appends = only_appends
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._appended = False
        self._hurry = False
        self._begun = 0
        self._ended = 0
        """Numbers of the attempt that began last and of the one that ended last."""
        self._last = _Ending.EMPTY
        self._reported = False
        self._name = new_key()
        self._fresh: set[str] = set()
        """Keys of lines of this process that nobody can have tried."""
        self._carrier: SpoolCarrier | None = None
        self._logged: Counter[str] = Counter()

    @property
    def address(self) -> StoreAddress:
        """Address of the store. Raises BadInput where MLFLOW_TRACKING_URI is none."""
        return address_of(self.spool.folder, {TRACKING_URI: self._given or ""})

    def waiting(self) -> tuple[SpoolLine, ...]:
        """Return the lines that wait, and report damaged ones. Raises OSError where the spool cannot be read."""
        found = self.spool.waiting()
        if found.damaged:
            self.say(f"{found.damaged} damaged lines of {self.spool.path} were moved to {self.spool.refused.name}")
        return found.lines

    def append(self, lines: Sequence[SpoolLine], *, doubtful: bool = False) -> None:
        """Put `lines` into the spool and return when they are on disk. A spool that cannot be written is reported.
        `doubtful`: they may have been put there before, so the store is asked for them."""
        if not doubtful:
            with self._condition:
                self._fresh |= {line.key for line in lines}
        try:
            torn = self.spool.append(lines)
        except OSError as error:
            self._report(error, f"{self.spool.path} cannot be written")
            return
        if torn:
            self.say(
                f"the last line of {self.spool.path} was torn by a kill: it was moved to {self.spool.path.name}.torn"
            )
        self.begin()

    def begin(self) -> None:
        """Let the thread drain what waits, also where other processes have left it."""
        with self._condition:
            self._appended = True
        self.wake()

    def wake(self) -> None:
        """Begin to drain in a thread, unless one does so already."""
        with self._condition:
            if self._thread is None and not self._only_appends:
                self._thread = threading.Thread(target=self._work, name="tsladder-mlflow", daemon=True)
                self._thread.start()

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait until nothing waits in the spool, for `seconds` at most and not for a store that fails meanwhile, and
        report what is left. Ctrl-C ends the wait."""
        if self._only_appends:
            return
        try:
            self._wait(seconds)
            left = self.spool.count()
        except KeyboardInterrupt:
            left = 0
            self.say("no longer waiting for MLflow: `tsladder sync` logs what is left")
        except OSError as error:
            left = 0
            self._report(error, f"{self.spool.path} cannot be read")
        if left:
            self.say(
                f"{left} {'line waits' if left == 1 else 'lines wait'} in {self.spool.path} for MLflow: "
                "`tsladder sync` logs them, or the next stage"
            )

    def drain(self, *, patience: float) -> Drained:
        """Drain the spool in this thread, once, and return what came of it. `patience`: seconds to wait for another
        process that drains."""
        self._logged.clear()
        with self.spool.draining(self._name, patience=patience) as turn:
            if turn is Turn.OF_ANOTHER:
                return Drained(left=self.spool.count(), reason="another process is draining it")
            reason = None
            try:
                self._drain(turn)
            except Exception as error:
                reason = self._words(error)
            return Drained(logged=dict(self._logged), left=self.spool.count(), reason=reason)

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._condition:
            before = self._begun
            self._hurry = True
            self._condition.notify_all()
            while self._thread is not None and (left := deadline - time.monotonic()) > 0:
                # What began earlier may have failed for a reason that is gone.
                if self._ended > before and self._last is _Ending.FAILED:
                    return
                self._condition.wait(left)

    def _work(self) -> None:
        """Drain until nothing waits. The thread begins anew with the next line."""
        failures = 0
        while True:
            with self._condition:
                self._appended = False
                self._begun += 1
            ending = self._attempt()
            with self._condition:
                self._ended = self._begun
                self._last = ending
                if ending is _Ending.EMPTY and not self._appended:
                    self._thread = None
                self._condition.notify_all()
                if self._thread is None:
                    return
                failures = failures + 1 if ending is _Ending.FAILED else 0
                if ending is not _Ending.EMPTY:
                    pause = _BUSY_PAUSE if not failures else min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (failures - 1))
                    self._condition.wait_for(lambda: self._hurry, timeout=pause)
                    self._hurry = False

    def _attempt(self) -> _Ending:
        try:
            with self.spool.draining(self._name) as turn:
                if turn is not Turn.OF_ANOTHER:
                    self._drain(turn)
                elif self.spool.count():
                    return _Ending.BUSY
        # MLflow, SQLAlchemy, SQLite, the network and the disk have no common exception.
        except Exception as error:
            self._report(error)
            return _Ending.FAILED
        return _Ending.EMPTY

    def _drain(self, turn: Turn) -> None:
        """Carry every line into the store, oldest first. Raises what the store raises."""
        if turn is Turn.AFTER_ANOTHER:
            # The other may have tried lines of this process, and have been killed meanwhile.
            with self._condition:
                self._fresh.clear()
        while True:
            waiting = self.waiting()
            if not waiting:
                return
            for line in waiting:
                with self._condition:
                    doubtful = line.key not in self._fresh
                    self._fresh.discard(line.key)
                if self._carry(line, doubtful=doubtful):
                    self._logged[_kind(line)] += 1
                self.spool.done(line.key)
            self.spool.compact()

    def _carry(self, line: SpoolLine, *, doubtful: bool) -> bool:
        """Carry one line into the store. Returns whether anything was logged."""
        for attempt in (1, 2):
            carrier = self._carrier = self._carrier or self._new_carrier()
            try:
                return carrier.carry(line, doubtful=doubtful or attempt > 1)
            except Exception as error:
                self._carrier = None
                # A store that is opened anew restores an experiment that somebody has deleted, and finds runs again.
                changed = _is_refusal(error) or carrier.was_deleted(line.experiment)
                if attempt == 1 and changed:
                    continue
                if not _is_refusal(error) or not self._answers(line.experiment):
                    raise
                reason = self._words(error)
                self.spool.refuse(line, reason)
                self.say(f"MLflow refuses {line.words} ({reason}): its line was moved to {self.spool.refused}")
        return False

    def _answers(self, experiment: str) -> bool:
        self._new_carrier().store(experiment).check()
        return True

    def _new_carrier(self) -> SpoolCarrier:
        address = self.address
        return SpoolCarrier(
            self.spool.folder, lambda experiment: self._open_store(address, experiment, self.say), self.say
        )

    def _report(self, error: Exception, what: str | None = None) -> None:
        """Report the first failure; later ones change nothing for the user."""
        if self._reported:
            return
        self._reported = True
        words = self._words(error)
        if what is not None:
            self.say(f"{what} ({words}): work continues, and what ends now is not copied to MLflow")
            return
        self.say(
            f"MLflow's store {self._shown()} cannot be written ({words}): work continues, results are in artifacts/ as "
            f"always, and what is to be logged waits in {self.spool.path}"
        )

    def _shown(self) -> str:
        try:
            return self.address.shown
        except Exception:
            return "elsewhere"

    def _words(self, error: Exception) -> str:
        """Return the first line of an error, without user and password."""
        text = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        try:
            return self.address.without_credentials(text)
        except Exception:
            return text


def _kind(line: SpoolLine) -> str:
    """Return the kind of `line` in words."""
    if line.run is not None:
        return "runs"
    if line.law is not None:
        return "laws"
    return "comparisons" if line.comparison is not None else "changes of cells"


def _is_refusal(error: Exception) -> bool:
    """Check whether `error` is about the line itself, so that the same line fails again."""
    return getattr(error, "error_code", None) in _REFUSALS or isinstance(error, KeyError)


@functools.cache
def drainer_of(folder: Path, given: str | None) -> Drainer:
    """Return the one drainer of this process for a spool and a store."""
    drainer = Drainer(folder, given, only_appends=LOGGED_BY_RUN in os.environ)
    _DRAINERS.append(drainer)
    return drainer


_DRAINERS: list[Drainer] = []


def settle_all(seconds: float = SETTLE_SECONDS) -> None:
    """Wait as `Drainer.settle` does for every spool that this process has written to, before the process ends."""
    for drainer in _DRAINERS:
        drainer.settle(seconds)
        # A thread that prints while the interpreter ends can abort it.
        drainer.say = ignore_message
