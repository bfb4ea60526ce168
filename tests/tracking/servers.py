"""A PostgreSQL cluster and an MLflow server of a test's own, on 127.0.0.1, from the packages of this machine.

Without PostgreSQL, or psycopg, tests that need it are skipped, visibly; with TSLADDER_POSTGRES=required they fail.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

USER, PASSWORD = "student", "s3cret/of @tests"
_START_SECONDS = 90.0


def missing(what: str) -> None:
    """Skip the test that needs `what`, or fail where that is required."""
    if os.environ.get("TSLADDER_POSTGRES") == "required":
        pytest.fail(what)
    pytest.skip(what)


def program(name: str) -> str:
    """The path of a program of PostgreSQL, which Debian does not put on PATH."""
    of_debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(iter(of_debian), None)
    if found is None:
        missing(f"no {name} of PostgreSQL (on Debian or Ubuntu: apt install postgresql)")
    return str(found)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL cluster."""

    port: int

    def address(self, database: str) -> str:
        return f"postgresql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """The address of a new database."""
        import psycopg

        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.address(database)


@contextlib.contextmanager
def postgres_cluster() -> Iterator[Cluster]:
    """Start a cluster in a temporary folder; as an unprivileged user if run as root, whom PostgreSQL refuses."""
    initdb, postgres = program("initdb"), program("postgres")
    if importlib.util.find_spec("psycopg") is None:
        missing("the package psycopg is not installed (pip install -r requirements-server.lock)")
    import psycopg

    as_user = {}
    folder = Path(tempfile.mkdtemp(prefix="tsladder-postgres-"))
    if os.geteuid() == 0:
        owner = next((name for name in ("postgres", "nobody") if _has_user(name)), None)
        if owner is None:
            missing("PostgreSQL refuses root, and this machine has neither the user postgres nor nobody")
        entry = pwd.getpwnam(str(owner))
        as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    try:
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        command = [initdb, "-D", folder / "data", "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}", "-N"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **as_user)
        assert done.returncode == 0, done.stderr
        port = free_port()
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off"}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen([postgres, "-D", folder / "data", *options], cwd=folder, stderr=log, **as_user)
        try:
            cluster = Cluster(port)
            deadline = time.monotonic() + _START_SECONDS
            while True:
                try:
                    psycopg.connect(cluster.address("postgres"), connect_timeout=5).close()
                    break
                except psycopg.OperationalError:
                    assert server.poll() is None, (folder / "log").read_text()
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            yield cluster
        finally:
            # SIGINT: it waits for no client that still has a connection, as SIGTERM does.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_user(name: str) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(name))
    return False


@dataclass
class MlflowServer:
    """An `mlflow server` before a database, which a test may stop and start again at the same address."""

    database: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--artifacts-destination", str(self.folder / "artifacts")]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        environment = {
            **os.environ,
            "MLFLOW_BACKEND_STORE_URI": self.database.replace("postgresql://", "postgresql+psycopg://"),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        with (self.folder / "server.log").open("ab") as log:
            # A session of its own: the server has workers, which end with it.
            self.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, (self.folder / "server.log").read_text()
            time.sleep(0.3)

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=60)
            self.process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def mlflow_server(database: str, folder: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(database, folder, free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
