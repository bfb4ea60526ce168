"""MLflow store behind the `Tracker` protocol: an SQLite database and artifacts in one local folder."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsladder.errors import WorkFailed
from tsladder.tracking.database import (
    ARTIFACTS,
    DATABASE,
    add_losses_by_horizon,
    count_trials,
    is_active,
    probe,
    set_aside_if_damaged,
    update_paths,
)
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
from tsladder.tracking.ui import store_uri
from tsladder.tracking.views import SIZE, experiment_tags, outdated_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Metric, Run

_NAME = "mlflow.runName"
_PARENT = "mlflow.parentRunId"
_METRICS_PER_BATCH = 1000


class MlflowStore:
    """Runs of one experiment (the study's name) in ``<store>/mlflow.db``, files in ``<store>/artifacts``.

    Uses MLflow's client, never its fluent API: no state is shared between stores, and one run costs three short
    transactions. Folder and schema are created at the first use, under a file lock, because two processes that create
    MLflow's tables at once corrupt them. `say` is called with a message on each repair made when the store was opened.
    Every failure of MLflow is raised: the copy that may fail is in `tsladder.tracking.tracker`.
    """

    def __init__(self, store: Path, experiment: str, say: Callable[[str], None]) -> None:
        self.store = store.resolve()
        self.experiment = experiment
        self._say = say

    def cell_run(self, name: str, tags: RunTags) -> str:
        found = self._reopen(name, tags)
        if found is not None:
            return found
        return self._create(name, tags, None, {"kind": "cell"}, cell_description(name, tags))

    def close_orphans(self, parent_id: str) -> int:
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

    def log_run(self, record: RunRecord) -> str:
        parent = {} if record.parent_id is None else {_PARENT: record.parent_id}
        more = {"kind": record.tags.kind, **record.extra_tags, **parent}
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

    def register_law(self, record: Mapping[str, Any], files: Sequence[Path], tags: RunTags) -> str:
        params, metrics = law_summary(record)
        run_id = self._create(LAW_NAME, tags, None, {"kind": "law"}, law_description(record))
        try:
            self._log(run_id, RunRecord(name=LAW_NAME, tags=tags, params=params, metrics=metrics))
            for path in files:
                self._upload(run_id, path, "")
            origin = {"experiment": self.experiment, "study_key": tags.study_key}
            register(self._client, store_uri(self.store), record, run_id=run_id, origin=origin)
        except BaseException as error:
            stopped = isinstance(error, KeyboardInterrupt)
            self._client.set_terminated(run_id, status=RunStatus.KILLED if stopped else RunStatus.FAILED)
            raise
        self._client.set_terminated(run_id, status=RunStatus.FINISHED)
        return run_id

    def log_comparison(self, files: Sequence[Path], tags: RunTags, description: str) -> str:
        run_id = self._reopen(COMPARISON_NAME, tags)
        if run_id is None:
            run_id = self._create(COMPARISON_NAME, tags, None, {"kind": "comparison"}, description)
        else:
            self._client.set_tag(run_id, DESCRIPTION_TAG, description)
        for path in files:
            self._upload(run_id, path, "")
        self._client.set_terminated(run_id, status=RunStatus.FINISHED)
        return run_id

    def runs(self, parent_id: str | None = None) -> tuple[LoggedRun, ...]:
        condition = "" if parent_id is None else f"tags.`{_PARENT}` = '{parent_id}'"
        return tuple(_logged(run) for run in self._search(condition))

    def was_deleted(self) -> bool:
        """Check whether somebody has deleted the experiment."""
        try:
            return not is_active(self.store / DATABASE, self.experiment)
        except sqlite3.Error:
            return False

    @cached_property
    def _client(self) -> MlflowClient:
        client_type = _import_client()
        self.store.mkdir(parents=True, exist_ok=True)
        with (self.store / "mlflow.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            database = self.store / DATABASE
            known = database.exists()
            if known and (aside := set_aside_if_damaged(database)) is not None:
                self._say(f"{database} is damaged: it was renamed to {aside.name}, and a new one was created")
                known = False
            if known:
                probe(database)
                for move in update_paths(self.store):
                    self._say(str(move))
            else:
                _create_database(client_type, self.store, database)
            client = client_type(tracking_uri=store_uri(self.store), registry_uri=store_uri(self.store))
            experiment = client.get_experiment_by_name(self.experiment)
            if experiment is None:
                location = (self.store / ARTIFACTS).as_uri()
                client.create_experiment(self.experiment, artifact_location=location, tags=experiment_tags({}))
                if known:
                    self._say(f"MLflow had no experiment {self.experiment!r} in {database}: it was created")
            else:
                if experiment.lifecycle_stage == "deleted":
                    client.restore_experiment(experiment.experiment_id)
                    self._say(f"MLflow's experiment {self.experiment!r} had been deleted: it is restored with its runs")
                self._bring_views_up_to_date(client, experiment)
            return client

    @cached_property
    def _experiment_id(self) -> str:
        experiment = self._client.get_experiment_by_name(self.experiment)
        if experiment is None:
            raise WorkFailed(f"the MLflow experiment {self.experiment!r} was removed from {self.store} while in use")
        return str(experiment.experiment_id)

    def _show_views(self) -> None:
        """Bring the saved views up to date with the trials that exist by now."""
        self._bring_views_up_to_date(self._client, self._client.get_experiment(self._experiment_id))

    def _bring_views_up_to_date(self, client: MlflowClient, experiment: Experiment) -> None:
        database, number = self.store / DATABASE, experiment.experiment_id
        trials = count_trials(database, number)
        if any(loss_of_horizon(horizon) not in experiment.tags.get(SIZE, "") for horizon in trials):
            add_losses_by_horizon(database, number)
        for name, value in outdated_tags(experiment.tags, trials).items():
            client.set_experiment_tag(number, name, value)

    def _reopen(self, name: str, tags: RunTags) -> str | None:
        """Find the run of this name and study at the top level of the experiment, and set it to RUNNING; None where
        there is none."""
        for run in self._search(f"attributes.run_name = '{name}' AND tags.study_key = '{tags.study_key}'"):
            if _PARENT not in run.data.tags:
                self._client.update_run(run.info.run_id, status=RunStatus.RUNNING)
                return str(run.info.run_id)
        return None

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
        token = None
        while token != "":
            page = self._client.search_runs(
                [self._experiment_id], condition, order_by=["attributes.start_time ASC"], page_token=token
            )
            yield from page
            token = page.token or ""


def _import_client() -> type[MlflowClient]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):  # importing mlflow sets these to INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("mlflow.store.db", "sqlalchemy"):  # they also raise the errors that they log with a traceback
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return MlflowClient


def _create_database(client_type: type[MlflowClient], store: Path, path: Path) -> None:
    """Create MLflow's tables elsewhere and move them into place as a whole: incomplete tables would stop every later
    start."""
    workshop = store / "mlflow.new"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    uri = store_uri(workshop)
    client_type(tracking_uri=uri, registry_uri=uri).search_registered_models(max_results=1)
    client_type(tracking_uri=uri, registry_uri=uri).get_experiment("0")
    finished = workshop / "finished.db"
    # A copy, because MLflow keeps connections to the one it made.
    with (
        contextlib.closing(sqlite3.connect(workshop / path.name)) as made,
        contextlib.closing(sqlite3.connect(finished)) as copy,
    ):
        made.backup(copy)
        # Write-ahead logging stays with the file: a page that is being read never blocks a trial.
        copy.execute("PRAGMA journal_mode=WAL")
    finished.replace(path)
    shutil.rmtree(workshop)


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
