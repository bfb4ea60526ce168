"""Write the scores of one cell, and copy them to MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tsladder.artifacts.store import write_json
from tsladder.cells.work import CellWork
from tsladder.evaluation.predictions import scored_on
from tsladder.evaluation.region import RegionForecasts, Scores
from tsladder.evaluation.symbols import SymbolScores
from tsladder.planning.plans import read_plan, retraining_key, scoring_key
from tsladder.tasks.parts.scoring import Scoring
from tsladder.tracking import CellRun, RunRecord, Tracker
from tsladder.vocabulary import CellStatus, Phase, Region

SCORED = (Region.VALIDATION, Region.TEST)

Scored = tuple[str, Region]
"""A symbol and a region of it."""


def write_scores(
    work: CellWork,
    choice: dict[str, Any],
    scoring: Scoring,
    scores: Mapping[Scored, Scores],
    made: Mapping[Scored, RegionForecasts],
) -> None:
    """The outputs of the cell. Predictions are those for the study's own symbol."""
    import pandas as pd

    own, further = work.dataset.table.symbol, work.dataset.windows.further
    frames = [scoring.frame(region, made[own, region]) for region in SCORED]
    folder = work.places.scores(work.cell)
    record = {
        "cell": str(work.cell),
        "budget": work.cell.budget,
        "horizon": work.cell.horizon,
        "status": CellStatus.DONE,
        "key": _key(work, choice),
        "precision": work.recipe.precision,
        "metric": scoring.metric,
        **{
            name: choice[name]
            for name in ("architecture", "n_params", "n_params_blocks", "n_params_body", "off_budget")
        },
        "n_data": len(work.dataset.windows.train),
        "regions": {region: scores[own, region].to_json() for region in SCORED},
    }
    if further:
        told = {key: SymbolScores.of(scored, scoring.metric).to_json() for key, scored in scores.items()}
        record["symbols"] = {
            symbol: {region: told.get((symbol, region)) for region in SCORED} for symbol in (own, *further)
        }
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(frames, ignore_index=True).to_parquet(folder / "predictions.parquet", index=False)
    write_json(folder / "scores.json", record)


def _key(work: CellWork, choice: dict[str, Any]) -> str:
    """By which it is known that these scores belong to a question."""
    inputs = work.dataset.table.fingerprint(), work.dataset.splits_record
    return scoring_key(work.plan, retraining_key(read_plan(work.places.train_plan(work.cell)), choice, *inputs))


def log_scores(
    work: CellWork, found: Mapping[Scored, Scores], scoring: Scoring, tracker: Tracker, parent: CellRun
) -> None:
    """Log a run of the evaluation below `parent`, and the test loss on `parent` itself."""
    metrics: dict[str, float | None] = {}
    for (symbol, region), scores in found.items():
        loss = getattr(scores.mean, scoring.metric)
        if work.dataset.windows.further:
            metrics[f"{region}_loss_{symbol}"] = loss
        if symbol != work.dataset.table.symbol:
            continue
        interval = scores.intervals[scoring.metric]
        metrics[f"{region}_loss"] = loss
        metrics[f"{region}_loss_low"] = None if interval is None else interval.low
        metrics[f"{region}_loss_high"] = None if interval is None else interval.high
        metrics |= {f"{region}_{name}": getattr(scores.mean, name) for name in scoring.shown}
        metrics[f"{region}_skill"] = scores.skill
        metrics[f"{region}_base_rate_loss"] = scores.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scores.own_rate_loss
    test = work.dataset.windows.test
    # By this tag the page finds runs whose test losses can be compared.
    windows = {"windows": scored_on(test.dates_N, test.y_N)}
    tracker.log_run(
        RunRecord(
            name=f"{work.cell}/evaluation",
            tags=work.tags(Phase.EVALUATE, work.search_key),
            parent_id=parent.run_id,
            metrics=metrics,
            extra_tags=windows,
            artifacts={work.places.scores(work.cell) / "scores.json": "scores"},
        )
    )
    parent.metrics = {"test_loss": metrics.get("test_loss")}
    parent.extra_tags = windows
