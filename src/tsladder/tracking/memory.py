"""Tracker in memory that behaves like MLflow's, for tests and for runs that must leave no trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tsladder.tracking.runs import (
    COMPARISON_NAME,
    LAW_NAME,
    LoggedRun,
    RunRecord,
    RunStatus,
    RunTags,
    charted_metrics,
    last_values,
    law_summary,
    loggable_metrics,
    loggable_params,
)


@dataclass(slots=True)
class MemoryTracker:
    """Tracker that keeps runs by id in the order of their creation, with artifacts and registered laws beside them.
    `entries`: key of a run -> its id."""

    stored: dict[str, LoggedRun] = field(default_factory=dict)
    artifacts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    registered: list[Mapping[str, Any]] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)

    def cell_run(self, name: str, tags: RunTags) -> str:
        found = self._reopen(name, tags)
        if found is not None:
            self.stored[found] = replace(self.stored[found], status=RunStatus.RUNNING)
            return found
        return self._store(RunRecord(name=name, tags=tags, status=RunStatus.RUNNING), "cell")

    def repair(self, parent_id: str, records: Sequence[RunRecord]) -> None:
        logged = {
            (run.name, run.tags.get("attempt")) for run in self.runs(parent_id) if run.status is not RunStatus.RUNNING
        }
        for record in records:
            if record.identity not in logged:
                self.log_run(record)
        # Done last, since a closed run counts as logged at the next start if this process is killed as well.
        self.close_orphans(parent_id)

    def close_orphans(self, parent_id: str) -> int:
        """Mark as KILLED the runs that a dead owner of a cell left RUNNING, and return their number."""
        cell = self.stored[parent_id]
        namesakes = {run.run_id for run in self.stored.values() if run.name == cell.name and run.parent_id is None}
        orphans = [
            run
            for run in self.stored.values()
            if run.status is RunStatus.RUNNING
            and run.run_id != parent_id
            and (run.run_id in namesakes or run.parent_id in namesakes)
        ]
        for run in orphans:
            self.stored[run.run_id] = replace(run, status=RunStatus.KILLED)
        return len(orphans)

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        if entry is not None and entry in self.entries:
            return self.entries[entry]
        run_id = self._store(record, record.tags.kind)
        if entry is not None:
            self.entries[entry] = run_id
        return run_id

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        run = self.stored[run_id]
        self.stored[run_id] = replace(
            run,
            status=status,
            tags={**run.tags, **(extra_tags or {})},
            metrics={**run.metrics, **loggable_metrics(metrics or {})},
        )

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        params, metrics = law_summary(record)
        artifacts = dict.fromkeys(files, "")
        self.registered.append(record)
        law = RunRecord(name=LAW_NAME, tags=tags, params=params, metrics=metrics, artifacts=artifacts)
        return self._store(law, "law")

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        run_id = self._reopen(COMPARISON_NAME, tags)
        if run_id is None:
            run_id = self._store(RunRecord(name=COMPARISON_NAME, tags=tags, description=description), "comparison")
        self.artifacts[run_id] = tuple(dict.fromkeys([*self.artifacts[run_id], *(path.name for path in files)]))
        return run_id

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        """Return all runs, oldest first, or only the children of `parent_id`."""
        return tuple(run for run in self.stored.values() if parent_id is None or run.parent_id == parent_id)

    def _reopen(self, name: str, tags: RunTags) -> str | None:
        for run in self.stored.values():
            if run.name == name and run.parent_id is None and run.tags["study_key"] == tags.study_key:
                return run.run_id
        return None

    def _store(self, record: RunRecord, kind: str) -> str:
        run_id = f"run-{len(self.stored)}"
        self.stored[run_id] = LoggedRun(
            run_id=run_id,
            name=record.name,
            parent_id=record.parent_id,
            status=record.status,
            tags={**record.tags.as_dict(), "kind": kind, **record.extra_tags},
            params=loggable_params(record.params),
            metrics={**loggable_metrics(charted_metrics(record)), **last_values(record.curves)},
        )
        self.artifacts[run_id] = tuple(
            "/".join(filter(None, (folder, path.name))) for path, folder in record.artifacts.items()
        )
        return run_id
