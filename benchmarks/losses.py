"""What each loss of training.loss makes of the default study's models: log loss, AUC, Brier score and calibration.

    python benchmarks/losses.py [--rungs 12k,30k] [--horizons 1,3] [--seeds 2] [--monitors val_loss]
        [--out FILE.json]

Every loss trains the middle shape of each rung's grid on the bundled data with the same settings and seeds, with early
stopping as in the quick preset, by validation loss or by AUC; all are scored on the test region as the study scores
them. One process, one thread. The table holds means over rungs and seeds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.plans import Recipe
from tsladder.data.dataset import load_dataset
from tsladder.data.windows import Windows, WindowSet
from tsladder.evaluation.calibration import fit_temperature, scored_at
from tsladder.evaluation.class_scores import score_forecast
from tsladder.evaluation.metrics import per_day_log_loss
from tsladder.models.spec import ModelSpec
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.planning.cells import geometry_of
from tsladder.planning.grid import build_grid
from tsladder.planning.memory import candidate_plans
from tsladder.planning.recipe import Settings, recipe_of

ROOT = Path(__file__).resolve().parents[1]
LOSSES = ("bce", "focal", "weighted_bce", "soft_auc", "label_smoothing")
SETTINGS = Settings(learning_rate=5e-4, weight_decay=1e-3, dropout=0.2, warmup_steps=22, epochs=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """One trained model on the test region. `at_temperature`: log loss after the temperature fitted on validation."""

    horizon: int
    rung: str
    loss: str
    monitor: str
    seed: int
    epochs: int
    log_loss: float
    auc: float
    brier: float
    ece: float
    mean_forecast: float
    at_temperature: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rungs", default="12k,30k")
    parser.add_argument("--horizons", default="1,3")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--monitors", default="val_loss", help="val_loss, val_auc or both")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    horizons, rungs = [int(h) for h in arguments.horizons.split(",")], arguments.rungs.split(",")
    monitors = arguments.monitors.split(",")
    params, started = load_params(ROOT / "params.yaml"), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tsladder-losses-") as folder:
        windows = _market_windows(Path(folder), params, horizons)
    found = list(_trained(params, windows, rungs, monitors, arguments.seeds))
    for horizon in horizons:
        print(_table(horizon, windows[horizon], [one for one in found if one.horizon == horizon]))
    print(f"{len(found)} trainings on one thread in {time.perf_counter() - started:.0f} s")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")


def _market_windows(folder: Path, params: Params, horizons: list[int]) -> dict[int, WindowSet]:
    """Windows of the bundled data by horizon; `folder` takes the files of the stages."""
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "data").symlink_to(ROOT / "data")
    environment = {**os.environ, "DVC_ROOT": str(folder), "PYTHONPATH": str(ROOT / "src")}
    for stage in ("inputs", "features", "splits"):
        subprocess.run([sys.executable, str(ROOT / "stages" / f"{stage}.py")], cwd=folder, env=environment, check=True)
    places = Places(folder, folder)
    return {
        horizon: load_dataset(
            places.features,
            places.horizon_splits(horizon),
            target=params.target,
            windows=params.windows,
            horizon=horizon,
        ).windows
        for horizon in horizons
    }


def _trained(
    params: Params, windows: dict[int, WindowSet], rungs: list[str], monitors: list[str], seeds: int
) -> Iterator[Scored]:
    for horizon, of_horizon in windows.items():
        for rung in rungs:
            shapes = build_grid(geometry_of(params), rung).shapes
            spec = shapes[len(shapes) // 2]
            base = recipe_of(params.training, params.search.chosen, rung, params.target.task)
            for loss in LOSSES:
                for monitor in monitors:
                    for seed in range(1, seeds + 1):
                        one = _one(spec, replace(base, loss=loss, monitor=monitor), seed, of_horizon, horizon, rung)
                        print(one, file=sys.stderr, flush=True)
                        yield one


def _one(spec: ModelSpec, recipe: Recipe, seed: int, windows: WindowSet, horizon: int, rung: str) -> Scored:
    import torch

    from tsladder.training.feed import WindowFeed
    from tsladder.training.outcome import Job
    from tsladder.training.trainer import fit, predict_logits

    torch.set_num_threads(1)
    plan = next(
        candidate_plans(effective_batch=recipe.effective_batch, precision=recipe.precision, optimizer=recipe.optimizer)
    )
    job = Job(
        spec=spec, settings=SETTINGS, recipe=recipe, task="direction", seed=seed, plan=plan, device="cpu", threads=1
    )
    fitted = fit(job, windows.train, windows.validation, lambda _record: True)
    if fitted.best_val_loss is None:
        raise SystemExit(f"{recipe.loss} of {spec.architecture()}, seed {seed}, ended as {fitted.stop_reason}")

    def probabilities(region: Windows) -> NDArray[np.float64]:
        logits_N = predict_logits(fitted.model, WindowFeed(region, torch.device("cpu")))
        return np.asarray(torch.sigmoid(logits_N.double()).numpy(), dtype=np.float64)

    p_N = probabilities(windows.test)
    temperature = fit_temperature(windows.validation.y_N, {seed: probabilities(windows.validation)})
    scores = score_forecast(windows.test.y_N, p_N)
    if scores.auc is None:
        raise SystemExit("the test region has one class")
    return Scored(
        horizon=horizon,
        rung=rung,
        loss=recipe.loss,
        monitor=recipe.monitor,
        seed=seed,
        epochs=len(fitted.curve),
        log_loss=scores.log_loss,
        auc=scores.auc,
        brier=scores.brier,
        ece=scores.ece,
        mean_forecast=float(p_N.mean()),
        at_temperature=scored_at(windows.test.y_N, {seed: p_N}, temperature).log_loss,
    )


def _table(horizon: int, windows: WindowSet, found: list[Scored]) -> str:
    y_N, rate = windows.test.y_N, float(windows.train.y_N.mean())
    constant = float(per_day_log_loss(y_N, np.full(len(y_N), rate)).mean())
    head = (
        f"\n{horizon} ahead: base rate {y_N.mean():.3f} on test, {rate:.3f} in training; the training rate as a "
        f"constant forecast has a log loss of {constant:.4f}\n"
    )
    lines = [
        head,
        "| loss | stopped by | log loss | at temperature | AUC | sd of AUC | Brier | ECE | mean forecast | epochs |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for loss in LOSSES:
        for monitor in dict.fromkeys(one.monitor for one in found):
            ones = [one for one in found if (one.loss, one.monitor) == (loss, monitor)]
            means = [
                statistics.mean(getattr(one, name) for one in ones)
                for name in ("log_loss", "at_temperature", "auc", "brier", "ece", "mean_forecast", "epochs")
            ]
            log_loss, cooled, auc, brier, ece, forecast, epochs = means
            spread = statistics.stdev(one.auc for one in ones) if len(ones) > 1 else float("nan")
            lines.append(
                f"| {loss} | {monitor} | {log_loss:.4f} | {cooled:.4f} | {auc:.3f} | {spread:.3f} | {brier:.4f} | "
                f"{ece:.3f} | {forecast:.3f} | {epochs:.1f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
