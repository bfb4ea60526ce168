"""The `python` of programs that run warm (tests/warm_python.py): it has the server fork what it is asked to run.

It stands for the program: it passes SIGINT and SIGTERM on to it, ends as it ends, and takes it along when it is killed.
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
MODULES_TOO = "TESTS_WARM_MODULES"
"""Environment variable of programs whose DVC and modules of tsladder are warm, too, and not their stages alone."""


def ask(
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    started: Callable[[int], None] = lambda _pid: None,
    *,
    own_group: bool = False,
) -> int:
    """Have the server run `python ARGUMENTS` on three streams and return the exit code: negative for a signal.

    What it starts by `sys.executable` is asked for here again if its modules are to be warm, too. `started` is told
    the number of the process, which leads a process group if it has its `own_group`.
    """
    executable = f"{environment[SOCKET].rpartition('/')[0]}/bin/python" if MODULES_TOO in environment else None
    request = json.dumps([list(arguments), folder, dict(environment), own_group, executable]).encode()
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


def _pass_signals_on(group: int) -> None:
    """Pass a wish to stop on to the program and what it has started, as a signal to this process group would reach
    them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: os.killpg(group, received))


def _is_warm(arguments: Sequence[str]) -> bool:
    if not arguments:
        return False
    if arguments[0] != "-m":
        return arguments[0].endswith(".py")
    return MODULES_TOO in os.environ and arguments[1].partition(".")[0] in ("dvc", "tsladder")


def main(arguments: Sequence[str]) -> int:
    """Run a script, or such a module, in a fork of the server and everything else in an interpreter of its own."""
    if not _is_warm(arguments):
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - there is no shell to be had
    folder = os.getcwd()  # noqa: PTH109 - pathlib would take longer to import
    code = ask(arguments, folder, os.environ, [0, 1, 2], _pass_signals_on, own_group=True)
    if code < 0:
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
