"""Access to the store for the user: its address and the command of MLflow's web page."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.tracking.database import ARTIFACTS, DATABASE, count_trials, is_damage, update_paths
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
    path = str(store.resolve() / DATABASE)
    return f"sqlite:///{path.replace('%', '%25').replace('?', '%3F').replace('#', '%23')}"


def ui_command(store: Path, *, port: int = 5000) -> list[str]:
    """Return the plain `mlflow ui` command of the store, for this machine alone.

    Print it with `shlex.join`; run it by ``[sys.executable, "-m", *command]`` with `UI_ENVIRONMENT` added.
    """
    artifacts = str(store.resolve() / ARTIFACTS)
    return [
        *("mlflow", "ui"),
        *("--backend-store-uri", store_uri(store)),
        *("--default-artifact-root", artifacts),
        *("--artifacts-destination", artifacts),
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--workers", "1"),
    ]


def store_notes(store: Path) -> list[str]:
    """Update the paths in the store to its present folder, as everyone who opens it must, and return notes on what was
    changed.

    Raises WorkFailed where its database is damaged. A store that does not exist has no notes.
    """
    database = store.resolve() / DATABASE
    if not database.exists():
        return []
    try:
        return [str(move) for move in update_paths(store)]
    except sqlite3.Error as error:
        if is_damage(error):
            raise WorkFailed(
                f"{database} cannot be read ({error}): the next stage that logs to it renames it and creates a new "
                "one; the results are in artifacts/"
            ) from None
        return [f"{database} cannot be written ({error}): where the study was moved, files of its runs are not found"]


def view_addresses(store: Path, *, port: int) -> dict[str, str]:
    """Return view in words (experiment: view) -> its address once the page is up, for the experiments that have the
    views.

    Read from the database itself: importing MLflow for this takes as long as starting the page. Empty where the
    database cannot be read.
    """
    database = store.resolve() / DATABASE
    if not database.exists():
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
