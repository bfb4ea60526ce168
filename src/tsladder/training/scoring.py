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
from tsladder.evaluation.symbols import SymbolScores
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

Scored = tuple[str, Region]
"""A symbol and a region of it."""


def score_cell(work: CellWork, choice: dict[str, Any], tracker: Tracker | None = None) -> None:
    """Write artifacts/scores/<cell>/{scores.json, predictions.parquet}.

    Every choice has been made when this runs: the test region is scored once per trained model.
    """
    windows_of = _scored_windows(work)
    models = work.places.models(work.cell)
    folders = {number: models / f"seed-{number}" for number in read_json(models / "status.json")["seeds"]}
    with forecasting(trained_seeds(work, choice, folders), windows_of) as under_way:
        # Meanwhile here, what takes seconds to load and needs no model.
        tracker = tracker or MlflowTracker(work.places.mlruns, work.params.study.name)
        with open_cell_run(tracker, str(work.cell), work.tags(Phase.SEARCH, work.search_key)) as parent:
            forecasts = _baselines(work)
            scores = _score(work, windows_of, forecasts, under_way.result())
            _write(work, choice, scores, windows_of, forecasts, under_way.result())
            test = windows_of[work.dataset.table.symbol, Region.TEST]
            _log(work, scores, scored_on(test.dates_N, test.y_N), tracker, parent)


def _scored_windows(work: CellWork) -> dict[Scored, Windows]:
    """Those of the study's own symbol first. Another symbol may have none in a region."""
    own, windows = work.dataset.table.symbol, work.dataset.windows
    found = {(own, region): windows.region(region) for region in SCORED}
    found |= {(name, region): of[region] for name, of in windows.further.items() for region in SCORED}
    return {key: scored for key, scored in found.items() if key[0] == own or len(scored) > 0}


def _score(
    work: CellWork,
    windows_of: Mapping[Scored, Windows],
    forecasts: Mapping[Region, tuple[Forecast, ...]],
    probabilities: Forecasts[Scored],
) -> dict[Scored, RegionScores]:
    """Baselines and choices made on validation are those of the study's own symbol: the others have no such."""
    own, evaluation = work.dataset.table.symbol, EvaluationParams(**work.plan["evaluation"])
    validation = (own, Region.VALIDATION)
    choices = choose_on_validation(windows_of[validation].y_N, probabilities[validation])
    scores = {}
    for (symbol, region), windows in windows_of.items():
        stream = () if symbol == own else (symbol,)
        scores[symbol, region] = score_region(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            probabilities=probabilities[symbol, region],
            forecasts=forecasts[region] if symbol == own else (),
            train_rate=float(np.mean(work.dataset.windows.train.y_N)),
            fingerprint=windows.fingerprint(),
            params=evaluation,
            seed=derive_seed(work.seed, str(work.cell), "bootstrap", region, *stream),
            choices=choices if symbol == own else None,
        )
    return scores


def _write(
    work: CellWork,
    choice: dict[str, Any],
    scores: Mapping[Scored, RegionScores],
    windows_of: Mapping[Scored, Windows],
    forecasts: Mapping[Region, tuple[Forecast, ...]],
    probabilities: Forecasts[Scored],
) -> None:
    """The outputs of the cell. Predictions are those for the study's own symbol."""
    import pandas as pd

    own, further = work.dataset.table.symbol, work.dataset.windows.further
    frames = []
    for region in SCORED:
        windows = windows_of[own, region]
        of_seeds = probabilities[own, region]
        frames.append(predictions_frame(region, windows.y_N, windows.dates_N, of_seeds, forecasts[region]))
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
        "n_data": len(work.dataset.windows.train),
        "regions": {region: scores[own, region].to_json() for region in SCORED},
    }
    if further:
        record["symbols"] = {
            symbol: {
                region: SymbolScores.of(scores[symbol, region]).to_json() if (symbol, region) in scores else None
                for region in SCORED
            }
            for symbol in (own, *further)
        }
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(frames, ignore_index=True).to_parquet(folder / "predictions.parquet", index=False)
    write_json(folder / "scores.json", record)


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
            first_rows=dataset.table.first_rows,
        )
        for region in SCORED
    }


def _log(work: CellWork, found: Mapping[Scored, RegionScores], scored: str, tracker: Tracker, parent: CellRun) -> None:
    """`scored`: what the tag `windows` says, so that the page finds runs whose test losses can be compared."""
    metrics: dict[str, float | None] = {}
    for (symbol, region), scores in found.items():
        if work.dataset.windows.further:
            metrics[f"{region}_loss_{symbol}"] = scores.mean.log_loss
        if symbol != work.dataset.table.symbol:
            continue
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
    tracker.log_run(
        RunRecord(
            name=f"{work.cell}/evaluation",
            tags=work.tags(Phase.EVALUATE, work.search_key),
            parent_id=parent.run_id,
            metrics=metrics,
            extra_tags={"windows": scored},
            artifacts={work.places.scores(work.cell) / "scores.json": "scores"},
        )
    )
    parent.metrics = {"test_loss": metrics.get("test_loss")}
    parent.extra_tags = {"windows": scored}
