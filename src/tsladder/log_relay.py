"""Log file of a run, and the process that copies into it what DVC and its stages print.

Each line gets its time; printed output also goes to the terminal's plain log. The process is started by the path of
this file and needs the standard library alone: however the run that started it ends, kill -9 and Ctrl-Z included,
processes that print never face a closed or a full pipe.

    python log_relay.py LOG PIPE [ECHO]...

PIPE is a descriptor that is read until it is closed, and ECHO the descriptor to which its bytes are copied at once (-1:
none).
"""

from __future__ import annotations

import contextlib
import datetime
import os
import selectors
import sys

_CHUNK = 65536


def stamp(moment: datetime.datetime) -> str:
    """Format the time of a line, to the millisecond, as it stands at the beginning of the line."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LogFile:
    """File at `path` to which several processes append. A file that cannot be written never stops the work: the fault
    is reported once on stderr, and later lines are tried all the same."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fault_said = False

    def append(self, *lines: bytes) -> None:
        """Append `lines`, each with the time, in a single write, so that lines of other processes never fall between
        them."""
        head = f"{stamp(datetime.datetime.now(datetime.UTC))} ".encode()
        whole = b"".join(head + line + b"\n" for line in lines)
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                written = os.write(descriptor, whole)
            finally:
                os.close(descriptor)
            if written < len(whole):
                raise OSError(f"{written} of {len(whole)} bytes were written: the disk is full")
        except OSError as error:
            self.say_once(error)

    def say_once(self, fault: OSError) -> None:
        """Report on stderr why the file cannot be written; later calls print nothing."""
        if self._fault_said:
            return
        self._fault_said = True
        message = (
            f"tsladder: the log {self.path} cannot be written ({fault.strerror or fault}): work continues without it"
        )
        # The reader of stderr may have closed it.
        with contextlib.suppress(OSError):
            print(message, file=sys.stderr, flush=True)


def relay(log: LogFile, echoes: dict[int, int]) -> None:
    """Copy until every pipe of `echoes` (pipe -> descriptor to copy to) is closed. Each line is written to disk whole,
    in a single write."""
    unfinished = dict.fromkeys(echoes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in echoes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                pipe = key.fd
                chunk = os.read(pipe, _CHUNK)
                if chunk:
                    _echo(echoes, pipe, chunk)
                    # A progress bar rewrites its line: only the last version of the line counts.
                    *lines, unfinished[pipe] = (unfinished[pipe] + chunk).replace(b"\r\n", b"\n").split(b"\n")
                else:
                    selector.unregister(pipe)
                    lines = [unfinished.pop(pipe)] if unfinished[pipe] else []
                for line in lines:
                    log.append(_last(line))


def _last(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _echo(echoes: dict[int, int], pipe: int, chunk: bytes) -> None:
    while chunk and echoes[pipe] >= 0:
        try:
            chunk = chunk[os.write(echoes[pipe], chunk) :]
        except OSError:
            # The reader has closed the pipe; the log continues.
            echoes[pipe] = -1


def main(arguments: list[str]) -> None:
    numbers = [int(argument) for argument in arguments[1:]]
    relay(LogFile(arguments[0]), dict(zip(numbers[::2], numbers[1::2], strict=True)))


if __name__ == "__main__":
    main(sys.argv[1:])
