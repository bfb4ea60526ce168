"""Write the scores of one cell, and copy them to MLflow."""

from __future__ import annotations

from collections.abc import Mapping

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.record import record_of
from tsladder.artifacts.scores import CellScores, ScoredRegion, write_scores
from tsladder.cells.evaluation_runs import log_evaluation, loss_metrics, scores_key
from tsladder.cells.work import CellWork
from tsladder.evaluation.predictions import scored_on
from tsladder.evaluation.region import RegionForecasts, Scores
from tsladder.evaluation.symbols import symbol_scores
from tsladder.tasks.parts.scoring import Scoring
from tsladder.tracking import CellRun, Tracker
from tsladder.vocabulary import Region

SCORED = (Region.VALIDATION, Region.TEST)

Scored = tuple[str, Region]
"""Symbol, and one of its regions."""


def record_scores(
    work: CellWork,
    choice: Choice,
    scoring: Scoring,
    scores: Mapping[Scored, Scores],
    region_forecasts: Mapping[Scored, RegionForecasts],
) -> None:
    """Write the scores and predictions of the cell; predictions only for the study's own symbol."""
    import pandas as pd

    own, further = work.series.table.symbol, work.series.windows.further
    frames = [scoring.frame(region, region_forecasts[own, region]) for region in SCORED]
    by_symbol = {key: symbol_scores(scored, scoring.metric) for key, scored in scores.items()}
    symbols = {
        symbol: {str(region): by_symbol.get((symbol, region)) for region in SCORED} for symbol in (own, *further)
    }
    path = work.places.predictions(work.cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.concat(frames, ignore_index=True).to_parquet(path, index=False)
    write_scores(
        work.places.scores_record(work.cell),
        CellScores(
            cell=str(work.cell),
            budget=work.cell.budget,
            horizon=work.cell.horizon,
            key=scores_key(work, choice),
            precision=work.recipe.precision,
            metric=scoring.metric,
            architecture=choice.architecture,
            n_params=choice.n_params,
            n_params_blocks=choice.n_params_blocks,
            n_params_body=choice.n_params_body,
            off_budget=choice.off_budget,
            n_data=len(work.dataset.train),
            regions={region: _region(scores[own, region]) for region in SCORED},
            symbols=symbols if further else None,
        ),
    )


def _region(scores: Scores) -> ScoredRegion:
    return record_of(ScoredRegion, scores.to_json(), source="the scores of a region")


def log_scores(
    work: CellWork, found: Mapping[Scored, Scores], scoring: Scoring, tracker: Tracker, parent: CellRun
) -> None:
    """Log a run of the evaluation below `parent`, and the test loss on `parent` itself."""
    metrics: dict[str, float | None] = {}
    for (symbol, region), scores in found.items():
        loss = getattr(scores.mean, scoring.metric)
        if work.series.windows.further:
            metrics[f"{region}_loss_{symbol}"] = loss
        if symbol != work.series.table.symbol:
            continue
        metrics |= loss_metrics(region, loss, scores.intervals[scoring.metric])
        metrics |= {f"{region}_{name}": getattr(scores.mean, name) for name in scoring.logged_metrics}
        metrics[f"{region}_skill"] = scores.skill
        metrics[f"{region}_base_rate_loss"] = scores.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scores.own_rate_loss
    test = work.series.windows.test
    log_evaluation(work, metrics, scored_on(test.dates_N, test.y_N), tracker, parent)
