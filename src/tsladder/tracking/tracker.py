"""The study's copy in MLflow, for people: what goes wrong with it is said, and ends no work."""

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
"""So long nothing is tried after a failure: a database that is locked takes five seconds to say so, for each trial."""


def _say(text: str) -> None:
    print(f"tsladder: {text}", file=sys.stderr, flush=True)


class MlflowTracker:
    """`MlflowStore` behind the same verbs, none of which raises what MLflow, its database or the disk raises.

    The first failure is said. Ended runs wait in memory and are logged when the store can be had again; `finish` tries
    once more and says how many are lost. An id of a cell's run that could not be made stands for it until then.
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
        self._told = False
        self._cells: dict[str, tuple[str, RunTags]] = {}
        self._waiting: list[RunRecord] = []

    def cell_run(self, name: str, tags: RunTags) -> str:
        found = self._try(lambda store: store.cell_run(name, tags))
        if found is not None:
            return found
        stand_in = f"not-logged-{len(self._cells)}"
        self._cells[stand_in] = name, tags
        return stand_in

    def close_orphans(self, parent_id: str) -> int:
        return self._try(lambda store: store.close_orphans(self._real(store, parent_id))) or 0

    def log_run(self, record: RunRecord) -> str:
        """The id is "" while the run waits."""
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
            store.finish(self._real(store, run_id), status, metrics, extra_tags)

        self._try(end, at_once=True)
        if self._waiting:
            self._say(f"{len(self._waiting)} ended runs are not in MLflow; trials.jsonl and artifacts/ have them")
            self._waiting.clear()

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        return self._try(lambda store: store.register_law(record, files, tags), at_once=True) or ""

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        return self._try(lambda store: store.log_comparison(files, tags, description), at_once=True) or ""

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        """None of them while the store cannot be had."""

        def found(store: MlflowStore) -> tuple[LoggedRun, ...]:
            return store.runs(None if parent_id is None else self._real(store, parent_id))

        return self._try(found) or ()

    def _try(self, verb: Callable[[MlflowStore], T], *, at_once: bool = False) -> T | None:
        """What `verb` returns, or None where it failed, or is not tried because something has just failed."""
        if self._clock() < self._not_before and not at_once:
            return None
        try:
            done = self._attempt(verb)
        # MLflow, SQLAlchemy, SQLite and the disk have no error in common; a wish to stop is none of theirs.
        except Exception as error:
            self._store = None
            self._not_before = self._clock() + _PAUSE_SECONDS
            self._tell(error)
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
        # Opening it once more restores it.
        store = self._store = MlflowStore(self._folder, self._experiment, self._say)
        return verb(store)

    def _tell(self, error: Exception) -> None:
        if self._told:
            return
        self._told = True
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        self._say(
            f"MLflow's copy of this study in {self._folder} cannot be written ({reason}): the work goes on, and its "
            "results are in artifacts/ as always. What ends meanwhile is missing on MLflow's page unless this passes"
        )

    def _log(self, store: MlflowStore, record: RunRecord) -> str:
        parent = None if record.parent_id is None else self._real(store, record.parent_id)
        return store.log_run(dataclasses.replace(record, parent_id=parent))

    def _log_waiting(self, store: MlflowStore) -> None:
        """A run that waited because it was not known which ones are there may be there."""
        there: dict[str | None, set[tuple[str, str | None]]] = {}
        while self._waiting:
            record = self._waiting[0]
            parent = record.parent_id
            if parent not in there:
                children = () if parent is None else store.runs(self._real(store, parent))
                ended = (run for run in children if run.status is not RunStatus.RUNNING)
                there[parent] = {(run.name, run.tags.get("attempt")) for run in ended}
            if (record.name, record.extra_tags.get("attempt")) not in there[parent]:
                self._log(store, record)
            del self._waiting[0]

    def _real(self, store: MlflowStore, run_id: str) -> str:
        """The id of a cell's run, which is made now if it could not be made before."""
        if run_id not in self._cells:
            return run_id
        return store.cell_run(*self._cells[run_id])
