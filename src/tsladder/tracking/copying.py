"""Tracker that logs into a store at once, and only what is not there: for copying a whole study into another store."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.store import digest
from tsladder.tracking.runs import (
    COMPARISON_NAME,
    LAW_NAME,
    LoggedRun,
    RunRecord,
    RunStatus,
    RunTags,
    charted_metrics,
    loggable_metrics,
)
from tsladder.tracking.store import MlflowStore


class CopyTracker:
    """Tracker whose verbs may be repeated any number of times: `logged` counts what was written, by kind. Every method
    raises what the store raises."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store
        self._below: dict[str, tuple[LoggedRun, ...]] = {}
        self.logged: Counter[str] = Counter()

    def cell_run(self, name: str, tags: RunTags) -> str:
        known = self._store.top_level_run(name, tags.study_key)
        if known is not None:
            return known.run_id
        self.logged["cells"] += 1
        return self._store.cell_run(name, tags)

    def repair(self, parent_id: str, records: Sequence[RunRecord]) -> None:
        """Log those of `records` that are not there. Nothing is closed: another process may be logging to the store."""
        for record in records:
            self.log_run(record)

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        namesakes = self._namesakes(record)
        for run in namesakes:
            if run.status is not RunStatus.RUNNING and ("attempt" in record.extra_tags or _agree(run, record)):
                return run.run_id
        key = digest("copy", record.parent_id, record.tags.study_key, *record.identity)
        if any(run.status is RunStatus.RUNNING for run in namesakes):
            # Perhaps left by a copy that was killed, which had logged it in part: that is deleted.
            self._store.ended_entry(key)
        self.logged["runs"] += 1
        return self._store.log_run(record, entry=key)

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        run, wanted = self._store.run(run_id), loggable_metrics(metrics or {})
        if (
            run.status is status
            and all(_equal(run.metrics.get(name), value) for name, value in wanted.items())
            and (extra_tags or {}).items() <= run.tags.items()
        ):
            return
        self.logged["ends of cells"] += 1
        self._store.finish(run_id, status, metrics, extra_tags)

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        if self._store.has_law(record, tags):
            return LAW_NAME
        self.logged["laws"] += 1
        return self._store.register_law(record, files, tags)

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        if self._store.has_comparison(files, tags):
            return COMPARISON_NAME
        self.logged["comparisons"] += 1
        return self._store.log_comparison(files, tags, description)

    def _namesakes(self, record: RunRecord) -> list[LoggedRun]:
        """Return the runs of the name and attempt of `record` at its place, as they were before this copy."""
        parent = record.parent_id
        if parent is None:
            found = self._store.top_level_run(record.name, record.tags.study_key)
            return [] if found is None else [found]
        if parent not in self._below:
            self._below[parent] = self._store.runs(parent)
        return [run for run in self._below[parent] if _identity(run) == record.identity]


def _identity(run: LoggedRun) -> tuple[str, str | None]:
    return run.name, run.tags.get("attempt")


def _agree(run: LoggedRun, record: RunRecord) -> bool:
    """Check whether the metrics that both have are equal: one may have been logged with more of them."""
    wanted = loggable_metrics(charted_metrics(record))
    return all(_equal(run.metrics[name], value) for name, value in wanted.items() if name in run.metrics)


def _equal(one: float | None, other: float) -> bool:
    return one == other or (one is not None and math.isnan(one) and math.isnan(other))
