"""A store of its own for each test, whose tables are there."""

import shutil

import pytest
from tests import mlflow_tables
from tests.tracking import servers


@pytest.fixture(scope="session")
def made_tables(tmp_path_factory):
    """A database of MLflow's without an experiment of tsladder's."""
    return mlflow_tables.made_once(mlflow_tables.shared_folder(tmp_path_factory))


@pytest.fixture
def store(made_tables, tmp_path):
    """The folder of a store that has its tables."""
    store = tmp_path / "mlruns"
    store.mkdir()
    shutil.copy(made_tables, store / "mlflow.db")
    return store


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL cluster of the session's own."""
    with servers.postgres_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def shared_server(postgres, tmp_path_factory):
    """An MLflow server before a PostgreSQL database, for tests that leave it running."""
    with servers.mlflow_server(postgres.create("shared"), tmp_path_factory.mktemp("server")) as server:
        yield server
