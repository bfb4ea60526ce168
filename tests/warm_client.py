"""The `python` that DVC finds where a test runs its programs warm (tests/warm_python.py): it has the server fork them.

Started for each stage, so it imports little and lies beside nothing of tests that it would need.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence

SOCKET = "TESTS_WARM_PYTHON"
"""Environment variable with the path of the server's socket."""


def ask(
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    started: Callable[[int], None] = lambda _pid: None,
) -> int:
    """Have the server run `python ARGUMENTS` on three streams and return the exit code: negative for a signal.

    `started` is told the number of the process.
    """
    request = json.dumps([list(arguments), folder, dict(environment)]).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(environment[SOCKET])
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))
        connection.sendmsg([len(request).to_bytes(8, "big")], [rights])
        connection.sendall(request)
        pid = connection.recv(8)
        if pid:
            started(int(pid))
        answer = connection.recv(8)
    if not answer:
        raise RuntimeError(f"the server of warm programs ended before {arguments} did")
    return int(answer)


def _pass_signals_on(pid: int) -> None:
    """Pass a wish to stop on to process `pid`, which is of another process group."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: os.kill(pid, received))


def main(arguments: Sequence[str]) -> int:
    """Run a stage's script in a fork of the server and everything else in an interpreter of its own."""
    if not arguments or not arguments[0].endswith(".py"):
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - there is no shell to be had
    code = ask(arguments, os.getcwd(), os.environ, [0, 1, 2], _pass_signals_on)  # noqa: PTH109 - pathlib would take longer to import
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
