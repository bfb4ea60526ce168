"""Start and stop DVC, or trainings before it, as a child of `tsladder run`, in a session of its own, so that a Ctrl-C
reaches it once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType

from tsladder import log_relay
from tsladder.console.run_log import RunLog
from tsladder.log_file import LOG_FILE
from tsladder.places import Places
from tsladder.stage import EXIT_FILE

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_WORDS_SECONDS = 10.0
"""Seconds to wait for remaining output after the command has ended: processes that it left behind may hold the pipe
for ever."""


class DvcProcess:
    """A running command of DVC, with whatever stage it has started, or another module that works like a stage."""

    def __init__(self, exit_file: Path) -> None:
        self._exit_file = exit_file
        self._process: subprocess.Popen[bytes] | None = None
        self._relay: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._reported = False
        self.stops = 0
        """Number of requests to stop."""
        self._sent = 0

    def ask_to_stop(self) -> None:
        """Send a Ctrl-C: the first lets a training write a checkpoint or finish its epoch, the second ends it."""
        self.stops += 1
        self._pass_on()

    def _pass_on(self) -> None:
        if self._process is not None and self._sent < self.stops:
            self._sent = self.stops
            # It may have ended at this moment.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)

    def wait(self, seconds: float | None = None) -> bool:
        """Return True when the command has ended and all its output is in the log, False after `seconds`."""
        if self._process is None or self._relay is None:
            raise ValueError("the command was not started")
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        if self._code is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._relay.wait(_LAST_WORDS_SECONDS)
            self._reported = self._exit_file.exists()
            self._code = int(self._exit_file.read_text()) if self._reported else code
            self._exit_file.unlink(missing_ok=True)
        return True

    @property
    def code(self) -> int:
        """Exit code of the failing stage, since DVC has one for all failures; otherwise DVC's own."""
        if self._code is None:
            raise ValueError("the command has not ended")
        return self._code

    @property
    def was_killed(self) -> bool:
        """True where the command failed without leaving an exit code, although nobody asked it to stop. Only of a
        module that works like a stage does this mean that it was killed: DVC leaves none for its own failures."""
        return self.code != 0 and not self._reported and self.stops == 0

    def start(
        self,
        places: Places,
        module: str,
        arguments: tuple[str, ...],
        log: RunLog,
        *,
        echo: bool,
        variables: Mapping[str, str] = NO_VARIABLES,
    ) -> None:
        environment = {**os.environ, **variables}
        # Stages run `python`, which must be this interpreter even if the environment is not activated.
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        environment[EXIT_FILE] = str(self._exit_file)
        environment[LOG_FILE] = str(log.path)
        # Python buffers output to a pipe in blocks of 8 kB: lines would be shown, and timed, much later than printed.
        environment["PYTHONUNBUFFERED"] = "1"
        out, out_end = os.pipe()
        pipes = {out: 1 if echo else -1}
        error_end: int = subprocess.STDOUT
        if echo:
            error, error_end = os.pipe()
            pipes[error] = 2
        self._relay = subprocess.Popen(
            [
                sys.executable,
                "-I",
                log_relay.__file__,
                str(log.path),
                *map(str, (n for pair in pipes.items() for n in pair)),
            ],
            pass_fds=tuple(pipes),
            stdin=subprocess.DEVNULL,
            stdout=None if echo else subprocess.DEVNULL,
            start_new_session=True,
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=places.root,
            env=environment,
            # Where this process reads the keys, the command must not.
            stdin=None if echo else subprocess.DEVNULL,
            stdout=out_end,
            stderr=error_end,
            start_new_session=True,
        )
        for descriptor in (*pipes, out_end, *([error_end] if echo else [])):
            os.close(descriptor)
        self._pass_on()


@contextmanager
def command_running(
    places: Places,
    module: str,
    arguments: tuple[str, ...],
    log: RunLog,
    *,
    echo: bool,
    variables: Mapping[str, str] = NO_VARIABLES,
) -> Iterator[DvcProcess]:
    """Run the Python module `module`, such as dvc, with `arguments` and with `variables` added to its environment; its
    output goes to `log`, and with `echo` to this process's output as well.

    SIGINT, SIGTERM and SIGHUP to this process ask it to stop. It has ended when the block ends.
    """
    dvc = DvcProcess(places.mlruns / f"exit-{os.getpid()}")

    def forward(_number: int, _frame: FrameType | None) -> None:
        dvc.ask_to_stop()

    # Before DVC starts: a run in the background of a shell has SIGINT ignored, and a child inherits that unless its
    # parent handles the signal. DVC would then start stage after stage whatever it is sent.
    previous = {number: signal.signal(number, forward) for number in _SIGNALS}
    try:
        dvc.start(places, module, arguments, log, echo=echo, variables=variables)
        try:
            yield dvc
        except BaseException:
            dvc.ask_to_stop()
            raise
        finally:
            dvc.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
