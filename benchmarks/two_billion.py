"""Ten optimizer steps of a model of two billion parameters: peak memory, loss by step, samples a second.

    python benchmarks/two_billion.py --shape 2048x40 [--steps 10] [--device cuda] [--memory-gib 1000] [--made]
        [--out FILE.json]

The model is trained by the engine of the study under the recipe of rung 2B and the batch plan that the planner makes
for `--memory-gib` (what is free where that is less), on windows of the bundled data at horizon 1, each step on other
windows. Once the steps are done the best epoch's weights are kept and restored and the validation region is scored, as
in a trial, so that the peak is that of a trial. Needs torch and the packages of the data stages, and no MLflow, DVC
or Optuna; with `--made`, which trains on noise of the same shape, neither the data nor the packages of its stages.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tsladder.data.dataset import load_dataset
from tsladder.data.windows import FoldWindows, WindowSet
from tsladder.execution.probe import synthetic_windows
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params import load_params
from tsladder.places import Places
from tsladder.planning.cells import geometry_of
from tsladder.planning.machine import survey
from tsladder.planning.memory import plan_batch, predicted_memory_gib
from tsladder.planning.recipe import Settings, recipe_of
from tsladder.training.outcome import Job

ROOT = Path(__file__).resolve().parents[1]
BUDGET, HORIZON = "2B", 1
VALIDATION_WINDOWS = 128
TRAIN_WINDOWS = 2740
"""Made ones: as many as the bundled data has."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="2048x40", help="d_model x n_layers; 16 heads, d_ff = 4 d_model")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--warmup-steps", type=int, default=4)
    parser.add_argument("--memory-gib", type=float, default=8.0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--made", action="store_true", help="train on noise in place of the bundled data")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory(prefix="tsladder-2b-") as folder:
        if arguments.made:
            geometry = geometry_of(load_params(ROOT / "params.yaml"))
            job = _job(arguments, geometry, folder)
            train, validation = (synthetic_windows(job.spec, count) for count in (TRAIN_WINDOWS, VALIDATION_WINDOWS))
        else:
            windows, geometry = market_windows(Path(folder))
            job = _job(arguments, geometry, folder)
            train, validation = windows.train, windows.validation
        fold = FoldWindows(train=train, validation=validation)
        child = multiprocessing.get_context("spawn").Process(
            target=_train, args=(theirs, job, fold, arguments.steps), daemon=True
        )
        child.start()
        theirs.close()
        record = ours.recv()
        child.join()
    record |= {
        "machine": _machine(job.device),
        "predicted_memory_gib": round(predicted_memory_gib(job.spec, job.plan), 2),
    }
    text = json.dumps(record, indent=2) + "\n"
    print(text)
    if arguments.out is not None:
        arguments.out.write_text(text, encoding="utf-8")


def market_windows(folder: Path) -> tuple[WindowSet, Geometry]:
    """The windows of the bundled data at HORIZON and the shape of what a model is shown; `folder` takes the files."""
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "data").symlink_to(ROOT / "data")
    for stage in ("features", "splits"):
        environment = {**os.environ, "DVC_ROOT": str(folder), "PYTHONPATH": str(ROOT / "src")}
        subprocess.run([sys.executable, str(ROOT / "stages" / f"{stage}.py")], cwd=folder, env=environment, check=True)
    places = Places(folder, folder / ".tsladder")
    params = load_params(places.params)
    dataset = load_dataset(
        places.features,
        places.horizon_splits(HORIZON),
        target=params.target,
        windows=params.windows,
        horizon=HORIZON,
    )
    return dataset.windows, geometry_of(params)


def _job(arguments: argparse.Namespace, geometry: Geometry, folder: str) -> Job:
    params = load_params(ROOT / "params.yaml")
    machine = survey(dataclasses.replace(params.hardware, device=arguments.device))
    d_model, n_layers = (int(part) for part in arguments.shape.split("x"))
    spec = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=16, d_ff=4 * d_model)
    recipe = recipe_of(params.training, params.search.chosen, BUDGET, params.target.task)
    plan = plan_batch(
        spec,
        effective_batch=recipe.effective_batch,
        precision=recipe.precision,
        optimizer=recipe.optimizer,
        memory_gib=min(arguments.memory_gib, machine.memory_gib),
    )
    if plan is None:
        sys.exit(f"{spec.architecture()} does not fit {arguments.memory_gib} GiB")
    return Job(
        spec=spec,
        settings=Settings(
            learning_rate=arguments.learning_rate,
            weight_decay=1e-3,
            dropout=0.1,
            warmup_steps=arguments.warmup_steps,
            epochs=1,
        ),
        recipe=recipe,
        task="direction",
        seed=1,
        plan=plan,
        device=machine.device,
        threads=machine.cores,
        scratch_folder=folder,
    )


def _train(channel: Connection, job: Job, windows: FoldWindows, steps: int) -> None:
    import torch

    from tsladder.execution.worker import allocate_for, peak_memory_gib
    from tsladder.tasks import load as load_task
    from tsladder.training.best_weights import BestWeights
    from tsladder.training.feed import WindowFeed
    from tsladder.training.optim import learning_rate_factor
    from tsladder.training.trainer import Trainer, predict_logits

    allocate_for(job.plan)
    torch.set_num_threads(job.threads)
    started = time.perf_counter()
    trainer = Trainer(job, load_task(job.task).training_loss(job.recipe.loss, windows.train.y_N))
    built = time.perf_counter() - started
    resting = peak_memory_gib(job.device)
    feed = WindowFeed(windows.train, trainer.device)
    order = torch.randperm(len(feed), generator=torch.Generator().manual_seed(job.seed)).to(trainer.device)
    losses, seconds = [], []
    for number in range(steps):
        # Past the last window the order starts again.
        index_B = order.roll(-number * job.plan.effective_batch)[: job.plan.effective_batch]
        factor = learning_rate_factor(
            number, total_steps=steps + 1, warmup_steps=job.settings.warmup_steps, schedule=job.recipe.schedule
        )
        before = time.perf_counter()
        loss = trainer.step(feed, index_B, job.settings.learning_rate * factor).trained.item() / len(index_B)
        seconds.append(time.perf_counter() - before)
        losses.append(loss)
        print(f"step {number + 1}: loss {loss:.4f} in {seconds[-1]:.2f} s", file=sys.stderr, flush=True)
        if not math.isfinite(loss):
            break
    kept = BestWeights(trainer.weights, Path(job.scratch_folder or "."))
    kept.keep(1)
    kept.restore()
    kept.discard()
    validation = dataclasses.replace(
        windows.validation,
        ends_N=windows.validation.ends_N[:VALIDATION_WINDOWS],
        scale_NF=windows.validation.scale_NF[:VALIDATION_WINDOWS],
        shift_NF=windows.validation.shift_NF[:VALIDATION_WINDOWS],
        y_N=windows.validation.y_N[:VALIDATION_WINDOWS],
        dates_N=windows.validation.dates_N[:VALIDATION_WINDOWS],
    )
    before = time.perf_counter()
    predict_logits(trainer.model, WindowFeed(validation, trainer.device), job.plan.micro_batch)
    scored = time.perf_counter() - before
    median = sorted(seconds)[len(seconds) // 2]
    channel.send(
        {
            "architecture": job.spec.architecture(),
            "n_params": job.spec.n_params,
            "plan": dataclasses.asdict(job.plan),
            "learning_rate": job.settings.learning_rate,
            "warmup_steps": job.settings.warmup_steps,
            "losses": [round(loss, 5) for loss in losses],
            "seconds_a_step": [round(value, 3) for value in seconds],
            "samples_per_s": round(job.plan.effective_batch / median, 2),
            "scored_samples_per_s": round(VALIDATION_WINDOWS / scored, 2),
            "seconds_to_build": round(built, 1),
            "peak_after_build_gib": round(resting, 2),
            "peak_memory_gib": round(peak_memory_gib(job.device), 2),
        }
    )


def _machine(device: str) -> dict[str, object]:
    import torch

    found = {"processor": platform.machine(), "cores": os.cpu_count(), "torch": torch.__version__}
    return found | {"gpu": torch.cuda.get_device_name()} if device == "cuda" else found


if __name__ == "__main__":
    main()
