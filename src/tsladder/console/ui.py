"""Start MLflow's UI on 127.0.0.1, for `tsladder ui`."""

from __future__ import annotations

import os
import shlex
import socket
import sys

from tsladder.errors import BadInput, WorkFailed
from tsladder.messages import print_message
from tsladder.places import Places
from tsladder.tracking import address_of, store_notes, ui_command, ui_environment, view_addresses

HOST = "127.0.0.1"
_PORTS = range(1, 65_536)


def open_ui(places: Places, port: int) -> None:
    """Replace this process by the server; or print the address where MLFLOW_TRACKING_URI names a server, which has a
    page of its own. Raises BadInput for a port that is invalid or taken, and WorkFailed where nothing has been tracked
    yet or the store is damaged."""
    address = address_of(places.mlruns, os.environ)
    if address.is_server:
        print(address.shown)
        return
    refuse_port(port)
    if address.database is not None and not address.database.exists():
        raise WorkFailed(
            f"{address.database} is missing: no run has been tracked here yet; start a study with `tsladder run`"
        )
    for note in store_notes(address):
        print_message(note)
    command = ui_command(address, port=port)
    print(shlex.join(command), file=sys.stderr, flush=True)
    if address.database is None:
        print(f"MLflow's page of {address.shown}: http://{HOST}:{port}", file=sys.stderr, flush=True)
    for name, view in view_addresses(address, port=port).items():
        print(f"{name}: {view}", file=sys.stderr, flush=True)
    # Replaces this process, so that ending it ends the server. `mlflow` is that of this environment, even if
    # the environment is not activated.
    os.execve(sys.executable, [sys.executable, "-m", *command], {**os.environ, **ui_environment(address)})  # noqa: S606


def refuse_port(port: int) -> None:
    """Raise BadInput where no server can listen on `port` of this machine."""
    if port not in _PORTS:
        raise BadInput(f"--port must be between {_PORTS[0]} and {_PORTS[-1]}, got {port}")
    with socket.socket() as probe:
        # As servers do, so that closed connections in TIME_WAIT do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BadInput(
                f"port {port} of {HOST} is not available ({error.strerror}): another server uses it, perhaps another "
                f"`tsladder ui`; choose one that is free, for example tsladder ui --port {_free_port()}"
            ) from None


def _free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind((HOST, 0))
        return int(any_port.getsockname()[1])
