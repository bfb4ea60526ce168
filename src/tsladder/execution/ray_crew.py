"""Places on the nodes of a Ray cluster; the only module that imports Ray.

Ray finds nodes, starts one actor for each place and carries its messages. It starts nothing else and keeps nothing: the
driver alone writes files. Whoever may connect to a Ray cluster may run any code there, so beyond this machine's own
loopback addresses a token is required.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsladder.errors import BadInput, WorkFailed
from tsladder.execution.parcels import Parcel
from tsladder.execution.place import DRIVER_SECONDS, Place
from tsladder.execution.place_messages import Answer, Command, Hold, PlaceDescription
from tsladder.execution.place_survey import code_fingerprint, describe_machine, versions
from tsladder.execution.remote_crew import RemoteCrew
from tsladder.execution.supervisor import start_fork_server
from tsladder.execution.thermometer import thermometer_for
from tsladder.params import HardwareParams
from tsladder.planning.machine import usable_cores

INSTALL = "pip install -r requirements-ray.lock"

_ALWAYS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # A place judges the memory of its workers itself.
    "RAY_memory_monitor_refresh_ms": "0",
    # Whether to train is decided by patience, not by Ray, which would abort this process.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "604800",
}
_ONE_MACHINE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Environment variable that confines every process of Ray to loopback addresses."""

_CONNECT_SECONDS = 5.0
_HEAD_SECONDS = 1.0
_LEAVE_SECONDS = 10.0
_NODES_SECONDS = 2.0
_NODES_KNOWN_SECONDS = 8.0
_AGAIN_SECONDS = 10.0
_LONGEST_AGAIN_SECONDS = 300.0
_OBJECT_STORE_BYTES = 512 * 1024 * 1024


class PlaceGone(Exception):
    """A place that does not answer any more; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spot:
    """Resources of a node for one place."""

    name: str
    node: str
    cores: int
    gpus: int


def open_ray_crew(
    hardware: HardwareParams, calibration: Path, say: Callable[[str], None], *, panel: bool = False
) -> RemoteCrew:
    """Connect to the Ray of `hardware.address`, or start one on this machine, and return the crew of its places.

    `calibration`: file of this machine's calibration, used by the places on it. `panel`: the jobs train models of a
    panel. Raises BadInput where Ray is not
    installed, nothing answers at the address, or it may not be used without a token.
    """
    fleet = RayFleet(hardware, calibration.read_bytes() if calibration.is_file() else None, panel=panel)
    return RemoteCrew(fleet, code=code_fingerprint(), versions=versions(), patience=hardware.patience, say=say)


class RayFleet:
    """Places of the Ray cluster at `hardware.address`, or of one that is started on this machine, for jobs of a series
    or of a panel."""

    def __init__(self, hardware: HardwareParams, calibration: bytes | None, *, panel: bool = False) -> None:
        self._hardware = hardware
        self._panel = panel
        self._calibration = calibration
        self._links: dict[str, _RayLink] = {}
        self._not_before: dict[str, tuple[float, float]] = {}
        self._parcels: dict[str, Any] = {}
        self._ray = connected(hardware)
        self._nodes, self._nodes_at = self._alive(), time.monotonic()
        self._closed = threading.Event()
        # Without its head Ray does not answer for as long as it may reconnect, so it is asked beside the driver's work.
        threading.Thread(target=self._look_for_nodes, daemon=True).start()
        self._actor = self._ray.remote(concurrency_groups={"wake": 1})(RayPlace)

    @property
    def where(self) -> str:
        return self._hardware.address or "the Ray of this machine"

    @property
    def how_to_start(self) -> str:
        if self._hardware.address is None:
            return "see what `tsladder places` says"
        address = self._hardware.address
        port = _split(address)[1]
        return (
            f"start nodes with `ray start --address {address}`, after `ray start --head --port {port}` if that is gone"
        )

    def look(self) -> Sequence[_RayLink]:
        found = []
        for spot in self._spots():
            _, not_before = self._not_before.get(spot.name, (0.0, 0.0))
            if spot.name not in self._links and time.monotonic() >= not_before:
                link = self._links[spot.name] = self._started(spot)
                found.append(link)
        return found

    def stored(self, parcel: Parcel) -> Any:
        """Return Ray's reference of a parcel, which is stored once and fetched once by every node."""
        if parcel.key not in self._parcels:
            self._parcels[parcel.key] = self._ray.put(parcel)
        return self._parcels[parcel.key]

    def forget(self, key: str) -> None:
        self._parcels.pop(key, None)

    def ended(self, link: _RayLink, *, useful: bool) -> None:
        """Let a place be started again where `link` was, after a while, which is longer each time it was of no use."""
        if self._links.get(link.name) is link:
            del self._links[link.name]
        last, _ = self._not_before.get(link.name, (0.0, 0.0))
        pause = _AGAIN_SECONDS if useful else min(_LONGEST_AGAIN_SECONDS, max(_AGAIN_SECONDS, 2.0 * last))
        self._not_before[link.name] = pause, time.monotonic() + pause

    def close(self) -> None:
        """Leave the cluster, or end the one of this machine. Where its head is gone that is not waited for."""
        self._closed.set()
        self._parcels.clear()
        atexit.unregister(self._ray.shutdown)
        leaving = threading.Thread(target=self._ray.shutdown, daemon=True)
        leaving.start()
        leaving.join(_LEAVE_SECONDS)

    def _started(self, spot: _Spot) -> _RayLink:
        strategies = importlib.import_module("ray.util.scheduling_strategies")
        actor = self._actor.options(
            num_cpus=spot.cores,
            num_gpus=spot.gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node_id=spot.node, soft=False),
        ).remote(self._hardware, self._calibration, spot.cores, panel=self._panel, driver_seconds=DRIVER_SECONDS)
        return _RayLink(self, spot.name, actor, self._ray)

    def _spots(self) -> Iterator[_Spot]:
        """Yield the places that the nodes have room for: one for each GPU, or one for the cores of a node.

        There are none where the head has not answered for a while: starting one would wait for it.
        """
        if time.monotonic() - self._nodes_at > _NODES_KNOWN_SECONDS:
            return
        for node in self._nodes:
            resources = node["Resources"]
            cores = int(resources.get("CPU", 0))
            gpus = int(resources.get("GPU", 0)) if self._hardware.device in ("auto", "cuda") else 0
            name = f"{node['NodeManagerHostname']}-{node['NodeID'][:6]}"
            if gpus:
                each = cores // gpus
                for number in range(gpus):
                    yield _Spot(name=f"{name}/gpu{number}", node=node["NodeID"], cores=each, gpus=1)
            elif cores and self._hardware.device != "cuda":
                yield _Spot(name=name, node=node["NodeID"], cores=cores, gpus=0)

    def _look_for_nodes(self) -> None:
        while not self._closed.wait(_NODES_SECONDS):
            self._nodes, self._nodes_at = self._alive(), time.monotonic()

    def _alive(self) -> list[dict[str, Any]]:
        """Return the nodes that are alive; none where the head does not answer, for which the crew has patience."""
        try:
            return [node for node in self._ray.nodes() if node["Alive"]]
        except (self._ray.exceptions.RayError, OSError, RuntimeError):
            return []


class _RayLink:
    """Link to the actor of a place."""

    def __init__(self, fleet: RayFleet, name: str, actor: Any, ray: Any) -> None:
        self._fleet, self._name, self._actor, self._ray = fleet, name, actor, ray
        self._wake = actor.wake.options(concurrency_group="wake")
        self._useful = False

    @property
    def name(self) -> str:
        return self._name

    def describe(self) -> Future[PlaceDescription]:
        return self._answer(self._actor.describe.remote())

    def step(self, commands: Sequence[Command], timeout: float) -> Future[Answer]:
        """Call `step`. A parcel is an argument of its own, so that Ray fetches what it has stored of it."""
        self._useful = True
        parcels = [self._fleet.stored(command.parcel) for command in commands if isinstance(command, Hold)]
        sent = [None if isinstance(command, Hold) else command for command in commands]
        return self._answer(self._actor.step.remote(sent, timeout, *parcels))

    def wake(self) -> None:
        self._wake.remote()

    def end(self) -> None:
        self._fleet.ended(self, useful=self._useful)
        threading.Thread(target=self._kill, daemon=True).start()

    def _kill(self) -> None:
        """Have Ray kill the actor, which takes until its head answers."""
        with contextlib.suppress(self._ray.exceptions.RayError, OSError, RuntimeError):
            self._ray.kill(self._actor, no_restart=True)

    def _answer(self, reference: Any) -> Future[Any]:
        """Return the future of a call, which raises PlaceGone, or the refusal that the place raised itself."""
        answer: Future[Any] = Future()

        def on_done(done: Future[Any]) -> None:
            error = done.exception()
            if error is None:
                answer.set_result(done.result())
            else:
                answer.set_exception(_in_words(error))

        reference.future().add_done_callback(on_done)
        return answer


class RayPlace:
    """Actor of one place with `cores` cores, which ends when no driver has called for `driver_seconds`."""

    def __init__(
        self, hardware: HardwareParams, calibration: bytes | None, cores: int, *, panel: bool, driver_seconds: float
    ) -> None:
        _forget_main()
        start_fork_server(panel=panel)
        self._hardware, self._calibration, self._cores = hardware, calibration, cores
        # Where the head was lost, nobody else ends this process, which holds the memory of its libraries.
        self._place = Place(
            self._described,
            thermometer=thermometer_for,
            driver_seconds=driver_seconds,
            abandoned=lambda: os._exit(0),
        )

    def describe(self) -> PlaceDescription:
        return self._place.describe()

    def step(self, commands: Sequence[Command | None], timeout: float, *parcels: Parcel) -> Answer:
        left = iter(parcels)
        return self._place.step([command or Hold(parcel=next(left)) for command in commands], timeout)

    def wake(self) -> None:
        self._place.wake()

    def _described(self) -> PlaceDescription:
        with self._place.as_file("calibration.json", self._calibration) as path:
            return describe_machine(self._hardware, path, cores=self._cores)


def connected(hardware: HardwareParams) -> Any:
    """Connect this process to Ray, and return the module. Raises BadInput as `open_ray_crew` does."""
    if importlib.util.find_spec("ray") is None:
        raise BadInput(
            f"hardware.executor is ray, and Ray is not installed here: {INSTALL}, or set hardware.executor to local"
        )
    address = hardware.address
    if address is not None:
        check_address(address)
    else:
        # Nobody else on this machine may connect: whoever does may run code as this user.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        if not _has_token():
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ.update(_ALWAYS)
    if address is None or is_loopback(_split(address)[0]):
        os.environ.update(_ONE_MACHINE)
    ray = importlib.import_module("ray")
    with _own_signals():
        try:
            ray.init(**_settings(hardware), logging_level=logging.ERROR, log_to_driver=False)
        except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
            words = str(error).strip().splitlines() or [type(error).__name__]
            if address is None:
                raise WorkFailed(f"no Ray could be started on this machine: {words[0]}") from None
            raise BadInput(
                f"Ray at {address} (hardware.address) did not let this process join: {words[0]}; its nodes must have "
                "the token of this process (RAY_AUTH_TOKEN) and the same versions of Ray and Python"
            ) from None
    return ray


def _settings(hardware: HardwareParams) -> dict[str, Any]:
    """Return the arguments of ray.init."""
    if hardware.address is not None:
        return {"address": hardware.address}
    own = {"num_gpus": 0} if hardware.device == "cpu" else {}
    return {
        "num_cpus": usable_cores(),
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
        **own,
    }


def check_address(address: str) -> None:
    """Raise BadInput where `address` is none, nothing answers there, or no token is set for an address that others can
    reach."""
    host, port = _split(address)
    if not is_loopback(host) and not (os.environ.get("RAY_AUTH_MODE") == "token" and _has_token()):
        raise BadInput(
            f"hardware.address {address} can be reached by others, and whoever connects to Ray may run any code there: "
            "start every node and this command with RAY_AUTH_MODE=token and one token in RAY_AUTH_TOKEN or in the file "
            "RAY_AUTH_TOKEN_PATH (docs/howto/cluster.md)"
        )
    error = _connection_error(host, port)
    if error is not None:
        raise BadInput(
            f"nothing answers at hardware.address {address} ({error}): start Ray there with `ray start --head "
            f"--port {port}`, or set hardware.address to null for a Ray of this machine"
        )


def wait_for_head(address: str, patience: float) -> None:
    """Wait until the head of a cluster that was there before answers at `address` again. Raises WorkFailed where
    it does not within `patience` seconds."""
    host, port = _split(address)
    deadline = time.monotonic() + patience
    while (error := _connection_error(host, port)) is not None:
        if time.monotonic() >= deadline:
            raise WorkFailed(
                f"the head of the Ray cluster at {address} (hardware.address) was lost and has not answered for "
                f"{patience:.0f} s (hardware.patience; {error}): start it with `ray start --head --port {port}`, and "
                "its nodes, then run the same command again; nothing that had ended is lost"
            )
        time.sleep(_HEAD_SECONDS)


def _connection_error(host: str, port: int) -> OSError | None:
    """Return why nobody can connect to a port; None where it answers."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        return error
    return None


def is_loopback(host: str) -> bool:
    """Check whether `host` is a loopback address, or the name that stands for one."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or "/" in host:
        raise BadInput(
            f"hardware.address must be HOST:PORT of the head of a Ray cluster, or null; got {address!r} in params.yaml"
        )
    return host.strip("[]"), int(port)


def _has_token() -> bool:
    """Check whether a token is set in one of the places where Ray looks for it."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return (Path(named) if named else Path.home() / ".ray" / "auth_token").is_file()


def _in_words(error: BaseException) -> BaseException:
    """Return an exception of Ray as one of ours, whose message is one line."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BadInput | WorkFailed):
        return cause
    if isinstance(cause, BaseException):
        return PlaceGone(f"{type(cause).__name__}: {cause}".splitlines()[0])
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith(("The actor is dead because", "The node"))), None)
    words = told or (lines[0] if lines else type(error).__name__)
    return PlaceGone(words.split(". ")[0].removesuffix("."))


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep the handlers of Ctrl-C and SIGTERM, which Ray replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_main() -> None:
    """Forget the script of this process, which is Ray's own; every worker that is forked would run it first."""
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        del main.__file__
    main.__spec__ = None
