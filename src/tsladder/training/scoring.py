"""Scoring the trained seeds of one cell on validation and test, beside the baselines on the same windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tsladder.evaluation.baselines import Forecast, baselines
from tsladder.evaluation.decision import choose_on_validation
from tsladder.evaluation.predictions import predictions_frame, scored_on
from tsladder.evaluation.scores import RegionScores, score_region
from tsladder.market.targets import labels
from tsladder.market.windows import Windows, build_windows
from tsladder.params import EvaluationParams, TargetParams, WindowParams
from tsladder.records import read_json, write_json
from tsladder.seeds import derive_seed
from tsladder.tracking import CellRun, MlflowTracker, RunRecord, Tracker, open_cell_run
from tsladder.training.cell import CellWork
from tsladder.training.forecasting import Forecasts, TrainedSeeds, forecasting
from tsladder.vocabulary import CellStatus, Phase, Region

SCORED = (Region.VALIDATION, Region.TEST)


def score_cell(work: CellWork, choice: dict[str, Any], tracker: Tracker | None = None) -> None:
    """Write artifacts/scores/<cell>/{scores.json, predictions.parquet}.

    Every choice has been made when this runs: the test region is scored once per trained model.
    """
    windows_of = {region: work.dataset.windows.region(region) for region in SCORED}
    models = work.places.models(work.cell)
    folders = {number: models / f"seed-{number}" for number in read_json(models / "status.json")["seeds"]}
    with forecasting(trained_seeds(work, choice, folders), windows_of) as under_way:
        # Meanwhile here, what takes seconds to load and needs no model.
        tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
        with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
            forecasts = _baselines(work)
            regions = _score(work, choice, windows_of, forecasts, under_way.result())
            _log(work, regions, tracker, parent)


def _score(
    work: CellWork,
    choice: dict[str, Any],
    windows_of: dict[Region, Windows],
    forecasts: dict[Region, tuple[Forecast, ...]],
    probabilities: Forecasts,
) -> dict[Region, RegionScores]:
    """Write the outputs of the cell and return the scores by region."""
    import pandas as pd

    evaluation = EvaluationParams(**work.plan["evaluation"])
    choices = choose_on_validation(windows_of[Region.VALIDATION].y_N, probabilities[Region.VALIDATION])
    regions: dict[Region, RegionScores] = {}
    frames = []
    for region in SCORED:
        windows = windows_of[region]
        regions[region] = score_region(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            probabilities=probabilities[region],
            forecasts=forecasts[region],
            train_rate=float(np.mean(work.dataset.windows.train.y_N)),
            fingerprint=windows.fingerprint(),
            params=evaluation,
            seed=derive_seed(work.seed, str(work.cell), "bootstrap", region),
            choices=choices,
        )
        frames.append(predictions_frame(region, windows.y_N, windows.dates_N, probabilities[region], forecasts[region]))
    folder = work.places.scores(work.cell)
    record = {
        "cell": str(work.cell),
        "budget": work.cell.budget,
        "horizon": work.cell.horizon,
        "status": CellStatus.DONE,
        "precision": work.recipe.precision,
        **{
            name: choice[name]
            for name in ("architecture", "n_params", "n_params_blocks", "n_params_body", "off_budget")
        },
        "regions": {region: scores.to_json() for region, scores in regions.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(frames, ignore_index=True).to_parquet(folder / "predictions.parquet", index=False)
    write_json(folder / "scores.json", record)
    return regions


def trained_seeds(work: CellWork, choice: dict[str, Any], folders: Mapping[int, Path]) -> TrainedSeeds:
    """The checkpoints of `choice` in `folders`, and how they are computed with on this machine."""
    spec = work.spec(choice["architecture"])
    plan = work.batch_plan(spec, work.machine.memory_gib)
    return TrainedSeeds(
        spec=spec,
        folders=folders,
        precision=work.recipe.precision,
        device=work.machine.device,
        threads=work.execution(spec).threads,
        # A machine on which it could not be trained may still score it, a window or two at a time.
        micro_batch=1 if plan is None else plan.micro_batch,
    )


def _baselines(work: CellWork) -> dict[Region, tuple[Forecast, ...]]:
    """They always see ratios to the last Close, whatever the model's normalisation."""
    dataset, windows = work.dataset, WindowParams(**work.plan["windows"])
    y_T = labels(dataset.table, TargetParams(**work.plan["target"]), work.cell.horizon)
    ratio = dataset.windows
    if windows.normalisation != "ratio":
        ratio = build_windows(dataset.table, dataset.splits, y_T, dataclasses.replace(windows, normalisation="ratio"))
    train, close_T = dataset.windows.train, dataset.table.close_T
    return {
        region: baselines(
            train,
            dataset.windows.region(region),
            close_T,
            ratio.train.last_day(),
            ratio.region(region).last_day(),
            y_T=y_T,
            horizon=work.cell.horizon,
        )
        for region in SCORED
    }


def _log(work: CellWork, regions: dict[Region, RegionScores], tracker: Tracker, parent: CellRun) -> None:
    metrics: dict[str, float | None] = {}
    for region, scores in regions.items():
        interval = scores.intervals["log_loss"]
        metrics[f"{region}_loss"] = scores.mean.log_loss
        metrics[f"{region}_loss_low"] = None if interval is None else interval.low
        metrics[f"{region}_loss_high"] = None if interval is None else interval.high
        metrics[f"{region}_brier"] = scores.mean.brier
        metrics[f"{region}_auc"] = scores.mean.auc
        metrics[f"{region}_average_precision"] = scores.mean.average_precision
        metrics[f"{region}_ece"] = scores.mean.ece
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
