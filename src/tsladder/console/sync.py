"""Empty the spool of MLflow's copy, or log the whole study into another store, for `tsladder sync`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tsladder.console.progress import progress
from tsladder.errors import BadInput, WorkFailed
from tsladder.messages import print_message
from tsladder.places import Places
from tsladder.tracking import (
    TRACKING_URI,
    CopyTracker,
    Drained,
    Drainer,
    MlflowStore,
    StoreAddress,
    address_of,
    parse_address,
)

_PATIENCE = 30.0
"""Seconds to wait for another process that drains the spool."""


def sync_here(places: Places, *, to: str | None) -> int:
    """Log what waits, or with `to` the whole study, print what was logged and what is left, and return the exit code.

    Raises BadInput where `to` or MLFLOW_TRACKING_URI is no address of a store, WorkFailed where the store `to` does not
    take the study.
    """
    if to is not None:
        return _copy(places, parse_address(to, artifacts=places.mlruns, source="--to"))
    address = address_of(places.mlruns, os.environ)
    drainer = Drainer(places.mlruns, os.environ.get(TRACKING_URI))
    if not drainer.spool.count():
        print(f"nothing waits in {drainer.spool.path}")
        return 0
    with progress(f"logging to {address.shown}"):
        found = drainer.drain(patience=_PATIENCE)
    for line in drained_lines(found, address.shown):
        print(line)
    return 1 if found.left else 0


def drained_lines(found: Drained, where: str) -> list[str]:
    """Return what was logged, and what is left and why, in words."""
    lines = [f"logged to {where}: {_counted(found.logged)}"]
    if found.left:
        lines.append(f"left: {found.left}, because {found.reason or 'they were added meanwhile'}")
    return lines


def _copy(places: Places, address: StoreAddress) -> int:
    from tsladder.params import load_any_params
    from tsladder.study_copy.build import copy_study

    params = load_any_params(places.params)
    tracker = CopyTracker(MlflowStore(address, params.study.name, print_message))
    try:
        with progress(f"logging to {address.shown}") as on_step:
            parts = copy_study(places, params, tracker, on_step)
    except (BadInput, WorkFailed):
        raise
    # MLflow, SQLAlchemy, SQLite, the network and the disk have no common exception.
    except Exception as error:
        words = address.without_credentials((str(error).strip().splitlines() or [type(error).__name__])[0])
        raise WorkFailed(
            f"{address.shown} did not take the whole study ({words}); logged: {_counted(tracker.logged)}; "
            "the same command goes on from there"
        ) from None
    if not parts:
        raise WorkFailed("nothing of this study is on disk: start it with `tsladder run`")
    print(f"logged to {address.shown}: {_counted(tracker.logged)}")
    return 0


def _counted(logged: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(logged.items())) or "nothing"
