"""Lines of the spool: made of what a stage logs, and carried out in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tsladder.artifacts.spool import (
    SpooledCell,
    SpooledComparison,
    SpooledEnd,
    SpooledLaw,
    SpooledRun,
    SpoolLine,
)
from tsladder.tracking.runs import (
    RunRecord,
    RunStatus,
    RunTags,
    loggable,
    loggable_metrics,
    loggable_params,
)
from tsladder.tracking.store import MlflowStore


def spooled_cell(name: str, tags: RunTags) -> SpooledCell:
    return SpooledCell(name=name, tags=tags.as_dict())


def spooled_run(
    record: RunRecord, folder: Path, *, cell: SpooledCell | None, below: str | None, unless_logged: bool
) -> SpooledRun:
    """Return `record` as the spool of the folder `folder` holds it: its times are those of now where it has none."""
    now = _now_ms()
    return SpooledRun(
        name=record.name,
        tags=record.tags.as_dict(),
        cell=cell,
        below=below,
        params=loggable_params(record.params),
        metrics=loggable_metrics(record.metrics),
        curves={name: tuple((step, loggable(value)) for step, value in curve) for name, curve in record.curves.items()},
        extra_tags=dict(record.extra_tags),
        status=record.status,
        start_ms=now if record.start_ms is None else record.start_ms,
        end_ms=now if record.end_ms is None else record.end_ms,
        artifacts={_named(path, folder): place for path, place in record.artifacts.items()},
        description=record.description,
        unless_logged=unless_logged,
    )


def spooled_end(
    cell: SpooledCell,
    status: RunStatus,
    metrics: Mapping[str, float | None] | None,
    extra_tags: Mapping[str, str] | None,
) -> SpooledEnd:
    return SpooledEnd(
        cell=cell, status=status, metrics=loggable_metrics(metrics or {}), extra_tags=dict(extra_tags or {})
    )


def spooled_law(record: Mapping[str, Any], files: Sequence[Path], tags: RunTags, folder: Path) -> SpooledLaw:
    return SpooledLaw(record=record, files=tuple(_named(path, folder) for path in files), tags=tags.as_dict())


def spooled_comparison(files: Sequence[Path], tags: RunTags, description: str, folder: Path) -> SpooledComparison:
    return SpooledComparison(
        files=tuple(_named(path, folder) for path in files), tags=tags.as_dict(), description=description
    )


def _named(path: Path, folder: Path) -> str:
    """Return the name of a file in the spool of `folder`: relative to the folder's parent where it lies below that, so
    that a study may be moved while lines wait."""
    path, above = path.absolute(), folder.absolute().parent
    return str(path.relative_to(above)) if path.is_relative_to(above) else str(path)


class SpoolCarrier:
    """Carrier of lines into the stores of their experiments. `folder`: that of the spool; `open_store`: opens the
    store of an experiment.

    A carrier remembers ids of runs, so it is given up where anything has failed.
    """

    def __init__(self, folder: Path, open_store: Callable[[str], MlflowStore], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._open_store = open_store
        self._say = say
        self._stores: dict[str, MlflowStore] = {}
        self._cells: dict[tuple[str, str, str], str] = {}
        self._entries: dict[str, str] = {}
        self._logged: dict[str, set[tuple[str, str | None]]] = {}

    def store(self, experiment: str) -> MlflowStore:
        """Return the store of `experiment`."""
        if experiment not in self._stores:
            self._stores[experiment] = self._open_store(experiment)
        return self._stores[experiment]

    def was_deleted(self, experiment: str) -> bool:
        """Check whether somebody has deleted the experiment in the store while it was in use here."""
        return experiment in self._stores and self._stores[experiment].was_deleted()

    def carry(self, line: SpoolLine, *, doubtful: bool) -> bool:
        """Carry out in the store what `line` asks for. Returns whether anything had to be logged.

        `doubtful`: the line may have been carried out before, in whole or in part, by a process that was killed or at
        an attempt that failed.
        """
        store = self.store(line.experiment)
        if line.opened is not None:
            tags = RunTags.from_dict(line.opened.tags)
            self._cells[self._cell_key(store, line.opened)] = store.cell_run(line.opened.name, tags)
        elif line.run is not None:
            return self._carry_run(store, line.key, line.run, doubtful=doubtful)
        elif line.left_open is not None:
            store.close_orphans(self._cell_id(store, line.left_open))
        elif line.ended is not None:
            end = line.ended
            store.finish(self._cell_id(store, end.cell), RunStatus(end.status), end.metrics, end.extra_tags)
        elif line.law is not None:
            law = line.law
            if doubtful and store.registered_law(line.key) is not None:
                return False
            files = self._files(line, law.files)
            store.register_law(law.record, files, RunTags.from_dict(law.tags), entry=line.key)
        elif line.comparison is not None:
            comparison = line.comparison
            files = self._files(line, comparison.files)
            store.log_comparison(files, RunTags.from_dict(comparison.tags), comparison.description)
        return True

    def _carry_run(self, store: MlflowStore, key: str, run: SpooledRun, *, doubtful: bool) -> bool:
        parent = self._parent(store, run)
        if doubtful and (known := store.ended_entry(key)) is not None:
            self._entries[key] = known
            return False
        if parent is not None and run.unless_logged and run.identity in self._ended_below(store, parent):
            return False
        artifacts = {path: run.artifacts[name] for name, path in self._found(run.name, run.artifacts).items()}
        self._entries[key] = store.log_run(
            RunRecord(
                name=run.name,
                tags=RunTags.from_dict(run.tags),
                parent_id=parent,
                params=run.params,
                metrics=run.metrics,
                curves=run.curves,
                extra_tags=run.extra_tags,
                status=RunStatus(run.status),
                start_ms=run.start_ms,
                end_ms=run.end_ms,
                artifacts=artifacts,
                description=run.description,
            ),
            entry=key,
        )
        if parent in self._logged:
            self._logged[parent].add(run.identity)
        return True

    def _parent(self, store: MlflowStore, run: SpooledRun) -> str | None:
        """Return the id of the run below which `run` stands; None where there is none, or where it was deleted."""
        if run.cell is not None:
            return self._cell_id(store, run.cell)
        if run.below is None:
            return None
        if run.below not in self._entries and (found := store.ended_entry(run.below)) is not None:
            self._entries[run.below] = found
        return self._entries.get(run.below)

    def _ended_below(self, store: MlflowStore, parent: str) -> set[tuple[str, str | None]]:
        """Return names and attempts of the runs below `parent` that have ended."""
        if parent not in self._logged:
            ended = (run for run in store.runs(parent) if run.status is not RunStatus.RUNNING)
            self._logged[parent] = {(run.name, run.tags.get("attempt")) for run in ended}
        return self._logged[parent]

    def _cell_id(self, store: MlflowStore, cell: SpooledCell) -> str:
        key = self._cell_key(store, cell)
        if key not in self._cells:
            self._cells[key] = store.cell_id(cell.name, RunTags.from_dict(cell.tags))
        return self._cells[key]

    @staticmethod
    def _cell_key(store: MlflowStore, cell: SpooledCell) -> tuple[str, str, str]:
        return store.experiment, cell.name, cell.tags["study_key"]

    def _files(self, line: SpoolLine, names: Sequence[str]) -> list[Path]:
        return list(self._found(line.words, names).values())

    def _found(self, what: str, names: Sequence[str] | Mapping[str, str]) -> dict[str, Path]:
        """Return the files that are still there by their names, and report the others."""
        paths = {name: self._folder.absolute().parent / name for name in names}
        missing = [str(path) for path in paths.values() if not path.exists()]
        if missing:
            self._say(f"{what} is logged to MLflow without {', '.join(missing)}, which is no longer there")
        return {name: path for name, path in paths.items() if path.exists()}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
