"""MLflow's empty tables, made once: making them takes seconds, copying them none."""

import contextlib
import shutil
import sqlite3

import pytest

from tsladder.tracking import MlflowTracker


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory):
    """A database of MLflow's without an experiment of tsladder's."""
    folder = tmp_path_factory.mktemp("tables")
    MlflowTracker(folder, "study").runs()
    copy = folder / "tables.db"
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db", isolation_level=None)) as made:
        made.execute("VACUUM INTO ?", (str(copy),))
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("DELETE FROM experiment_tags")
        database.execute("DELETE FROM experiments WHERE name = 'study'")
        database.execute("PRAGMA journal_mode=WAL")
    return copy


@pytest.fixture
def store(made_tables, tmp_path):
    """The folder of a store that has its tables."""
    store = tmp_path / "mlruns"
    store.mkdir()
    shutil.copy(made_tables, store / "mlflow.db")
    return store
