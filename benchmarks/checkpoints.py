"""What checkpoints cost a training: seconds of writing and reading one, and of the beats inside its blocks.

    python benchmarks/checkpoints.py [--shapes 128x10:bf16-mixed:adamw 384x12:bf16-mixed:adamw] [--out FILE.json]

For each shape (d_model x n_layers, precision, optimizer) on the default data: the median of five writes, the size of
the file, the reading of it, and, interleaved, the median step with and without beats in its blocks. `overhead` is what
a training loses that writes one checkpoint every `training.checkpoint_minutes`: writing over that interval, plus the
share that the beats add to a step.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from two_billion import market_windows

from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams, load_params
from tsladder.planning.machine import survey
from tsladder.planning.memory import plan_batch
from tsladder.planning.recipe import Settings, recipe_of
from tsladder.tasks import load as load_task
from tsladder.training.best_weights import BestWeights
from tsladder.training.checkpoint_plan import CheckpointPlan
from tsladder.training.checkpoints import STATE, Checkpoints
from tsladder.training.feed import WindowFeed
from tsladder.training.gradients import beat_in_blocks
from tsladder.training.outcome import Job
from tsladder.training.trainer import Trainer
from tsladder.training.training_state import TrainingProgress

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = ("64x6:fp32:adamw", "128x10:bf16-mixed:adamw", "384x12:bf16-mixed:adamw")
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=DEFAULT)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    minutes = load_params(ROOT / "params.yaml").training.checkpoint_minutes or 10.0
    with tempfile.TemporaryDirectory(prefix="tsladder-checkpoints-") as folder:
        windows, geometry = market_windows(Path(folder))
        rows = []
        for text in arguments.shapes:
            shape, precision, optimizer = text.split(":")
            d_model, n_layers = (int(part) for part in shape.split("x"))
            spec = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=8, d_ff=4 * d_model)
            job = _job(spec, precision, optimizer)
            rows.append(_measure(job, windows, Path(folder) / shape, minutes))
            print(json.dumps(rows[-1]), flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _job(spec: ModelSpec, precision: str, optimizer: str) -> Job:
    params = load_params(ROOT / "params.yaml")
    base = recipe_of(params.training, params.search.chosen, "2M", params.target.task)
    recipe = dataclasses.replace(base, precision=precision, optimizer=optimizer)
    machine = survey(HardwareParams(device="cpu", memory_gib=None, workers="auto"))
    plan = plan_batch(
        spec,
        effective_batch=recipe.effective_batch,
        precision=precision,
        optimizer=optimizer,
        memory_gib=machine.memory_gib,
    )
    if plan is None:
        raise SystemExit(f"{spec.n_params:,} parameters do not fit {machine.memory_gib:.1f} GiB")
    settings = Settings(learning_rate=3e-4, weight_decay=1e-3, dropout=0.2, warmup_steps=22, epochs=20)
    return Job(
        spec=spec,
        settings=settings,
        recipe=recipe,
        task="direction",
        seed=1,
        plan=plan,
        device="cpu",
        threads=torch.get_num_threads(),
    )


def _measure(job: Job, windows: object, folder: Path, minutes: float) -> dict[str, object]:
    train = windows.train  # type: ignore[attr-defined]
    loss = load_task(job.task).training_loss(job.recipe.loss, train.y_N)
    feed = WindowFeed(train, torch.device("cpu"))
    index_B = torch.arange(job.plan.effective_batch)
    trainers = {"plain": Trainer(job, loss), "beats": Trainer(job, loss)}
    beat_in_blocks(trainers["beats"].model, lambda: None)
    steps: dict[str, list[float]] = {name: [] for name in trainers}
    for number in range(ROUNDS + 1):
        for name, trainer in trainers.items():
            began = time.perf_counter()
            trainer.step(feed, index_B, 1e-4)
            if number > 0:
                steps[name].append(time.perf_counter() - began)
    trainer = trainers.pop("beats")
    plan = CheckpointPlan(folder=str(folder), identity="this", every_seconds=60.0 * minutes, predicted_longer=True)
    checkpoints = Checkpoints(plan, say=print, stop_requested=lambda: False)
    best = BestWeights(trainer.weights, None)
    best.keep(1)
    course = TrainingProgress(job, trainer, best, checkpoints)
    writes = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        course.write()
        writes.append(time.perf_counter() - began)
    size = (folder / STATE).stat().st_size
    began = time.perf_counter()
    TrainingProgress(job, trainer, best, checkpoints)
    read = time.perf_counter() - began
    write, ratio = statistics.median(writes), statistics.median(map(float.__truediv__, steps["beats"], steps["plain"]))
    return {
        "n_params": job.spec.n_params,
        "precision": job.recipe.precision,
        "optimizer": job.recipe.optimizer,
        "file_mb": round(size / 1e6, 1),
        "write_seconds": round(write, 3),
        "read_seconds": round(read, 3),
        "step_seconds": round(statistics.median(steps["plain"]), 3),
        "step_ratio_with_beats": round(ratio, 4),
        "overhead": round(write / (60.0 * minutes) + max(0.0, ratio - 1.0), 5),
    }


if __name__ == "__main__":
    main()
