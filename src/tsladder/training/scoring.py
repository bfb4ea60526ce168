"""Scoring the trained seeds of one cell on validation and test, beside the baselines on the same windows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.kinds import Kind, Known, RegionForecasts, Scores, kind_of
from tsladder.market.targets import labels
from tsladder.market.windows import Windows, build_windows
from tsladder.params import EvaluationParams, WindowParams
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
            kind = kind_of_cell(work)
            baselines = _baselines(work, kind)
            regions = _score(work, choice, kind, windows_of, baselines, under_way.result())
            _log(work, regions, kind, tracker, parent)


def _score(
    work: CellWork,
    choice: dict[str, Any],
    kind: Kind,
    windows_of: dict[Region, Windows],
    baselines: dict[Region, tuple[Forecast, ...]],
    forecasts: Forecasts,
) -> dict[Region, Scores]:
    """Write the outputs of the cell and return the scores by region."""
    import pandas as pd

    made = {
        region: RegionForecasts(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            fingerprint=windows.fingerprint(),
            by_seed=forecasts[region],
            baselines=baselines[region],
            seed=derive_seed(work.seed, str(work.cell), "bootstrap", region),
        )
        for region, windows in windows_of.items()
    }
    evaluation, choices = EvaluationParams(**work.plan["evaluation"]), kind.choose(made[Region.VALIDATION])
    regions = {region: kind.score(of_region, evaluation, choices) for region, of_region in made.items()}
    frames = [kind.frame(region, of_region) for region, of_region in made.items()]
    folder = work.places.scores(work.cell)
    record = {
        "cell": str(work.cell),
        "budget": work.cell.budget,
        "horizon": work.cell.horizon,
        "status": CellStatus.DONE,
        "precision": work.recipe.precision,
        "metric": kind.metric,
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


def kind_of_cell(work: CellWork) -> Kind:
    return kind_of(work.target, work.dataset.windows.train.y_N)


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
        output_scale=kind_of_cell(work).output_scale,
    )


def _baselines(work: CellWork, kind: Kind) -> dict[Region, tuple[Forecast, ...]]:
    """They always see ratios to the last Close, whatever the model's normalisation."""
    dataset, windows = work.dataset, WindowParams(**work.plan["windows"])
    y_T = labels(dataset.table, work.target, work.cell.horizon)
    ratio = dataset.windows
    if windows.normalisation != "ratio":
        ratio = build_windows(dataset.table, dataset.splits, y_T, dataclasses.replace(windows, normalisation="ratio"))
    return {
        region: kind.baselines(
            Known(
                train=dataset.windows.train,
                scored=dataset.windows.region(region),
                close_T=dataset.table.close_T,
                ratio_train_NF=ratio.train.last_day(),
                ratio_scored_NF=ratio.region(region).last_day(),
            ),
            y_T=y_T,
            horizon=work.cell.horizon,
        )
        for region in SCORED
    }


def _log(work: CellWork, regions: dict[Region, Scores], kind: Kind, tracker: Tracker, parent: CellRun) -> None:
    metrics: dict[str, float | None] = {}
    for region, scores in regions.items():
        interval = scores.intervals[kind.metric]
        metrics[f"{region}_loss"] = getattr(scores.mean, kind.metric)
        metrics[f"{region}_loss_low"] = None if interval is None else interval.low
        metrics[f"{region}_loss_high"] = None if interval is None else interval.high
        metrics |= {f"{region}_{name}": getattr(scores.mean, name) for name in kind.shown}
        metrics[f"{region}_skill"] = scores.skill
        metrics[f"{region}_base_rate_loss"] = scores.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scores.own_rate_loss
    tracker.log_run(
        RunRecord(
            name=f"{work.cell}/evaluation",
            tags=work.tags(Phase.EVALUATE, work.search_key),
            parent_id=parent.run_id,
            metrics=metrics,
            artifacts={work.places.scores(work.cell) / "scores.json": "scores"},
        )
    )
    parent.metrics = {"test_loss": metrics.get("test_loss")}
