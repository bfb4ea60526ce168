"""MLflow's empty tables, made once: making them takes seconds, copying them none."""

import shutil

import pytest

from tsladder.tracking import MlflowTracker


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory):
    store = tmp_path_factory.mktemp("tables")
    MlflowTracker(store, "another study").runs()
    return store / "mlflow.db"


@pytest.fixture
def tables(made_tables, tmp_path):
    """A store in `tmp_path` that has its tables and one experiment, of another study."""
    shutil.copy(made_tables, tmp_path / "mlflow.db")
    return tmp_path
