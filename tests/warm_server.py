"""The server of tests/warm_python.py: a process that has imported large libraries and forks programs from itself."""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing import util
from pathlib import Path

LIBRARIES = (
    "alembic.command",
    "arch.bootstrap",
    "dulwich.worktree",
    "dvc.analytics",
    "dvc.cli.parser",
    "dvc.commands.experiments.run",
    "dvc.commands.repro",
    "dvc.commands.status",
    "dvc.compare",
    "dvc.repo.experiments.executor.local",
    "dvc.repo.experiments.queue.tempdir",
    "dvc.repo.experiments.queue.workspace",
    "dvc_data.hashfile.status",
    "dvc_render",
    "email.policy",
    "fsspec.implementations.memory",
    "itables",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.tracking.client",
    "multiprocessing.popen_forkserver",
    "multiprocessing.queues",
    "networkx",
    "optuna.storages.journal",
    "pandas",
    "psutil",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "ruamel.yaml",
    "safetensors.torch",
    "scipy.optimize",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sqlalchemy.dialects.sqlite",
    "tabulate",
    "talib",
    "torch._dynamo",
    "yaml",
)
"""What takes long to import and starts no thread."""


def serve(path: str) -> Callable[[], None]:
    """Answer requests until stdin ends. Returns in every forked program, with what it is to run."""
    for name in LIBRARIES:
        importlib.import_module(name)
    _read_locks_fast()
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                break
            _reap(wait=False)
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return _fork_program(connection)
            connection.close()
    _reap(wait=True)
    sys.exit()


def _read_locks_fast() -> None:
    """Have DVC read a lock that it adds a stage to with the reader in C that it uses for other YAML. The one in Python,
    which keeps comments, takes half of the time of `dvc repro` where stages take none; a lock has no comments."""
    files = importlib.import_module("dvc.utils.serialize._yaml")
    keep_comments = files.parse_yaml_for_update
    files.parse_yaml_for_update = lambda text, path: (
        files.parse_yaml(text, path) if Path(path).name == "dvc.lock" else keep_comments(text, path)
    )


def _reap(*, wait: bool) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0 if wait else os.WNOHANG)[0]:
            pass


def _fork_program(connection: socket.socket) -> Callable[[], None]:
    """Fork the program that is asked for, wait for it and say how it ended; return in the program's process alone.

    When who asked is ended, so is the program: a SIGKILL is passed on that way.
    """
    head, control, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    streams = array.array("i")
    streams.frombytes(control[0][2])
    request = b""
    while len(request) < int.from_bytes(head, "big"):
        request += connection.recv(1 << 16)
    arguments, folder, environment, own_group, executable = json.loads(request)
    program = os.fork()
    if program == 0:
        connection.close()
        if own_group:
            os.setpgid(0, 0)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return functools.partial(_become, arguments, folder, environment, executable)
    for stream in streams:
        os.close(stream)
    if own_group:
        # Here, too, so that it is a group before anybody knows its number; it may have ended.
        with contextlib.suppress(ProcessLookupError):
            os.setpgid(program, program)
    # Who asked may have been ended meanwhile.
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{program:8d}".encode())
    ended = os.pidfd_open(program)
    ready, _, _ = select.select([ended, connection], [], [])
    if ended not in ready:
        os.kill(program, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(str(code).encode())
    os._exit(0)


def _become(arguments: list[str], folder: str, environment: dict[str, str], executable: str | None) -> None:
    """Run `python ARGUMENTS` in this process, in `folder` and under `environment`, and have it start others of Python
    by `executable` where that is given."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in environment
    if executable is not None:
        sys.executable = executable
    _fork_servers_of_workers()
    # Taking apart all that is loaded would take longer than many a program.
    code = _code_of(arguments, folder, environment)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _fork_servers_of_workers() -> None:
    """Have multiprocessing fork its server of workers from the program, where torch is loaded, instead of starting an
    interpreter that imports it."""
    start = util.spawnv_passfds

    def fork(path: bytes, arguments: list[str | bytes], descriptors: tuple[int, ...]) -> int:
        command = arguments[-1]
        if not isinstance(command, str) or "multiprocessing.forkserver" not in command:
            return start(path, arguments, descriptors)
        server = os.fork()
        if server:
            return server
        for opened in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
            if opened > 2 and opened not in descriptors:
                with contextlib.suppress(OSError):  # the one that the listing itself took
                    os.close(opened)
        try:
            exec(command, {})  # noqa: S102 - what `python -c` would run
        finally:
            os._exit(0)

    util.spawnv_passfds = fork


def _code_of(arguments: list[str], folder: str, environment: dict[str, str]) -> int:
    """Run the program and return the exit code that the interpreter would have."""
    of_environment = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:0] = of_environment
    try:
        for path in of_environment:
            if Path(path, "sitecustomize.py").exists():
                runpy.run_path(str(Path(path, "sitecustomize.py")))
        if arguments[0] == "-m":
            sys.path.insert(0, folder)
            sys.argv = arguments[1:]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            script = Path(arguments[0]).resolve()
            sys.path.insert(0, str(script.parent))
            sys.argv = arguments
            runpy.run_path(str(script), run_name="__main__")
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return (ending.code or 0) & 0xFF
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.path.pop(0)
    program = serve(sys.argv[1])
    program()
