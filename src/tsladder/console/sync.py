"""Empty the spool of MLflow's copy, or log the whole study into another store, for `tsladder sync`."""

from __future__ import annotations

import os

from tsladder.places import Places
from tsladder.tracking import TRACKING_URI, Drained, Drainer

_PATIENCE = 30.0
"""Seconds to wait for another process that drains the spool."""


def sync_here(places: Places, *, to: str | None) -> int:
    """Log what waits, or with `to` the whole study, print what was logged and what is left, and return the exit code.

    Raises BadInput where `to` or MLFLOW_TRACKING_URI is no address of a store.
    """
    if to is not None:
        raise NotImplementedError
    drainer = Drainer(places.mlruns, os.environ.get(TRACKING_URI) or None)
    where = drainer.address.shown
    waiting = drainer.spool.count()
    if not waiting:
        print(f"nothing waits in {drainer.spool.path}")
        return 0
    found = drainer.drain(patience=_PATIENCE)
    for line in drained_lines(found, where):
        print(line)
    return 1 if found.left else 0


def drained_lines(found: Drained, where: str) -> list[str]:
    """Return what was logged, and what is left and why, in words."""
    logged = ", ".join(f"{number} {kind}" for kind, number in sorted(found.logged.items())) or "nothing"
    lines = [f"logged to {where}: {logged}"]
    if found.left:
        lines.append(f"left: {found.left}, because {found.reason or 'they were added meanwhile'}")
    return lines
