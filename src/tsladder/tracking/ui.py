"""How a person looks at the store: its address and the command of MLflow's web page."""

from __future__ import annotations

from pathlib import Path

UI_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Set beside `ui_command`: without job runners the page is up in a quarter of the time and a fifth of the memory."""


def store_uri(store: Path) -> str:
    """Address of the SQLite store inside the folder `store`."""
    return f"sqlite:///{store.resolve() / 'mlflow.db'}"


def ui_command(store: Path, *, port: int = 5000) -> list[str]:
    """The plain `mlflow ui` command of the store, for this machine alone.

    Print it with `shlex.join`; run it by ``[sys.executable, "-m", *command]`` with `UI_ENVIRONMENT` added.
    """
    artifacts = str(store.resolve() / "artifacts")
    return [
        *("mlflow", "ui"),
        *("--backend-store-uri", store_uri(store)),
        *("--default-artifact-root", artifacts),
        *("--artifacts-destination", artifacts),
        *("--host", "127.0.0.1"),
        *("--port", str(port)),
        *("--workers", "1"),
    ]
