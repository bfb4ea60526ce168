"""Opening of MLflow's stores: differences between the SQLite file of this machine and a server or database elsewhere.

Everything else goes through MLflow's client, which is the same for all of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import logging
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tsladder.errors import WorkFailed
from tsladder.tracking.address import StoreAddress, local_address
from tsladder.tracking.database import (
    add_losses_by_horizon,
    count_trials,
    is_active,
    probe,
    set_aside_if_damaged,
    update_paths,
)
from tsladder.tracking.views import experiment_tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Say = Callable[[str], None]

_HTTP_LIMITS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
"""Limits of a request to a server, where the user has set none. MLflow's own let one request to a dead server take four
minutes; what failed is tried again here, later."""
_CONNECT_SECONDS = 10


class OpenStore(Protocol):
    """Way to open the store at one address, and what its client alone does not tell."""

    def open(self, experiment: str, say: Say) -> MlflowClient:
        """Return the client; `say` is called with a message on each repair. Raises whatever MLflow, its database, the
        disk or the network raises."""
        ...

    def trials_by_horizon(self, client: MlflowClient, experiment_id: str) -> dict[str, int]:
        """Return horizon -> number of its trials that are not deleted."""
        ...

    def add_losses_by_horizon(self, experiment_id: str) -> None:
        """Add to trials that an older version logged the metric by which the chart of their horizon finds them."""
        ...

    def was_deleted(self, client: MlflowClient, experiment: str) -> bool:
        """Check whether somebody has deleted the experiment; False where that cannot be found out."""
        ...


def opener_of(address: StoreAddress) -> OpenStore:
    """Return how the store at `address` is opened."""
    return RemoteStore(address) if address.database is None else LocalStore(address)


@dataclass(frozen=True, slots=True)
class LocalStore:
    """SQLite file of this machine, with the files of its runs beside it.

    Folder and schema are created at the first use, under a file lock, because two processes that create MLflow's tables
    at once corrupt them.
    """

    address: StoreAddress

    @property
    def database(self) -> Path:
        if self.address.database is None:
            raise TypeError("a store elsewhere has no file")
        return self.address.database

    def open(self, experiment: str, say: Say) -> MlflowClient:
        client_type = _import_client()
        database = self.database
        folder = database.parent
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "mlflow.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = database.exists()
            if known and (aside := set_aside_if_damaged(database)) is not None:
                say(f"{database} is damaged: it was renamed to {aside.name}, and a new one was created")
                known = False
            if known:
                probe(database)
                for move in update_paths(database):
                    say(str(move))
            else:
                _create_database(client_type, folder, database)
            client = client_type(tracking_uri=self.address.uri, registry_uri=self.address.uri)
            _ensure_experiment(client, self.address, experiment, say if known else None, say)
            return client

    def trials_by_horizon(self, client: MlflowClient, experiment_id: str) -> dict[str, int]:
        return count_trials(self.database, experiment_id)

    def add_losses_by_horizon(self, experiment_id: str) -> None:
        add_losses_by_horizon(self.database, experiment_id)

    def was_deleted(self, client: MlflowClient, experiment: str) -> bool:
        try:
            return not is_active(self.database, experiment)
        except sqlite3.Error:
            return False


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """MLflow server, or a PostgreSQL database, by MLflow's client alone."""

    address: StoreAddress

    def open(self, experiment: str, say: Say) -> MlflowClient:
        client_type = _import_client()
        uri = self.address.uri if self.address.is_server else _answering_database(self.address)
        client = client_type(tracking_uri=uri, registry_uri=uri)
        _ensure_experiment(client, self.address, experiment, None, say)
        return client

    def trials_by_horizon(self, client: MlflowClient, experiment_id: str) -> dict[str, int]:
        horizons = Counter(
            run.data.tags.get("horizon") for run in search_runs(client, experiment_id, "tags.kind = 'trial'")
        )
        return {horizon: count for horizon, count in horizons.items() if horizon is not None}

    def add_losses_by_horizon(self, experiment_id: str) -> None:
        """Nothing: no older version logged to such a store."""

    def was_deleted(self, client: MlflowClient, experiment: str) -> bool:
        with contextlib.suppress(Exception):  # it cannot be found out
            found = client.get_experiment_by_name(experiment)
            return found is None or found.lifecycle_stage == "deleted"
        return False


def search_runs(client: MlflowClient, experiment_id: str, condition: str) -> Iterator[Run]:
    """Yield the runs that are not deleted and meet `condition`, oldest first."""
    token = None
    while token != "":
        page = client.search_runs([experiment_id], condition, order_by=["attributes.start_time ASC"], page_token=token)
        yield from page
        token = page.token or ""


def _ensure_experiment(
    client: MlflowClient, address: StoreAddress, experiment: str, say_created: Say | None, say: Say
) -> None:
    found = client.get_experiment_by_name(experiment)
    if found is None:
        location = None if address.artifacts is None else address.artifacts.as_uri()
        client.create_experiment(experiment, artifact_location=location, tags=experiment_tags({}))
        if say_created is not None:
            say_created(f"MLflow had no experiment {experiment!r} in {address.shown}: it was created")
    elif found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
        say(f"MLflow's experiment {experiment!r} had been deleted: it is restored with its runs")


def _answering_database(address: StoreAddress) -> str:
    """Return the URI under which MLflow finds a database that answers, and that gives up on one that does not.

    Raises at once what MLflow tries again for a minute.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise WorkFailed("a PostgreSQL store needs the package psycopg: pip install -r requirements-server.lock")
    import sqlalchemy

    url = sqlalchemy.make_url(address.uri)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect():
        return url.render_as_string(hide_password=False)


def _import_client() -> type[MlflowClient]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    for name, limit in _HTTP_LIMITS.items():
        os.environ.setdefault(name, limit)
    from mlflow import MlflowClient

    for name in ("mlflow", "alembic"):  # importing mlflow sets these to INFO
        logging.getLogger(name).setLevel(logging.WARNING)
    # They also raise the errors that they log, with a traceback or with the address.
    for name in ("mlflow.store.db", "sqlalchemy", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return MlflowClient


def _create_database(client_type: type[MlflowClient], folder: Path, path: Path) -> None:
    """Create MLflow's tables elsewhere and move them into place as a whole: incomplete tables would stop every later
    start."""
    workshop = folder / "mlflow.new"
    shutil.rmtree(workshop, ignore_errors=True)
    workshop.mkdir()
    made_at = local_address(workshop)
    client_type(tracking_uri=made_at.uri, registry_uri=made_at.uri).search_registered_models(max_results=1)
    client_type(tracking_uri=made_at.uri, registry_uri=made_at.uri).get_experiment("0")
    finished = workshop / "finished.db"
    # A copy, because MLflow keeps connections to the one it made.
    with (
        contextlib.closing(sqlite3.connect(str(made_at.database))) as made,
        contextlib.closing(sqlite3.connect(finished)) as copy,
    ):
        made.backup(copy)
        # Write-ahead logging stays with the file: a page that is being read never blocks a trial.
        copy.execute("PRAGMA journal_mode=WAL")
    finished.replace(path)
    shutil.rmtree(workshop)
