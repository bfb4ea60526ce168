"""A store in memory with the methods of MlflowStore that the spool uses, and faults where a test wants them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tsladder.tracking import LoggedRun, RunRecord, RunStatus, RunTags


class Killed(BaseException):
    """The process dies here: nothing catches it."""


class Refused(Exception):
    error_code = "INVALID_PARAMETER_VALUE"


@dataclass
class Server:
    """What is stored, whoever has a client. `before` is called at every step, in which something changes here."""

    runs: dict[str, LoggedRun] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda _step: None
    deleted: bool = False
    opened: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def open(self, _address: object, experiment: str, _say: object) -> FakeStore:
        self.before("open")
        self.opened += 1
        self.deleted = False
        return FakeStore(self, experiment)

    def create(self, name: str, parent: str | None, tags: Mapping[str, str], entry: str | None = None) -> str:
        self.before("create")
        run_id = f"id-{next(self.numbers)}"
        self.runs[run_id] = LoggedRun(
            run_id=run_id, name=name, parent_id=parent, status=RunStatus.RUNNING, tags=tags, params={}, metrics={}
        )
        if entry is not None:
            self.entries[run_id] = entry
        return run_id

    def end(self, run_id: str, status: RunStatus) -> None:
        self.before("end")
        self.runs[run_id] = dataclasses.replace(self.runs[run_id], status=status)

    def delete(self, run_id: str) -> None:
        self.before("delete")
        del self.runs[run_id]
        self.entries.pop(run_id, None)

    def ended(self) -> list[tuple[str, str | None, str]]:
        """What people see: name, name of the parent and state of each run, in order of names."""
        names = {run_id: run.name for run_id, run in self.runs.items()}
        return sorted((r.name, names.get(r.parent_id), str(r.status)) for r in self.runs.values())


@dataclass
class FakeStore:
    server: Server
    experiment: str

    def check(self) -> None:
        self.server.before("check")

    def was_deleted(self) -> bool:
        return self.server.deleted

    def _cell(self, name: str, tags: RunTags) -> str | None:
        found = (run for run in self.server.runs.values() if run.parent_id is None and run.name == name)
        return next((run.run_id for run in found if run.tags["study_key"] == tags.study_key), None)

    def cell_run(self, name: str, tags: RunTags) -> str:
        run_id = self.cell_id(name, tags)
        self.server.end(run_id, RunStatus.RUNNING)
        return run_id

    def cell_id(self, name: str, tags: RunTags) -> str:
        return self._cell(name, tags) or self.server.create(name, None, tags.as_dict())

    def close_orphans(self, parent_id: str) -> int:
        orphans = [r for r in self.runs(parent_id) if r.status is RunStatus.RUNNING]
        for run in orphans:
            self.server.end(run.run_id, RunStatus.KILLED)
        return len(orphans)

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        tags = {**record.tags.as_dict(), **record.extra_tags}
        run_id = self.server.create(record.name, record.parent_id, tags, entry)
        self.server.end(run_id, record.status)
        return run_id

    def ended_entry(self, key: str) -> str | None:
        for run_id in [run_id for run_id, entry in self.server.entries.items() if entry == key]:
            if self.server.runs[run_id].status is not RunStatus.RUNNING:
                return run_id
            self.server.delete(run_id)
        return None

    def finish(
        self, run_id: str, status: RunStatus, metrics: Mapping[str, float], extra_tags: Mapping[str, str]
    ) -> None:
        self.server.end(run_id, status)

    def register_law(
        self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags, *, entry: str | None = None
    ) -> str:
        run_id = self.server.create("scaling-law", None, tags.as_dict(), entry)
        self.server.before("register")
        self.server.versions.append(run_id)
        self.server.end(run_id, RunStatus.FINISHED)
        return run_id

    def registered_law(self, entry: str) -> str | None:
        for run_id in [run_id for run_id, key in self.server.entries.items() if key == entry]:
            if run_id in self.server.versions:
                self.server.end(run_id, RunStatus.FINISHED)
                return run_id
            self.server.delete(run_id)
        return None

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        run_id = self._cell("comparison", tags) or self.server.create("comparison", None, tags.as_dict())
        self.server.end(run_id, RunStatus.FINISHED)
        return run_id

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        self.server.before("list")
        return tuple(run for run in self.server.runs.values() if parent_id is None or run.parent_id == parent_id)
