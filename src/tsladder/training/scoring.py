"""Scoring the trained seeds of one cell on validation and test, beside the baselines on the same windows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import WorkFailed
from tsladder.evaluation.baselines import baselines
from tsladder.evaluation.scores import RegionScores, predictions_frame, score_region
from tsladder.market.targets import labels
from tsladder.market.windows import Windows, build_windows
from tsladder.models.spec import ModelSpec
from tsladder.params import EvaluationParams, TargetParams, WindowParams
from tsladder.records import read_json, write_json
from tsladder.seeds import derive_seed
from tsladder.tracking import MlflowTracker, RunRecord, RunStatus, Tracker
from tsladder.training.cell import CellWork
from tsladder.training.outcome import RECORD
from tsladder.vocabulary import CellStatus, Phase, Region

SCORED = (Region.VALIDATION, Region.TEST)


def score_cell(work: CellWork, choice: dict[str, Any], tracker: Tracker | None = None) -> None:
    """Write artifacts/scores/<cell>/{scores.json, predictions.parquet}.

    Every choice has been made when this runs: the test region is scored once per trained model.
    """
    import pandas as pd

    status = read_json(work.places.models(work.cell) / "status.json")
    spec = work.spec(choice["architecture"])
    evaluation = EvaluationParams(**work.plan["evaluation"])
    ratio = _ratio_windows(work)
    train = work.dataset.windows.train
    regions: dict[str, RegionScores] = {}
    frames = []
    for region in SCORED:
        windows = work.dataset.windows.region(region)
        probabilities = {
            number: _probabilities(work, spec, choice["settings"]["dropout"], number, windows)
            for number in status["seeds"]
        }
        forecasts = baselines(
            train, windows, work.dataset.table.close_T, ratio.train.last_day(), ratio.region(region).last_day()
        )
        regions[region] = score_region(
            y_N=windows.y_N,
            dates_N=windows.dates_N,
            probabilities=probabilities,
            forecasts=forecasts,
            train_rate=float(np.mean(train.y_N)),
            fingerprint=windows.fingerprint(),
            params=evaluation,
            seed=derive_seed(work.seed, str(work.cell), "bootstrap", region),
        )
        frames.append(predictions_frame(region, windows.y_N, windows.dates_N, probabilities, forecasts))
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
    _log(work, regions, tracker or MlflowTracker(work.places.mlruns, work.params.study.name))


def _ratio_windows(work: CellWork) -> Any:
    """The baselines always see ratios to the last Close, whatever the model's normalisation."""
    windows = WindowParams(**work.plan["windows"])
    if windows.normalisation == "ratio":
        return work.dataset.windows
    y_T = labels(work.dataset.table, TargetParams(**work.plan["target"]), work.cell.horizon)
    ratio = dataclasses.replace(windows, normalisation="ratio")
    return build_windows(work.dataset.table, work.dataset.splits, y_T, ratio)


def _probabilities(
    work: CellWork, spec: ModelSpec, dropout: float, number: int, windows: Windows
) -> NDArray[np.float64]:
    import torch

    from tsladder.models.build import build, count_params, lower
    from tsladder.training.checkpoint import load_weights
    from tsladder.training.feed import Feed
    from tsladder.training.trainer import predict_logits

    folder = work.places.models(work.cell) / f"seed-{number}"
    model = build(spec, dropout=dropout)
    load_weights(folder, model)
    measured = read_json(folder / RECORD)["n_params"]
    if measured != count_params(model):
        raise WorkFailed(f"{folder} was trained with {measured} parameters, its architecture has {count_params(model)}")
    if work.recipe.precision != "fp32":
        lower(model)
    device = torch.device(work.machine.device)
    logits_N = predict_logits(model.to(device), Feed(windows, device))
    probability_N: NDArray[np.float64] = torch.sigmoid(logits_N.double()).cpu().numpy()
    return probability_N


def _log(work: CellWork, regions: dict[str, RegionScores], tracker: Tracker) -> None:
    key = work.search_key
    metrics: dict[str, float | None] = {}
    for region, scores in regions.items():
        metrics[f"{region}_loss"] = scores.mean.log_loss
        metrics[f"{region}_brier"] = scores.mean.brier
        metrics[f"{region}_auc"] = scores.mean.auc
        metrics[f"{region}_average_precision"] = scores.mean.average_precision
        metrics[f"{region}_skill"] = scores.skill
        metrics[f"{region}_base_rate_loss"] = scores.base_rate_loss
        metrics[f"{region}_own_rate_loss"] = scores.own_rate_loss
    parent = tracker.cell_run(str(work.cell), work.tags(Phase.SEARCH, key))
    tracker.log_run(
        RunRecord(
            name=f"{work.cell}/evaluation",
            tags=work.tags(Phase.EVALUATE, key),
            parent_id=parent,
            metrics=metrics,
            artifacts={work.places.scores(work.cell) / "scores.json": "scores"},
        )
    )
    tracker.finish(parent, RunStatus.FINISHED, {"test_loss": metrics.get("test_loss")})
