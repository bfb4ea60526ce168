"""Access to the store for the user: its address and the command of MLflow's web page."""

from __future__ import annotations

import contextlib
import shlex
import sqlite3
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.tracking.address import StoreAddress, local_address
from tsladder.tracking.database import count_trials, is_damage, update_paths
from tsladder.tracking.views import OURS, views

UI_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Environment variables for `ui_command`: without job runners the page starts in a quarter of the time and takes a
fifth of the memory."""

_EXPERIMENTS_WITH = """
SELECT experiments.experiment_id, name FROM experiments JOIN experiment_tags USING (experiment_id)
WHERE lifecycle_stage = 'active' AND key = ? ORDER BY experiments.experiment_id
"""


def store_uri(store: Path) -> str:
    """Return the address of the SQLite store in the folder `store`, with special characters escaped."""
    return local_address(store).uri


def ui_command(store: Path | StoreAddress, *, port: int = 5000) -> list[str]:
    """Return the plain `mlflow ui` command of the store in a folder, or of a database, for this machine alone.

    Print it with `shlex.join`; run it by ``[sys.executable, "-m", *command]`` with `ui_environment` added, which holds
    the address of a database that has a password.
    """
    address = _address(store)
    artifacts = str(address.artifacts)
    return [
        *("mlflow", "ui"),
        *(() if address.database is None else ("--backend-store-uri", address.uri)),
        *("--default-artifact-root", artifacts),
        *("--artifacts-destination", artifacts),
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--workers", "1"),
    ]


def ui_environment(address: StoreAddress) -> dict[str, str]:
    """Return the environment variables for `ui_command`."""
    return (
        UI_ENVIRONMENT if address.database is not None else UI_ENVIRONMENT | {"MLFLOW_BACKEND_STORE_URI": address.uri}
    )


def how_to_look(address: StoreAddress) -> str:
    """Return in words how a user opens the page of the store."""
    if address.is_server:
        return address.shown
    return f"tsladder ui, or {shlex.join(ui_command(address))}" if address.database is not None else "tsladder ui"


def store_notes(store: Path | StoreAddress) -> list[str]:
    """Update the paths in the store to its present folder, as everyone who opens it must, and return notes on what was
    changed.

    Raises WorkFailed where its database is damaged. A store that does not exist, or is elsewhere, has no notes.
    """
    database = _address(store).database
    if database is None or not database.exists():
        return []
    try:
        return [str(move) for move in update_paths(database)]
    except sqlite3.Error as error:
        if is_damage(error):
            raise WorkFailed(
                f"{database} cannot be read ({error}): the next stage that logs to it renames it and creates a new "
                "one; the results are in artifacts/"
            ) from None
        return [f"{database} cannot be written ({error}): where the study was moved, files of its runs are not found"]


def view_addresses(store: Path | StoreAddress, *, port: int) -> dict[str, str]:
    """Return view in words (experiment: view) -> its address once the page is up, for the experiments that have the
    views.

    Read from the database itself: importing MLflow for this takes as long as starting the page. Empty where the
    database cannot be read in this way.
    """
    database = _address(store).database
    if database is None or not database.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(_EXPERIMENTS_WITH, (OURS,)).fetchall()
        trials = {number: count_trials(database, str(number)) for number, _ in rows}
    except sqlite3.Error:
        return {}
    return {
        f"{name}: {view.name}{f' ({view.heading})' if view.heading else ''}": view.address(str(number), port)
        for number, name in rows
        for view in views(trials[number])
    }


def _address(store: Path | StoreAddress) -> StoreAddress:
    return local_address(store) if isinstance(store, Path) else store
