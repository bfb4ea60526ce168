"""What one trial's bookkeeping costs: its line of the spool for MLflow, and storage and sampler of the search.

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

from tsladder.search.configuration import Draw
from tsladder.search.study import SearchStudy, TrialResult
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
DRAWS = (
    Draw(name="depth_to_width", low=0.004, high=0.6, log=True),
    Draw(name="d_ff_ratio", choices=(2, 4)),
    Draw(name="n_heads", choices=(2, 4, 8, 16, 32)),
    Draw(name="learning_rate", low=1e-4, high=2e-3, log=True),
    Draw(name="weight_decay", low=1e-4, high=5e-3, log=True),
    Draw(name="dropout", low=0.1, high=0.3),
    Draw(name="warmup_fraction", low=0.05, high=0.2),
)
WORKERS = 2


def mlflow_trial(store: Path) -> tuple[MlflowTracker, Callable[[int], None]]:
    """A tracker, and what a trial asks it for: a line of the spool, which its thread logs meanwhile."""
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

    return tracker, log


def search_trial(folder: Path) -> Callable[[int], None]:
    """What the search does for a trial: tell what ended, draw by TPE from all earlier trials, write the ask down."""
    folder.mkdir()
    study = SearchStudy(folder, DRAWS, key="bookkeeping", seed=0)
    asked = []

    def draw_and_ask(number: int) -> None:
        ended = number - WORKERS
        if ended >= 0:
            study.ensure_told(ended, asked[ended], TrialResult(score=-0.35 - (ended * 7 % 11) / 1000))
        draws = study.draw(number, {}, learned_through=ended if ended >= 0 else None)
        study.ask(number, draws)
        asked.append(draws)

    return draw_and_ask


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
        tracker, log = mlflow_trial(folder / "mlruns")
        tracker.runs()
        begun = time.perf_counter()
        appended = milliseconds(log, trials)
        tracker.settle(600.0)
        logged = (time.perf_counter() - begun) * 1e3 / trials
        costs = {
            "spool: 17 params, 7 metrics, 2 x 20 epochs": appended,
            "search: tell, draw by TPE, journal": milliseconds(search_trial(folder / "search"), trials),
        }
    costs["both"] = [sum(pair) for pair in zip(*costs.values(), strict=True)]
    sys.stdout.write(f"{'ms a trial, of ' + str(trials):46}{'median':>8}{'90 %':>8}{'worst':>8}\n")
    for what, values in costs.items():
        ninth = statistics.quantiles(values, n=10)[-1]
        sys.stdout.write(f"{what:46}{statistics.median(values):8.1f}{ninth:8.1f}{max(values):8.1f}\n")
    sys.stdout.write(f"MLflow, in the thread that drains the spool: {logged:.1f} ms a run, on average\n")


if __name__ == "__main__":
    main()
