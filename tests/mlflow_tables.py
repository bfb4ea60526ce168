"""MLflow's empty tables, made once a session: making them takes seconds, copying them none."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tsladder.tracking import stores
from tsladder.tracking.address import DATABASE

_make = stores._create_database


def made_once(shared: Path) -> Path:
    """A database without an experiment of tsladder's, in `shared`, which all processes of the session share."""
    path = shared / "tables" / DATABASE
    path.parent.mkdir(exist_ok=True)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _make(stores._import_client(), path.parent, path)
    return path


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session's temporary folder, the same one for all processes of pytest-xdist."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def make_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let stores that are made in this process make their tables, as outside of tests."""
    monkeypatch.setattr(stores, "_create_database", _make)


def copy_tables(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    """Let stores that are made in this process copy their tables."""
    monkeypatch.setattr(
        stores, "_create_database", lambda _client, _store, path: shutil.copyfile(made_once(shared), path)
    )
