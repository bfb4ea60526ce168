"""Copy of the study in MLflow, for the user: nothing that MLflow does stops or delays the work."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.spool import SpooledCell, SpooledRun, SpoolLine, new_key
from tsladder.tracking.address import TRACKING_URI
from tsladder.tracking.drain import SETTLE_SECONDS, Drainer, drainer_of
from tsladder.tracking.runs import LoggedRun, RunRecord, RunStatus, RunTags
from tsladder.tracking.spool_lines import (
    spooled_cell,
    spooled_comparison,
    spooled_end,
    spooled_law,
    spooled_run,
)
from tsladder.tracking.store import MlflowStore

_READ_SECONDS = 600.0
"""Longest time that a reader waits for the spool to be drained."""


class MlflowTracker:
    """Tracker that writes every verb to the spool in the folder `store`, from where a thread logs it to the store that
    MLFLOW_TRACKING_URI names, or to the local one in that folder.

    No method waits for MLflow, nor raises its errors or those of the disk. All trackers of one folder share a spool,
    and those of one process the `drainer` of it.
    """

    def __init__(self, store: Path, experiment: str, *, drainer: Drainer | None = None) -> None:
        self._experiment = experiment
        self._drainer = drainer or drainer_of(store, os.environ.get(TRACKING_URI) or None)
        self._cells: dict[str, SpooledCell] = {}

    def cell_run(self, name: str, tags: RunTags) -> str:
        handle = f"{name} {tags.study_key}"
        self._cells[handle] = spooled_cell(name, tags)
        self._append(opened=self._cells[handle])
        return handle

    def repair(self, parent_id: str, records: Sequence[RunRecord]) -> None:
        cell = self._cells[parent_id]
        waiting = self._waiting_below(cell)
        lines = [
            SpoolLine(key=new_key(), experiment=self._experiment, run=self._run(record, unless_logged=True))
            for record in records
            if record.identity not in waiting
        ]
        # Last, since a closed run counts as logged at the next start if this process is killed as well.
        closing = SpoolLine(key=new_key(), experiment=self._experiment, left_open=cell)
        self._drainer.append([*lines, closing])

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        if entry is None:
            return self._append(run=self._run(record, unless_logged=False))
        line = SpoolLine(key=entry, experiment=self._experiment, run=self._run(record, unless_logged=False))
        self._drainer.append([line], doubtful=True)
        return entry

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        self._append(ended=spooled_end(self._cells[run_id], status, metrics, extra_tags))

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        return self._append(law=spooled_law(record, files, tags, self._drainer.spool.folder))

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        return self._append(comparison=spooled_comparison(files, tags, description, self._drainer.spool.folder))

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Wait for the spool to be drained, for `seconds` at most, and report what is left."""
        self._drainer.settle(seconds)

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        """Return the runs in the store, oldest first, or only those below the cell `parent_id`, once the spool is
        drained: for tests and for whoever looks. Raises what the store raises."""
        if self._drainer.spool.count():
            self._drainer.begin()
        self.settle(_READ_SECONDS)
        store = MlflowStore(self._drainer.address, self._experiment, self._drainer.say)
        if parent_id is None:
            return store.runs()
        cell = self._cells[parent_id]
        return store.runs(store.cell_id(cell.name, RunTags.from_dict(cell.tags)))

    def _append(self, **content: Any) -> str:
        """Append one line and return its key."""
        line = SpoolLine(key=new_key(), experiment=self._experiment, **content)
        self._drainer.append([line])
        return line.key

    def _run(self, record: RunRecord, *, unless_logged: bool) -> SpooledRun:
        cell = None if record.parent_id is None else self._cells.get(record.parent_id)
        below = record.parent_id if cell is None else None
        folder = self._drainer.spool.folder
        return spooled_run(record, folder, cell=cell, below=below, unless_logged=unless_logged)

    def _waiting_below(self, cell: SpooledCell) -> set[tuple[str, str | None]]:
        """Return names and attempts of the runs of `cell` that wait in the spool; none where it cannot be read."""
        try:
            waiting = self._drainer.waiting()
        except OSError:
            return set()
        runs = (line.run for line in waiting if line.run is not None and line.experiment == self._experiment)
        ended = (run for run in runs if run.status != RunStatus.RUNNING)
        return {run.identity for run in ended if run.cell is not None and _same_cell(run.cell, cell)}


def _same_cell(one: SpooledCell, other: SpooledCell) -> bool:
    return (one.name, one.tags["study_key"]) == (other.name, other.tags["study_key"])
