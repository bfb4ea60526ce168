"""MLflow run of a cell while a stage works on it: never left RUNNING, however the work ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tsladder.interruption import Interrupted
from tsladder.tracking.runs import RunStatus, RunTags, Tracker


@dataclass(slots=True)
class CellRun:
    """Open run of a cell, whose final status, metrics and tags are set while the work goes on."""

    run_id: str
    status: RunStatus = RunStatus.FINISHED
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    extra_tags: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def open_cell_run(tracker: Tracker, name: str, tags: RunTags) -> Iterator[CellRun]:
    """Find or create the run of cell `name`, and end it with its `status` when the block ends.

    An exception ends the run as KILLED where it is a request to stop, as FAILED otherwise, and propagates.
    """
    run = CellRun(tracker.cell_run(name, tags))
    try:
        yield run
    except (Interrupted, KeyboardInterrupt):
        run.status = RunStatus.KILLED
        raise
    except BaseException:
        run.status = RunStatus.FAILED
        raise
    finally:
        tracker.finish(run.run_id, run.status, run.metrics, run.extra_tags)
