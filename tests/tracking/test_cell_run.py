"""However the work on a cell ends, its run ends with it."""

from __future__ import annotations

import pytest

from tsladder.errors import WorkFailed
from tsladder.interruption import Interrupted
from tsladder.tracking import MemoryTracker, RunStatus, RunTags, open_cell_run

TAGS = RunTags(budget="2M", horizon="1", model="patchtst", tier="A", task="up", phase="search", study_key="abc")


def test_work_that_ends_in_order_ends_the_run_as_it_says() -> None:
    tracker = MemoryTracker()
    with open_cell_run(tracker, "2M-h1", TAGS) as run:
        assert [logged.status for logged in tracker.runs()] == [RunStatus.RUNNING]
        run.metrics = {"best_val_loss": 0.4}
    (logged,) = tracker.runs()
    assert (logged.status, logged.metrics["best_val_loss"]) == (RunStatus.FINISHED, 0.4)
    with open_cell_run(tracker, "2M-h1", TAGS) as again:
        assert again.run_id == logged.run_id
        again.status = RunStatus.FAILED
    assert [logged.status for logged in tracker.runs()] == [RunStatus.FAILED]


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (WorkFailed("a checkpoint is broken"), RunStatus.FAILED),
        (ValueError("a bug"), RunStatus.FAILED),
        (Interrupted("asked to stop"), RunStatus.KILLED),
        (KeyboardInterrupt(), RunStatus.KILLED),
    ],
)
def test_an_exception_ends_the_run_and_continues(ending: BaseException, status: RunStatus) -> None:
    tracker = MemoryTracker()
    with pytest.raises(type(ending)) as caught, open_cell_run(tracker, "2M-h1", TAGS):
        raise ending
    assert caught.value is ending
    assert [logged.status for logged in tracker.runs()] == [status]
