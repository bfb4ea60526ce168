"""How a person looks at the store: its address and the command of MLflow's web page."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tsladder.errors import WorkFailed
from tsladder.tracking.database import ARTIFACTS, DATABASE, count_trials, is_damage, tell_place
from tsladder.tracking.views import OURS, views

UI_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Set beside `ui_command`: without job runners the page is up in a quarter of the time and a fifth of the memory."""

_EXPERIMENTS_WITH = """
SELECT experiments.experiment_id, name FROM experiments JOIN experiment_tags USING (experiment_id)
WHERE lifecycle_stage = 'active' AND key = ? ORDER BY experiments.experiment_id
"""


def store_uri(store: Path) -> str:
    """Address of the SQLite store inside the folder `store`; what means something in an address is escaped."""
    path = str(store.resolve() / DATABASE)
    return f"sqlite:///{path.replace('%', '%25').replace('?', '%3F').replace('#', '%23')}"


def ui_command(store: Path, *, port: int = 5000) -> list[str]:
    """The plain `mlflow ui` command of the store, for this machine alone.

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
    """Tell the store where it is, as whoever opens it must; what is to be said of that.

    Raises WorkFailed where its database is damaged. A store that is not there has no notes.
    """
    database = store.resolve() / DATABASE
    if not database.exists():
        return []
    try:
        return [str(move) for move in tell_place(store)]
    except sqlite3.Error as error:
        if is_damage(error):
            raise WorkFailed(
                f"{database} cannot be read ({error}): the next stage that logs to it keeps it aside and begins a new "
                "one; the results are in artifacts/"
            ) from None
        return [f"{database} cannot be written ({error}): where the study was moved, files of its runs are not found"]


def view_addresses(store: Path, *, port: int) -> dict[str, str]:
    """What is seen (experiment: view) -> its address, once the page is up; of the experiments that have the views.

    Read from the database itself: importing MLflow for it takes as long as the page. None where it cannot be read.
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
