"""Score the trained seeds of one cell on validation and test, beside the baselines on the same windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from tsladder.artifacts.choice import Choice
from tsladder.artifacts.models import read_trained_seeds
from tsladder.cells.forecasting import Forecasts, TrainedSeeds, forecasting
from tsladder.cells.score_records import SCORED, Scored, log_scores, record_scores
from tsladder.cells.work import CellWork
from tsladder.data.targets import labels
from tsladder.data.windows import Windows, build_windows
from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.region import BaselineInputs, RegionForecasts, Scores
from tsladder.seeds import derive_seed
from tsladder.tasks import load as load_task
from tsladder.tasks.parts.scoring import Scoring
from tsladder.tracking import MlflowTracker, Tracker, open_cell_run
from tsladder.vocabulary import Phase, Region


def score_cell(work: CellWork, choice: Choice, tracker: Tracker | None = None) -> None:
    """Score the cell and write artifacts/scores/<cell>/{scores.json, predictions.parquet}.

    Every choice has been made when this runs: the test region is scored once per trained model.
    """
    windows_of = _scored_windows(work)
    models = work.places.models(work.cell)
    seeds = read_trained_seeds(work.places.models_status(work.cell))
    folders = {number: models / f"seed-{number}" for number in seeds}
    with forecasting(trained_seeds(work, choice, folders), windows_of) as future:
        # Meanwhile do here what takes seconds to load and needs no model.
        tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
        with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
            scoring = scoring_of(work)
            region_forecasts = _collect_forecasts(work, windows_of, _baselines(work, scoring), future.result())
            scores = _score(work, scoring, region_forecasts)
            record_scores(work, choice, scoring, scores, region_forecasts)
            log_scores(work, scores, scoring, tracker, parent)


def _scored_windows(work: CellWork) -> dict[Scored, Windows]:
    """Return the windows to score, those of the study's own symbol first. Another symbol may have none in a region."""
    own, windows = work.series.table.symbol, work.series.windows
    found = {(own, region): windows.region(region) for region in SCORED}
    found |= {(name, region): of[region] for name, of in windows.further.items() for region in SCORED}
    return {key: scored for key, scored in found.items() if key[0] == own or len(scored) > 0}


def _score(
    work: CellWork,
    scoring: Scoring,
    region_forecasts: Mapping[Scored, RegionForecasts],
) -> dict[Scored, Scores]:
    """Score every symbol and region. Choices made on validation are those of the study's own symbol; other symbols have
    none."""
    own, evaluation = work.series.table.symbol, work.evaluate_plan.evaluation
    choices = scoring.choose(region_forecasts[own, Region.VALIDATION])
    return {
        key: scoring.score(one, evaluation, choices if key[0] == own else None) for key, one in region_forecasts.items()
    }


def _collect_forecasts(
    work: CellWork,
    windows_of: Mapping[Scored, Windows],
    baselines: Mapping[Region, tuple[Forecast, ...]],
    forecasts: Forecasts[Scored],
) -> dict[Scored, RegionForecasts]:
    """Collect the forecasts to score. Baselines are only given for the study's own symbol."""
    own = work.series.table.symbol
    return {
        (symbol, region): RegionForecasts(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            fingerprint=windows.fingerprint(),
            by_seed=forecasts[symbol, region],
            baselines=baselines[region] if symbol == own else (),
            seed=derive_seed(work.seed, str(work.cell), "bootstrap", region, *(() if symbol == own else (symbol,))),
        )
        for (symbol, region), windows in windows_of.items()
    }


def scoring_of(work: CellWork) -> Scoring:
    """Return the scoring that the cell's task defines, given its training labels."""
    return load_task(work.target.task).scoring(work.series.train.y_N)


def trained_seeds(work: CellWork, choice: Choice, folders: Mapping[int, Path]) -> TrainedSeeds:
    """Return the checkpoints of `choice` in `folders`, and how to run them on this machine."""
    spec = work.spec(choice.architecture)
    plan = work.batch_plan(spec, work.machine.memory_gib)
    return TrainedSeeds(
        spec=spec,
        folders=folders,
        recipe=work.recipe,
        device=work.machine.device,
        threads=work.execution(spec).threads,
        # A machine with too little memory to train the model may still score it, one window at a time.
        micro_batch=1 if plan is None else plan.micro_batch,
        output_scale=load_task(work.target.task).output_scale(work.series.train.y_N),
    )


def _baselines(work: CellWork, scoring: Scoring) -> dict[Region, tuple[Forecast, ...]]:
    """Compute the baselines. Their inputs are always ratios to the last Close, whatever the model's normalisation."""
    question = work.series_question
    dataset, windows = work.series, question.windows
    y_T = labels(dataset.table, question.target, work.cell.horizon)
    ratio = dataset.windows
    if windows.normalisation != "ratio":
        ratio = build_windows(dataset.table, dataset.splits, y_T, dataclasses.replace(windows, normalisation="ratio"))
    return {
        region: scoring.baselines(
            BaselineInputs(
                train=dataset.windows.train,
                scored=dataset.windows.region(region),
                close_T=dataset.table.close_T,
                first_rows=dataset.table.first_rows,
                ratio_train_NF=ratio.train.last_day(),
                ratio_scored_NF=ratio.region(region).last_day(),
            ),
            y_T=y_T,
            horizon=work.cell.horizon,
        )
        for region in SCORED
    }
