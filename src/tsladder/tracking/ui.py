"""How a person looks at the store: its address and the command of MLflow's web page."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from tsladder.tracking.database import ARTIFACTS, DATABASE, count_trials
from tsladder.tracking.views import OURS, views

UI_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Set beside `ui_command`: without job runners the page is up in a quarter of the time and a fifth of the memory."""

_EXPERIMENTS_WITH = """
SELECT experiments.experiment_id, name FROM experiments JOIN experiment_tags USING (experiment_id)
WHERE lifecycle_stage = 'active' AND key = ? ORDER BY experiments.experiment_id
"""


def store_uri(store: Path) -> str:
    """Address of the SQLite store inside the folder `store`."""
    return f"sqlite:///{store.resolve() / DATABASE}"


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


def view_addresses(store: Path, *, port: int) -> dict[str, str]:
    """What is seen (experiment: view) -> its address, once the page is up; of the experiments that have the views.

    Read from the database itself: importing MLflow for it takes as long as the page.
    """
    database = store.resolve() / DATABASE
    if not database.exists():
        return {}
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(_EXPERIMENTS_WITH, (OURS,)).fetchall()
    return {
        f"{name}: {view.heading or view.name}": view.address(str(number), port)
        for number, name in rows
        for view in views(count_trials(database, str(number)))
    }
