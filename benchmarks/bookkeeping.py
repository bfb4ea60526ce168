"""What one trial's bookkeeping costs: its MLflow run and its Optuna journal entries, side by side.

    python benchmarks/bookkeeping.py [--trials 100]

Prints the median, the 90th percentile and the worst in milliseconds a trial, for stores in a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from tsladder.tracking import MlflowTracker, RunRecord, RunTags

TAGS = RunTags(
    budget="2M", horizon="1", model="patchtst", tier="a25", task="threshold_1pct", phase="search", study_key="0" * 64
)
PARAMS = {
    "d_model": 128,
    "n_layers": 10,
    "n_heads": 8,
    "d_ff": 512,
    "n_params": 2_012_345,
    "learning_rate": 3e-4,
    "weight_decay": 1e-3,
    "warmup_steps": 20,
    "dropout": 0.2,
    "epochs": 20,
    "micro_batch": 256,
    "seed": 42,
    "accumulation_steps": 1,
    "effective_batch": 256,
    "precision": "fp32",
    "optimizer": "adamw",
    "activation_checkpointing": False,
}
METRICS = {
    "best_val_loss": 0.35,
    "val_auc": 0.7,
    "base_rate_loss": 0.45,
    "peak_memory_gib": 0.5,
    "predicted_memory_gib": 0.6,
    "seconds": 60.0,
    "epochs_run": 20,
}
SPACE = {
    "architecture": CategoricalDistribution([f"{d}x{depth}" for d in (64, 128, 256) for depth in (2, 4, 8)]),
    "learning_rate": FloatDistribution(1e-4, 2e-3, log=True),
    "weight_decay": FloatDistribution(1e-4, 5e-3, log=True),
    "dropout": FloatDistribution(0.1, 0.3),
    "warmup_fraction": FloatDistribution(0.05, 0.2),
}


def mlflow_trial(store: Path) -> Callable[[int], None]:
    tracker = MlflowTracker(store, "bookkeeping")
    cell = tracker.cell_run("2M-h1", TAGS)
    curve = [(epoch, 0.4 - epoch / 1000) for epoch in range(1, 21)]

    def log(number: int) -> None:
        tracker.log_run(
            RunRecord(
                name=f"2M-h1/trial-{number:03}",
                tags=TAGS,
                parent_id=cell,
                params=PARAMS,
                metrics=METRICS,
                curves={"val_loss": curve, "train_loss": curve},
                extra_tags={"stop_reason": "completed"},
            )
        )

    return log


def optuna_trial(folder: Path, sampler: optuna.samplers.BaseSampler) -> Callable[[int], None]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    study = optuna.create_study(storage=storage, sampler=sampler)

    def ask_and_tell(number: int) -> None:
        trial = study.ask(SPACE)
        study.tell(trial, 0.35 + number / 1000)

    return ask_and_tell


def milliseconds(trial: Callable[[int], None], trials: int) -> list[float]:
    costs = []
    for number in range(trials):
        start = time.perf_counter()
        trial(number)
        costs.append((time.perf_counter() - start) * 1e3)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description="Bookkeeping cost of one trial.")
    parser.add_argument("--trials", type=int, default=100)
    trials = parser.parse_args().trials
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs = {
            "MLflow: 17 params, 7 metrics, 2 x 20 epochs": milliseconds(mlflow_trial(folder / "mlruns"), trials),
            "Optuna journal: 5 draws, random sampler": milliseconds(
                optuna_trial(folder / "mlruns", optuna.samplers.RandomSampler(seed=0)), trials
            ),
        }
    costs["both"] = [sum(pair) for pair in zip(*costs.values(), strict=True)]
    sys.stdout.write(f"{'ms a trial, of ' + str(trials):46}{'median':>8}{'90 %':>8}{'worst':>8}\n")
    for what, values in costs.items():
        ninth = statistics.quantiles(values, n=10)[-1]
        sys.stdout.write(f"{what:46}{statistics.median(values):8.1f}{ninth:8.1f}{max(values):8.1f}\n")


if __name__ == "__main__":
    main()
