"""Process that copies the runs of all stages of one `tsladder run` to MLflow, so that no stage imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tsladder import log_runs
from tsladder.places import Places
from tsladder.tracking import LOGGED_BY_RUN, SETTLE_SECONDS

_LONGEST_SECONDS = SETTLE_SECONDS + 15.0


@contextmanager
def logging_process(places: Places) -> Iterator[tuple[Mapping[str, str], list[str]]]:
    """Run the process while the block does, and yield the environment variables of stages that leave their runs to it,
    and a list that has its messages after the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", log_runs.__name__, str(places.mlruns)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != LOGGED_BY_RUN},
        text=True,
        # A Ctrl-C is for what trains: what that has left is still logged.
        start_new_session=True,
    )
    messages: list[str] = []
    try:
        yield {LOGGED_BY_RUN: "1"}, messages
    finally:
        try:
            _, said = process.communicate(timeout=_LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
            messages.append("tsladder: MLflow hangs: what is not copied waits in the spool; `tsladder sync` logs it")
        messages[:0] = [line for line in said.splitlines() if line.strip()]
