"""Key of a cell's scores, and the MLflow run of its evaluation: the same whatever is forecast."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.plans import TrainPlan, read_planned
from tsladder.artifacts.scores import Interval
from tsladder.cells.work import CellWork
from tsladder.planning.plans import retraining_key, scoring_key
from tsladder.tracking import CellRun, RunRecord, Tracker
from tsladder.vocabulary import Phase, Region


def scores_key(work: CellWork, choice: Choice) -> str:
    """Return the key that ties the scores of the cell to their question."""
    inputs = work.dataset.fingerprint(), work.dataset.splits_record
    trained = retraining_key(read_planned(TrainPlan, work.places.train_plan(work.cell)), choice, *inputs)
    return scoring_key(work.evaluate_plan, trained)


def loss_metrics(region: Region, loss: float | None, interval: Interval | None) -> dict[str, float | None]:
    """Return the loss of `region` and the ends of its interval, by metric name."""
    return {
        f"{region}_loss": loss,
        f"{region}_loss_low": None if interval is None else interval.low,
        f"{region}_loss_high": None if interval is None else interval.high,
    }


def log_evaluation(
    work: CellWork, metrics: Mapping[str, float | None], scored_on: str, tracker: Tracker, parent: CellRun
) -> None:
    """Log a run of the evaluation below `parent`, and the test loss on `parent` itself. `scored_on`: identity of the
    test days and labels."""
    # The MLflow page uses this tag to find runs whose test losses can be compared.
    windows = {"windows": scored_on}
    tracker.log_run(
        RunRecord(
            name=f"{work.cell}/evaluation",
            tags=work.tags(Phase.EVALUATE, work.search_key),
            parent_id=parent.run_id,
            metrics=metrics,
            extra_tags=windows,
            artifacts={work.places.scores_record(work.cell): "scores"},
        )
    )
    parent.metrics = {"test_loss": metrics.get("test_loss")}
    parent.extra_tags = windows
