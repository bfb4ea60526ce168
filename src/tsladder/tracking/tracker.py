"""Copy of the study in MLflow, for the user: its failures are reported and never stop the work."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tsladder.tracking.runs import LoggedRun, RunRecord, RunStatus, RunTags
from tsladder.tracking.store import MlflowStore

T = TypeVar("T")

_PAUSE_SECONDS = 60.0
"""Seconds after a failure during which nothing is tried: a locked database takes five seconds to report that, for each
trial."""


def _say(text: str) -> None:
    print(f"tsladder: {text}", file=sys.stderr, flush=True)


class MlflowTracker:
    """`MlflowStore` behind the same methods, none of which raises the errors of MLflow, its database or the disk.

    The first failure is reported. Ended runs wait in memory and are logged when the store is available again; `finish`
    tries once more and reports how many are lost. Where a cell's run could not be created, a placeholder id stands for
    it until then.
    """

    def __init__(
        self,
        store: Path,
        experiment: str,
        *,
        say: Callable[[str], None] = _say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = store
        self._experiment = experiment
        self._say = say
        self._clock = clock
        self._store: MlflowStore | None = None
        self._not_before = float("-inf")
        self._reported = False
        self._cells: dict[str, tuple[str, RunTags]] = {}
        self._waiting: list[RunRecord] = []

    def cell_run(self, name: str, tags: RunTags) -> str:
        found = self._try(lambda store: store.cell_run(name, tags))
        if found is not None:
            return found
        placeholder = f"not-logged-{len(self._cells)}"
        self._cells[placeholder] = name, tags
        return placeholder

    def close_orphans(self, parent_id: str) -> int:
        return self._try(lambda store: store.close_orphans(self._logged_id(store, parent_id))) or 0

    def log_run(self, record: RunRecord) -> str:
        """Log one finished run and return its id, "" while the run waits to be logged."""
        if not self._waiting:
            logged = self._try(lambda store: self._log(store, record))
            if logged is not None:
                return logged
        self._waiting.append(record)
        self._try(self._log_waiting)
        return ""

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        def end(store: MlflowStore) -> None:
            self._log_waiting(store)
            store.finish(self._logged_id(store, run_id), status, metrics, extra_tags)

        self._try(end, at_once=True)
        if self._waiting:
            count = len(self._waiting)
            are = "run that ended is" if count == 1 else "runs that ended are"
            self._say(f"{count} {are} not in MLflow; mlruns/studies/ and artifacts/ have what is known of them")
            self._waiting.clear()

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        return self._try(lambda store: store.register_law(record, files, tags), at_once=True) or ""

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        return self._try(lambda store: store.log_comparison(files, tags, description), at_once=True) or ""

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        """Return the runs as `Tracker.runs`; empty while the store is not available."""

        def found(store: MlflowStore) -> tuple[LoggedRun, ...]:
            return store.runs(None if parent_id is None else self._logged_id(store, parent_id))

        return self._try(found) or ()

    def _try(self, verb: Callable[[MlflowStore], T], *, at_once: bool = False) -> T | None:
        """Return what `verb` returns; None where it failed, or was not tried because of a recent failure."""
        if self._clock() < self._not_before and not at_once:
            return None
        try:
            done = self._attempt(verb)
        # MLflow, SQLAlchemy, SQLite and the disk have no common exception; KeyboardInterrupt is not caught.
        except Exception as error:
            self._store = None
            self._not_before = self._clock() + _PAUSE_SECONDS
            self._report(error)
            return None
        self._not_before = float("-inf")
        return done

    def _attempt(self, verb: Callable[[MlflowStore], T]) -> T:
        store = self._store = self._store or MlflowStore(self._folder, self._experiment, self._say)
        try:
            return verb(store)
        except Exception:
            if not store.was_deleted():
                raise
        # Reopening the store restores the experiment.
        store = self._store = MlflowStore(self._folder, self._experiment, self._say)
        return verb(store)

    def _report(self, error: Exception) -> None:
        if self._reported:
            return
        self._reported = True
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        self._say(
            f"MLflow's copy of this study in {self._folder} cannot be written ({reason}): work continues, and its "
            "results are in artifacts/ as always. Runs that end meanwhile are logged if the store recovers"
        )

    def _log(self, store: MlflowStore, record: RunRecord) -> str:
        parent = None if record.parent_id is None else self._logged_id(store, record.parent_id)
        return store.log_run(dataclasses.replace(record, parent_id=parent))

    def _log_waiting(self, store: MlflowStore) -> None:
        """Log the runs that wait, without those that are in the store already: a run may also wait because the runs in
        the store could not be listed."""
        logged: dict[str | None, set[tuple[str, str | None]]] = {}
        while self._waiting:
            record = self._waiting[0]
            parent = record.parent_id
            if parent not in logged:
                children = () if parent is None else store.runs(self._logged_id(store, parent))
                ended = (run for run in children if run.status is not RunStatus.RUNNING)
                logged[parent] = {(run.name, run.tags.get("attempt")) for run in ended}
            if (record.name, record.extra_tags.get("attempt")) not in logged[parent]:
                self._log(store, record)
            del self._waiting[0]

    def _logged_id(self, store: MlflowStore, run_id: str) -> str:
        """Return the id of a cell's run, which is created now if it could not be created before."""
        if run_id not in self._cells:
            return run_id
        return store.cell_run(*self._cells[run_id])
