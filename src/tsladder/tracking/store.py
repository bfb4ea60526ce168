"""MLflow store, wherever it is, behind one set of methods, all of which may fail."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.errors import WorkFailed
from tsladder.tracking.address import StoreAddress, local_address
from tsladder.tracking.descriptions import DESCRIPTION_TAG, cell_description, law_description
from tsladder.tracking.registry import register
from tsladder.tracking.runs import (
    COMPARISON_NAME,
    LAW_NAME,
    LoggedRun,
    RunRecord,
    RunStatus,
    RunTags,
    charted_metrics,
    law_summary,
    loggable,
    loggable_metrics,
    loggable_params,
    loss_of_horizon,
)
from tsladder.tracking.stores import opener_of, search_runs
from tsladder.tracking.views import SIZE, outdated_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Metric, Run

_NAME = "mlflow.runName"
_PARENT = "mlflow.parentRunId"
_METRICS_PER_BATCH = 1000
_ENTRY = "mlflow.tsladder.entry"
"""Tag with the key of the spool's line that a run was logged from; MLflow's page hides tags that begin as its own."""
_FILES = "mlflow.tsladder.files"
"""Tag with the hash of the files of a comparison."""


class MlflowStore:
    """Runs of one experiment (the study's name) in the store at `address`, or in the local store of a folder.

    Uses MLflow's client, never its fluent API: no state is shared between stores, and one run costs three short
    transactions. `say` is called with a message on each repair made when the store was opened. Every failure of MLflow
    is raised: the copy that may fail is in `tsladder.tracking.tracker`.
    """

    def __init__(self, address: StoreAddress | Path, experiment: str, say: Callable[[str], None]) -> None:
        self.address = local_address(address) if isinstance(address, Path) else address
        self.experiment = experiment
        self._say = say
        self._opener = opener_of(self.address)

    def cell_run(self, name: str, tags: RunTags) -> str:
        """Return the id of the run of cell `name` of the study `tags.study_key`, found again or created; the run is
        RUNNING afterwards."""
        found = self._reopen(name, tags)
        return self._create_cell(name, tags) if found is None else found

    def cell_id(self, name: str, tags: RunTags) -> str:
        """Return the id of the run of cell `name` as `cell_run` does, without changing the state of one that exists."""
        found = self._top_level(name, tags.study_key)
        return self._create_cell(name, tags) if found is None else str(found.info.run_id)

    def close_orphans(self, parent_id: str) -> int:
        """Mark as KILLED the runs that a dead owner of this cell left RUNNING, and return their number.

        These are the children of `parent_id`, and runs of the same name under another study key with their children.
        """
        name = self._client.get_run(parent_id).info.run_name
        cells = [run for run in self._search(f"attributes.run_name = '{name}'") if _PARENT not in run.data.tags]
        orphans = {run.info.run_id for run in cells if run.info.status == RunStatus.RUNNING} - {parent_id}
        for cell in cells:
            running = self._search(
                f"tags.`{_PARENT}` = '{cell.info.run_id}' AND attributes.status = '{RunStatus.RUNNING}'"
            )
            orphans |= {run.info.run_id for run in running}
        for run_id in orphans:
            self._client.set_terminated(run_id, status=RunStatus.KILLED)
        return len(orphans)

    def log_run(self, record: RunRecord, *, entry: str | None = None) -> str:
        """Log one finished run and return its id. `entry` is the key by which `ended_entry` finds it."""
        parent = {} if record.parent_id is None else {_PARENT: record.parent_id}
        more = {"kind": record.tags.kind, **record.extra_tags, **parent, **_entry_tag(entry)}
        run_id = self._create(record.name, record.tags, record.start_ms, more, record.description)
        try:
            self._log(run_id, record)
            for path, folder in record.artifacts.items():
                self._upload(run_id, path, folder)
        except Exception:
            # An incomplete run would otherwise remain beside the complete one that is logged later.
            with contextlib.suppress(Exception):  # it fails most likely for the same reason
                self._client.delete_run(run_id)
            raise
        self._client.set_terminated(run_id, status=record.status, end_time=record.end_ms)
        return run_id

    def ended_entry(self, key: str) -> str | None:
        """Return the id of the run that was logged with the `entry` key; None where there is none, or where it had been
        logged in part: it is deleted then."""
        for run in self._search(f"tags.`{_ENTRY}` = '{key}'"):
            if run.info.status != RunStatus.RUNNING:
                return str(run.info.run_id)
            self._client.delete_run(run.info.run_id)
        return None

    def finish(
        self,
        run_id: str,
        status: RunStatus,
        metrics: Mapping[str, float | None] | None = None,
        extra_tags: Mapping[str, str] | None = None,
    ) -> None:
        from mlflow.entities import RunTag

        entries = _metrics(metrics or {}, {}, _now_ms())
        tags = [RunTag(name, value) for name, value in (extra_tags or {}).items()]
        if entries or tags:
            self._client.log_batch(run_id, metrics=entries, tags=tags)
        self._client.set_terminated(run_id, status=status)
        self._show_views()

    def register_law(
        self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags, *, entry: str | None = None
    ) -> str:
        """Log the run `scaling-law` with `files`, register the model of that name, and return the run id."""
        params, metrics = law_summary(record)
        run_id = self._create(LAW_NAME, tags, None, {"kind": "law", **_entry_tag(entry)}, law_description(record))
        try:
            self._log(run_id, RunRecord(name=LAW_NAME, tags=tags, params=params, metrics=metrics))
            for path in files:
                self._upload(run_id, path, "")
            origin = {"experiment": self.experiment, "study_key": tags.study_key}
            register(self._client, record, run_id=run_id, origin=origin)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            with contextlib.suppress(Exception):  # it fails most likely for the same reason
                self._client.set_terminated(run_id, status=RunStatus.KILLED if stopped else RunStatus.FAILED)
            raise
        self._client.set_terminated(run_id, status=RunStatus.FINISHED)
        return run_id

    def registered_law(self, entry: str) -> str | None:
        """Return the id of the law's run that was logged with the `entry` key and registered; None where there is none.
        A run of that key without a version of the model is deleted."""
        for run in self._search(f"tags.`{_ENTRY}` = '{entry}'"):
            run_id = str(run.info.run_id)
            if self._client.search_model_versions(f"run_id = '{run_id}'"):
                self._client.set_terminated(run_id, status=RunStatus.FINISHED)
                return run_id
            self._client.delete_run(run_id)
        return None

    def has_law(self, record: Mapping[str, Any], tags: RunTags) -> bool:
        """Check whether a finished run of the study holds this law."""
        params, metrics = law_summary(record)
        expected = loggable_params(params), loggable_metrics(metrics)
        found = self._search(f"attributes.run_name = '{LAW_NAME}' AND tags.study_key = '{tags.study_key}'")
        return any(
            run.info.status == RunStatus.FINISHED
            and _same_values((dict(run.data.params), dict(run.data.metrics)), expected)
            for run in found
        )

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        """Find or create the run `comparison` of the study `tags.study_key`, replace those of its files that have the
        names of `files`, and return its id."""
        run_id = self._reopen(COMPARISON_NAME, tags)
        if run_id is None:
            run_id = self._create(COMPARISON_NAME, tags, None, {"kind": "comparison"}, description)
        else:
            self._client.set_tag(run_id, DESCRIPTION_TAG, description)
        for path in files:
            self._upload(run_id, path, "")
        self._client.set_tag(run_id, _FILES, _files_digest(files))
        self._client.set_terminated(run_id, status=RunStatus.FINISHED)
        return run_id

    def has_comparison(self, files: Sequence[Path], tags: RunTags) -> bool:
        """Check whether the run `comparison` of the study has these files."""
        found = self._top_level(COMPARISON_NAME, tags.study_key)
        return (
            found is not None
            and found.info.status == RunStatus.FINISHED
            and found.data.tags.get(_FILES) == _files_digest(files)
        )

    def top_level_run(self, name: str, study_key: str) -> LoggedRun | None:
        """Return the run of this name and study that stands below no other; None where there is none."""
        found = self._top_level(name, study_key)
        return None if found is None else _logged(found)

    def run(self, run_id: str) -> LoggedRun:
        """Return the run with this id."""
        return _logged(self._client.get_run(run_id))

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        """Return the runs of the experiment, oldest first, or only the children of `parent_id`."""
        condition = "" if parent_id is None else f"tags.`{_PARENT}` = '{parent_id}'"
        return tuple(_logged(run) for run in self._search(condition))

    def check(self) -> None:
        """Raise what the store raises where it does not answer."""
        self._client.get_experiment(self._experiment_id)

    def was_deleted(self) -> bool:
        """Check whether somebody has deleted the experiment."""
        return "_client" in self.__dict__ and self._opener.was_deleted(self._client, self.experiment)

    @cached_property
    def _client(self) -> MlflowClient:
        client = self._opener.open(self.experiment, self._say)
        experiment = client.get_experiment_by_name(self.experiment)
        if experiment is not None:
            self._bring_views_up_to_date(client, experiment)
        return client

    @cached_property
    def _experiment_id(self) -> str:
        experiment = self._client.get_experiment_by_name(self.experiment)
        if experiment is None:
            raise WorkFailed(
                f"the MLflow experiment {self.experiment!r} was removed from {self.address.shown} while in use"
            )
        return str(experiment.experiment_id)

    def _show_views(self) -> None:
        """Bring the saved views up to date with the trials that exist by now."""
        self._bring_views_up_to_date(self._client, self._client.get_experiment(self._experiment_id))

    def _bring_views_up_to_date(self, client: MlflowClient, experiment: Experiment) -> None:
        number = experiment.experiment_id
        trials = self._opener.trials_by_horizon(client, number)
        if any(loss_of_horizon(horizon) not in experiment.tags.get(SIZE, "") for horizon in trials):
            self._opener.add_losses_by_horizon(number)
        for name, value in outdated_tags(experiment.tags, trials).items():
            client.set_experiment_tag(number, name, value)

    def _top_level(self, name: str, study_key: str) -> Run | None:
        """Return the run of this name and study at the top level of the experiment."""
        found = self._search(f"attributes.run_name = '{name}' AND tags.study_key = '{study_key}'")
        return next((run for run in found if _PARENT not in run.data.tags), None)

    def _reopen(self, name: str, tags: RunTags) -> str | None:
        """Find the run of this name and study at the top level of the experiment, and set it to RUNNING; None where
        there is none."""
        found = self._top_level(name, tags.study_key)
        if found is None:
            return None
        self._client.update_run(found.info.run_id, status=RunStatus.RUNNING)
        return str(found.info.run_id)

    def _create_cell(self, name: str, tags: RunTags) -> str:
        return self._create(name, tags, None, {"kind": "cell"}, cell_description(name, tags))

    def _create(self, name: str, tags: RunTags, start_ms: int | None, more: Mapping[str, str], description: str) -> str:
        words = {DESCRIPTION_TAG: description} if description else {}
        run = self._client.create_run(
            self._experiment_id, start_time=start_ms or _now_ms(), tags={**tags.as_dict(), **more, **words},
            run_name=name,
        )  # fmt: skip
        return str(run.info.run_id)

    def _log(self, run_id: str, record: RunRecord) -> None:
        from mlflow.entities import Param

        params = [Param(name, value) for name, value in loggable_params(record.params).items()]
        metrics = _metrics(charted_metrics(record), record.curves, record.end_ms or _now_ms())
        self._client.log_batch(run_id, params=params, metrics=metrics[:_METRICS_PER_BATCH])
        for start in range(_METRICS_PER_BATCH, len(metrics), _METRICS_PER_BATCH):
            self._client.log_batch(run_id, metrics=metrics[start : start + _METRICS_PER_BATCH])

    def _upload(self, run_id: str, path: Path, folder: str) -> None:
        upload = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        upload(run_id, str(path), folder or None)

    def _search(self, condition: str) -> Iterator[Run]:
        return search_runs(self._client, self._experiment_id, condition)


def _files_digest(files: Sequence[Path]) -> str:
    """Return a hash of the names and contents of `files`."""
    found = hashlib.sha256()
    for path in sorted(files, key=lambda path: path.name):
        found.update(f"{path.name}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _entry_tag(entry: str | None) -> dict[str, str]:
    return {} if entry is None else {_ENTRY: entry}


def _same_values(
    found: tuple[Mapping[str, str], Mapping[str, float]], expected: tuple[Mapping[str, str], Mapping[str, float]]
) -> bool:
    """Compare params and metrics; a NaN equals a NaN."""
    metrics, others = found[1], expected[1]
    return (
        found[0] == expected[0]
        and metrics.keys() == others.keys()
        and all(value == others[name] or value != value for name, value in metrics.items())
    )


def _metrics(
    metrics: Mapping[str, float | None], curves: Mapping[str, Sequence[tuple[int, float]]], timestamp: int
) -> list[Metric]:
    from mlflow.entities import Metric

    entries = [Metric(name, value, timestamp, 0) for name, value in loggable_metrics(metrics).items()]
    for name, curve in curves.items():
        entries.extend(Metric(name, loggable(value), timestamp, step) for step, value in curve)
    return entries


def _logged(run: Run) -> LoggedRun:
    tags = dict(run.data.tags)
    return LoggedRun(
        run_id=run.info.run_id,
        name=tags.pop(_NAME, run.info.run_name),
        parent_id=tags.pop(_PARENT, None),
        status=RunStatus(run.info.status),
        tags={name: value for name, value in tags.items() if not name.startswith("mlflow.")},
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
