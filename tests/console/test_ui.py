"""`tsladder ui`: refusals before a server starts, and the server itself on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.studies import environment

from tsladder.cli import main
from tsladder.console.ui import HOST, refuse_port
from tsladder.errors import BadInput
from tsladder.tracking import MlflowTracker, RunRecord, RunTags
from tsladder.vocabulary import Phase


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine on which somebody listens."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.socket() as server:
        server.bind((HOST, 0))
        return int(server.getsockname()[1])


def test_a_port_that_is_taken_is_one_message_with_another_one(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ui", "--port", str(taken)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("tsladder:") == 1
    assert f"port {taken}" in err
    other = int(err.rpartition("--port ")[2])
    assert other != taken
    refuse_port(other)


def test_a_port_taken_on_every_address_of_the_machine_is_taken_here_too() -> None:
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))  # noqa: S104
        server.listen()
        with pytest.raises(BadInput):
            refuse_port(server.getsockname()[1])


def test_a_server_that_has_just_ended_does_not_block_its_port() -> None:
    """The kernel remembers its connections for a minute. Servers ask for their port in this way."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            client.recv(1)
    with socket.socket() as plain, pytest.raises(OSError, match="in use"):
        plain.bind((HOST, port))
    refuse_port(port)


@pytest.mark.parametrize("port", [0, -1, 65_536, 10**9])
def test_a_port_that_is_none_is_refused(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["ui", f"--port={port}"]) == 2
    assert "between 1 and 65535" in capsys.readouterr().err


def test_before_anything_was_tracked_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    assert main(["ui", "--port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert said.count("tsladder:") == 1
    assert "tsladder run" in said
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_is_damaged_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").write_bytes(b"no database " * 100)
    assert main(["ui", "--port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert said.count("tsladder:") == 1
    assert "mlflow.db" in said


@pytest.mark.slow
def test_the_page_answers_on_loopback_and_on_no_other_address(tmp_path: Path) -> None:
    tags = RunTags(
        budget="2M", horizon="1", model="patchtst", tier="a25", task="t", phase=Phase.SEARCH, study_key="k" * 64
    )
    MlflowTracker(tmp_path / "mlruns", "page").log_run(RunRecord(name="2M-h1", tags=tags))
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tsladder.cli", "ui", "--port", str(port)],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
    )
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.3)
        with pytest.raises(BadInput, match=str(port)):
            refuse_port(port)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=5).close()
    finally:
        process.terminate()
        process.wait(timeout=30)
    refuse_port(port)
