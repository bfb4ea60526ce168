"""Ray clusters on loopback for tests: a head and further nodes, each a group of processes that can be killed."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
REQUIRED = os.environ.get("TSLADDER_RAY") == "required"

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None and not REQUIRED, reason="Ray is not installed: pip install -r requirements-ray.lock"
)

TOKEN = secrets.token_hex(32)
"""One for all clusters of this process: Ray reads it once."""

STARTED_SECONDS = 120.0

JOIN = """
import sys, time
from ray._private.node import Node
from ray._private.parameter import RayParams
address, cores = sys.argv[1:]
parameters = RayParams(
    gcs_address=address, node_ip_address="127.0.0.1", num_cpus=int(cores), num_gpus=0, node_manager_port=0,
    object_store_memory=100 * 1024 * 1024, min_worker_port=0, max_worker_port=0, include_log_monitor=False,
    dashboard_agent_listen_port=None,
)
node = Node(parameters, head=False, shutdown_at_exit=True, spawn_reaper=False)
print("Ray runtime started", flush=True)
while True:
    time.sleep(60)
"""
"""Join a cluster on loopback addresses, where `ray start` refuses a second node, as `ray.cluster_utils` does."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class RayNodes:
    """A cluster of this machine. `start` adds a node of `cores` cores, the first one is the head; where the head was
    killed, `start` with `head` starts one at the same address."""

    port: int = field(default_factory=free_port)
    token: str = TOKEN
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ray")
        self._of_heads: list[tempfile.TemporaryDirectory[str]] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_memory_monitor_refresh_ms": "0",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "TMPDIR": self._folder.name,
        }

    def start(self, *, cores: int, environment: dict[str, str] | None = None, head: bool = False) -> int:
        """Start a node, and return its number when it has joined."""
        # Ray refuses a head where the folder of an earlier one names the address that a node still uses.
        own = tempfile.TemporaryDirectory(prefix="ray")
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--port", str(self.port), "--block"]
        command += ["--include-dashboard=false", "--num-cpus", str(cores), "--num-gpus", "0"]
        command += ["--node-ip-address", "127.0.0.1", "--object-store-memory", str(100 * 1024 * 1024)]
        command += ["--temp-dir", own.name]
        self._of_heads.append(own)
        if self.nodes and not head:
            command = [sys.executable, "-c", JOIN, self.address, str(cores)]
        node = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": self._python_path(), **self.environment, **(environment or {})},
            stdout=(Path(self._folder.name) / f"node-{len(self.nodes)}.log").open("wb"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.nodes.append(node)
        deadline = time.monotonic() + STARTED_SECONDS
        log = Path(self._folder.name) / f"node-{len(self.nodes) - 1}.log"
        while b"Ray runtime started" not in log.read_bytes():
            assert node.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        return len(self.nodes) - 1

    def kill(self, number: int) -> None:
        """Kill a node with all its processes, as a loss of power does."""
        node = self.nodes[number]
        family = psutil.Process(node.pid).children(recursive=True) if node.poll() is None else []
        for process in [*family, node]:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        node.wait()

    def processes(self) -> list[psutil.Process]:
        """Return the processes of all nodes."""
        alive = [psutil.Process(node.pid) for node in self.nodes if node.poll() is None]
        return [process for node in alive for process in (node, *node.children(recursive=True))]

    def close(self) -> None:
        for number in reversed(range(len(self.nodes))):
            self.kill(number)
        for folder in (self._folder, *self._of_heads):
            folder.cleanup()

    def _python_path(self) -> str:
        return os.pathsep.join([str(ROOT / "src"), str(ROOT), *filter(None, sys.path)])
