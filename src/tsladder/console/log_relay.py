"""Copies what DVC and its stages print into the log of a run, each line with its time, and to the terminal's plain log.

A process of its own, started by its file's path and on the standard library alone: whatever ends the run that started
it, kill -9 and Ctrl-Z included, those who print never meet a closed or a full pipe.

    python log_relay.py LOG PIPE [ECHO]...

PIPE is a descriptor to read from until it is closed, and ECHO the one that its bytes are copied to at once (-1: none).
"""

from __future__ import annotations

import datetime
import os
import selectors
import sys

_CHUNK = 65536


def stamp(moment: datetime.datetime) -> str:
    """The time of a line, to the millisecond, as it stands at its beginning."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def relay(log: int, echoes: dict[int, int]) -> None:
    """Copy until every pipe of `echoes` (pipe -> where to) is closed. A line goes to disk whole, in one write."""
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
                    # A progress bar returns to the beginning of its line: what stands at its end counts.
                    *lines, unfinished[pipe] = (unfinished[pipe] + chunk).replace(b"\r\n", b"\n").split(b"\n")
                else:
                    selector.unregister(pipe)
                    lines = [unfinished.pop(pipe)] if unfinished[pipe] else []
                for line in lines:
                    os.write(log, f"{stamp(datetime.datetime.now(datetime.UTC))} ".encode() + _last(line) + b"\n")


def _last(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _echo(echoes: dict[int, int], pipe: int, chunk: bytes) -> None:
    while chunk and echoes[pipe] >= 0:
        try:
            chunk = chunk[os.write(echoes[pipe], chunk) :]
        except OSError:
            # Whoever read there is gone; the log goes on.
            echoes[pipe] = -1


def main(arguments: list[str]) -> None:
    log = os.open(arguments[0], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    numbers = [int(argument) for argument in arguments[1:]]
    relay(log, dict(zip(numbers[::2], numbers[1::2], strict=True)))


if __name__ == "__main__":
    main(sys.argv[1:])
