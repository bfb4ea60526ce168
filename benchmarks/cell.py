"""One whole cell by the real search stage: its wall time, and how much of it is not spent in optimizer steps.

    python benchmarks/cell.py --budget 750k --horizon 1 --trials 50

Runs features, splits, plan and hpo of a study of its own in a temporary folder, on the bundled data and the settings of
params.yaml, and reads trials.jsonl. The share outside training is 1 - (seconds in optimizer steps) / (workers x wall).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", default="750k")
    parser.add_argument("--horizon", type=int, default=1)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tsladder-cell-") as folder:
        _run(Path(folder), arguments)


def _run(folder: Path, arguments: argparse.Namespace) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["budget"] = arguments.budget
    params["horizons"] = [arguments.horizon]
    params["search"]["trials"] = arguments.trials
    params["training"]["precision"] = arguments.precision
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    (folder / "data").symlink_to(ROOT / "data")
    cell = f"{arguments.budget}-h{arguments.horizon}"
    for stage in ("features", "splits", "plan"):
        _stage(folder, stage)
    started = time.perf_counter()
    _stage(folder, "hpo", "--cell", cell)
    wall = time.perf_counter() - started
    lines = (folder / "artifacts" / "hpo" / cell / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    trials = [json.loads(line) for line in lines]
    workers = trials[0]["workers"]
    available = workers * wall
    stepping = sum(trial["train_seconds"] for trial in trials)
    in_trials = sum(trial["seconds"] for trial in trials)
    epochs = sum(trial["epochs_run"] for trial in trials)
    print(f"{cell}: {len(trials)} trials, {epochs} epochs, {workers} workers, {trials[0]['params']['precision']}")
    print(f"wall                         {wall:8.1f} s")
    print(f"in optimizer steps           {100 * stepping / available:8.1f} % of workers x wall")
    print(f"validation, start, last word {100 * (in_trials - stepping) / available:8.1f} %")
    print(f"idle and bookkeeping         {100 * (available - in_trials) / available:8.1f} %")
    print(f"stop reasons                 {dict(Counter(trial['stop_reason'] for trial in trials))}")


def _stage(folder: Path, name: str, *arguments: str) -> None:
    environment = {**os.environ, "DVC_ROOT": str(folder), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "stages" / f"{name}.py"), *arguments]
    subprocess.run(command, cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    main()
