"""Lean against standard training of one architecture, over a full training, on the same seeds.

    python benchmarks/parity.py [--shape 128x10] [--seeds 3] [--out FILE.json]

Standard is AdamW on fp32 masters (bf16-mixed), lean the factored optimizer on bf16 weights rounded stochastically: the
recipes of the rungs below and above 1B. Each is trained at each learning rate of `--learning-rates`, and compared at
its own best one, as a search would choose it. Reported: validation loss by seed, the difference of the means, and the
spread of the seeds that it is to be seen against.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import tempfile
from pathlib import Path

from two_billion import market_windows

from tsladder.execution.crew import Ended
from tsladder.execution.supervisor import Supervisor
from tsladder.models.spec import ModelSpec
from tsladder.params import HardwareParams, load_params
from tsladder.planning.machine import survey
from tsladder.planning.memory import plan_batch
from tsladder.planning.recipe import Recipe, Settings
from tsladder.training.outcome import Job

ROOT = Path(__file__).resolve().parents[1]
BUDGET = "2M"
SIDES = {"standard": ("bf16-mixed", "adamw"), "lean": ("bf16", "lean")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="128x10", help="d_model x n_layers; 8 heads, d_ff = 4 d_model")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--learning-rates", default="3e-4")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    with tempfile.TemporaryDirectory(prefix="tsladder-parity-") as folder:
        windows, geometry = market_windows(Path(folder))
    d_model, n_layers = (int(part) for part in arguments.shape.split("x"))
    spec = ModelSpec(geometry=geometry, d_model=d_model, n_layers=n_layers, n_heads=8, d_ff=4 * d_model)
    machine = survey(HardwareParams(device="auto", memory_gib=None, workers="auto"))
    base = Recipe.from_params(params.training, params.search.chosen, BUDGET, params.target.task)
    jobs = {}
    for side, (precision, optimizer) in SIDES.items():
        recipe = dataclasses.replace(base, precision=precision, optimizer=optimizer)
        plan = plan_batch(
            spec,
            effective_batch=recipe.effective_batch,
            precision=precision,
            optimizer=optimizer,
            memory_gib=machine.memory_gib / machine.cores,
        )
        if plan is None:
            raise SystemExit(f"{spec.n_params:,} parameters do not fit {machine.memory_gib:.1f} GiB")
        for rate in map(float, arguments.learning_rates.split(",")):
            for seed in range(1, arguments.seeds + 1):
                settings = Settings(
                    learning_rate=rate, weight_decay=1e-3, dropout=0.2, warmup_steps=22, epochs=arguments.epochs
                )
                jobs[side, rate, seed] = Job(
                    spec=spec,
                    settings=settings,
                    recipe=recipe,
                    task="direction",
                    seed=seed,
                    plan=plan,
                    device=machine.device,
                    threads=1,
                )
    losses = _train(jobs, Supervisor(windows.train, windows.validation), machine.cores)
    record = _record(losses, spec, arguments.seeds)
    print(json.dumps(record, indent=1))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _train(
    jobs: dict[tuple[str, float, int], Job], supervisor: Supervisor, workers: int
) -> dict[tuple[str, float, int], dict[str, float]]:
    waiting, names, losses = list(jobs), list(jobs), {}
    try:
        while waiting or supervisor.running:
            while waiting and len(supervisor.running) < workers:
                name = waiting.pop(0)
                supervisor.start(names.index(name), jobs[name])
            for event in supervisor.events(timeout=1.0):
                if isinstance(event, Ended):
                    outcome, name = event.outcome, names[event.number]
                    if outcome.best_val_loss is None:
                        raise SystemExit(f"{name} ended as {outcome.stop_reason}: {outcome.message}")
                    losses[name] = {"val_loss": outcome.best_val_loss, "epochs": float(len(outcome.curve))}
                    print(name, outcome.best_val_loss, outcome.stop_reason, len(outcome.curve), flush=True)
    finally:
        supervisor.end_now()
    return losses


def _record(losses: dict[tuple[str, float, int], dict[str, float]], spec: ModelSpec, seeds: int) -> dict[str, object]:
    record: dict[str, object] = {"n_params": spec.n_params, "architecture": spec.architecture()}
    best = {}
    for side in SIDES:
        rates = sorted({rate for name, rate, _ in losses if name == side})
        means = {r: statistics.mean(losses[side, r, s]["val_loss"] for s in range(1, seeds + 1)) for r in rates}
        rate = min(means, key=lambda r: means[r])
        best[side] = [losses[side, rate, s]["val_loss"] for s in range(1, seeds + 1)]
        record[side] = {
            "learning_rate": rate,
            "means_by_rate": {f"{r:g}": round(mean, 5) for r, mean in means.items()},
            "val_losses": [round(loss, 5) for loss in best[side]],
            "epochs": [losses[side, rate, s]["epochs"] for s in range(1, seeds + 1)],
            "standard_deviation": round(statistics.stdev(best[side]), 5),
        }
    difference = statistics.mean(best["lean"]) - statistics.mean(best["standard"])
    spread = max(statistics.stdev(best[side]) for side in SIDES)
    record |= {
        "difference_of_means": round(difference, 5),
        "larger_standard_deviation_of_seeds": round(spread, 5),
        "within_the_seeds_spread": abs(difference) <= spread,
    }
    return record


if __name__ == "__main__":
    main()
