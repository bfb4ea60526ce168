"""Throughput of the training engine beside a plain trainer, at the same windows and architectures.

    make bench        or        python benchmarks/engine.py [--device cuda] [--precision fp32 ...] [--shape 64x40 ...]

Every process is started once and waits; then the plain trainer (benchmarks/reference.py) and ours take turns for
`--rounds` rounds, so that both see the same weather on a shared machine. Figures are medians over the rounds. Ours is
laid out as a cell of that size would be on this machine: so many worker processes on so many threads each, all running
at once; their samples a second are added up. GFLOP/s count 6 x parameters x patches x samples; the peak is that of one
square matrix product in the same precision on all cores (or the GPU), measured in the same rounds.

Prints a table and writes benchmarks/results/bench.json. Needs torch and numpy only.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tsladder.artifacts.plans import Recipe
from tsladder.data.windows import Windows
from tsladder.families.patchtst import n_patches
from tsladder.models.spec import Geometry, ModelSpec
from tsladder.params import HardwareParams
from tsladder.planning.machine import Machine, lay_out, survey
from tsladder.planning.memory import plan_batch
from tsladder.planning.recipe import Settings
from tsladder.training.outcome import Job

RESULTS = Path(__file__).resolve().parent / "results" / "bench.json"
GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
WINDOWS = 2740
"""As many as the bundled data has for training; what they hold does not change how long a step takes."""
BATCH = 256
DROPOUT = 0.1
HEADS = {64: 4, 128: 4, 384: 8, 1024: 16}
SECONDS_A_TURN = 4.0
MAX_STEPS_A_TURN = 40
PEAK_SIZE = 4096
SHAPES = ("64x40", "128x10", "384x12", "1024x16")


@dataclass(frozen=True, slots=True)
class Row:
    """One architecture in one precision, as bench.json holds it."""

    d_model: int
    n_layers: int
    n_heads: int
    n_params: int
    reference_samples_per_s: float
    ours_samples_per_s: float
    ratio: float
    gflops: float
    peak_gflops: float
    peak_share: float
    precision: str
    workers: int
    threads: int


def main() -> None:
    arguments = _arguments()
    machine = survey(HardwareParams(device=arguments.device, memory_gib=None, workers=arguments.workers))
    rows = []
    for shape in arguments.shape:
        d_model, n_layers = (int(part) for part in shape.split("x"))
        spec = ModelSpec(
            geometry=GEOMETRY, d_model=d_model, n_layers=n_layers, n_heads=HEADS.get(d_model, 4), d_ff=4 * d_model
        )
        rows += _measure(spec, machine, arguments)
    _print(rows)
    record = {"machine": _machine(machine), "windows": WINDOWS, "batch": BATCH, "rounds": arguments.rounds}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**record, "rows": [asdict(row) for row in rows]}, indent=2) + "\n"
    arguments.out.write_text(text, encoding="utf-8")
    print(f"written to {arguments.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16-mixed"])
    parser.add_argument("--shape", nargs="+", default=list(SHAPES), help="d_model x n_layers, for example 128x10")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=lambda text: text if text == "auto" else int(text), default="auto")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _measure(spec: ModelSpec, machine: Machine, arguments: argparse.Namespace) -> list[Row]:
    hardware = HardwareParams(device=arguments.device, memory_gib=None, workers=arguments.workers)
    layout = lay_out(spec, machine, hardware)
    # They load torch side by side; every turn that counts begins when all are ready.
    reference = _Team([(_plain, (spec, machine.device))])
    teams = {}
    peaks = {}
    for precision in arguments.precision:
        job = _job(spec, precision, machine, layout.threads, layout.workers)
        teams[precision] = _Team([(_ours, (job,))] * layout.workers)
        peaks[precision] = _Team([(_peak, (precision, machine.device))])
    plain_rates: list[float] = []
    rates: dict[str, list[float]] = {precision: [] for precision in teams}
    products: dict[str, list[float]] = {precision: [] for precision in teams}
    everybody = [reference, *teams.values(), *peaks.values()]
    try:
        # The first turn warms up (a GPU loads its kernels then), the second tells how many steps fill a turn.
        for team in everybody:
            team.wait_until_ready()
            team.turn(1)
        steps = [max(1, min(MAX_STEPS_A_TURN, round(SECONDS_A_TURN / max(team.turn(1))))) for team in everybody]
        for _ in range(arguments.rounds):
            done = [
                [count / seconds for seconds in team.turn(count)] for team, count in zip(everybody, steps, strict=True)
            ]
            plain_rates.append(BATCH * done[0][0])
            for number, precision in enumerate(teams, start=1):
                rates[precision].append(BATCH * sum(done[number]))
                products[precision].append(2e-9 * PEAK_SIZE**3 * done[len(teams) + number][0])
    finally:
        for team in everybody:
            team.end()
    plain = statistics.median(plain_rates)
    rows = []
    for precision in teams:
        ours = statistics.median(rates[precision])
        gflops = 6e-9 * spec.n_params * n_patches(GEOMETRY) * ours
        peak = statistics.median(products[precision])
        rows.append(
            Row(
                d_model=spec.d_model,
                n_layers=spec.n_layers,
                n_heads=spec.n_heads,
                n_params=spec.n_params,
                reference_samples_per_s=round(plain, 1),
                ours_samples_per_s=round(ours, 1),
                # Pairs of the same round, so that a slow minute slows both.
                ratio=round(statistics.median(o / p for o, p in zip(rates[precision], plain_rates, strict=True)), 2),
                gflops=round(gflops, 1),
                peak_gflops=round(peak, 1),
                peak_share=round(gflops / peak, 3),
                precision=precision,
                workers=layout.workers,
                threads=layout.threads,
            )
        )
        print(_line(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _job(spec: ModelSpec, precision: str, machine: Machine, threads: int, workers: int) -> Job:
    plan = plan_batch(
        spec,
        effective_batch=BATCH,
        precision=precision,
        optimizer="adamw",
        # The plain trainer and the other precisions stay in memory while one team runs.
        memory_gib=machine.memory_gib / (2 * workers),
    )
    if plan is None:
        sys.exit(f"{spec.architecture()} does not fit {machine.memory_gib:.1f} GiB")
    return Job(
        spec=spec,
        settings=Settings(learning_rate=3e-4, weight_decay=1e-3, dropout=DROPOUT, warmup_steps=10, epochs=1),
        recipe=Recipe(
            effective_batch=BATCH,
            precision=precision,
            optimizer="adamw",
            schedule="cosine",
            max_gradient_norm=1.0,
            patience=None,
            min_delta=0.0,
            loss="bce",
            monitor="val_loss",
        ),
        task="direction",
        seed=1,
        plan=plan,
        device=machine.device,
        threads=threads,
    )


class _Team:
    """Processes that take their turn at once when told, and sleep otherwise."""

    def __init__(self, members: list[tuple[object, tuple[object, ...]]]) -> None:
        context = multiprocessing.get_context("spawn")
        self._members: list[tuple[BaseProcess, Connection]] = []
        for target, args in members:
            ours, theirs = context.Pipe()
            process = context.Process(target=target, args=(theirs, *args), daemon=True)  # type: ignore[arg-type]
            process.start()
            theirs.close()
            self._members.append((process, ours))

    def wait_until_ready(self) -> None:
        for _, channel in self._members:
            channel.recv()

    def turn(self, steps: int) -> list[float]:
        """Seconds that each member took for `steps` steps, all at the same time."""
        for _, channel in self._members:
            channel.send(steps)
        return [channel.recv() for _, channel in self._members]

    def end(self) -> None:
        for process, channel in self._members:
            channel.send(None)
            process.join()


def _take_turns(channel: Connection, run: object) -> None:
    channel.send("ready")
    while (steps := channel.recv()) is not None:
        channel.send(run(steps))  # type: ignore[operator]


def _windows() -> Windows:
    rng = np.random.default_rng(0)
    days, features = WINDOWS + GEOMETRY.context_length - 1, GEOMETRY.n_features
    return Windows(
        series_TF=rng.normal(size=(days, features)).astype(np.float32),
        ends_N=np.arange(GEOMETRY.context_length - 1, days, dtype=np.int64),
        scale_NF=np.ones((WINDOWS, features), np.float32),
        shift_NF=np.zeros((WINDOWS, features), np.float32),
        y_N=(rng.random(WINDOWS) < 0.25).astype(np.float32),
        dates_N=np.datetime64("1999-01-04") + np.arange(WINDOWS).astype("timedelta64[D]"),
        context_length=GEOMETRY.context_length,
    )


def _plain(channel: Connection, spec: ModelSpec, device: str) -> None:
    import torch
    from reference import PlainEncoder, PlainTrainer

    torch.manual_seed(0)
    windows = _windows()
    g = spec.geometry
    model = PlainEncoder(
        context_length=g.context_length,
        n_features=g.n_features,
        patch_len=g.patch_len,
        stride=g.stride,
        d_model=spec.d_model,
        n_layers=spec.n_layers,
        n_heads=spec.n_heads,
        d_ff=spec.d_ff,
        dropout=DROPOUT,
    )
    x = torch.from_numpy(windows.batch(np.arange(len(windows))))
    _take_turns(channel, PlainTrainer(model, x, torch.from_numpy(windows.y_N), device=device).run)


def _ours(channel: Connection, job: Job) -> None:
    import torch

    from tsladder.execution.worker import allocate_for
    from tsladder.tasks import load as load_task
    from tsladder.training.feed import WindowFeed
    from tsladder.training.trainer import Trainer

    allocate_for(job.plan)
    torch.set_num_threads(job.threads)
    windows = _windows()
    trainer = Trainer(job, load_task(job.task).training_loss(job.recipe.loss, windows.y_N))
    feed = WindowFeed(windows, trainer.device)
    order = torch.Generator().manual_seed(0)

    def run(steps: int) -> float:
        started = time.perf_counter()
        loss = torch.zeros(())
        for _ in range(steps):
            index_B = torch.randperm(len(feed), generator=order)[:BATCH].to(trainer.device)
            loss = trainer.step(feed, index_B, job.settings.learning_rate).trained
        loss.item()  # waits for the device
        return time.perf_counter() - started

    _take_turns(channel, run)


def _peak(channel: Connection, precision: str, device: str) -> None:
    import torch

    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    left, right = (torch.randn(PEAK_SIZE, PEAK_SIZE, device=device).to(dtype) for _ in range(2))

    def run(products: int) -> float:
        started = time.perf_counter()
        for _ in range(products):
            product = left @ right
        product[0, 0].item()
        return time.perf_counter() - started

    _take_turns(channel, run)


def _machine(machine: Machine) -> str:
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    flags = ""
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = ", ".join(flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if flag in value.split())
    import torch

    accelerator = f", {torch.cuda.get_device_name()}" if machine.device == "cuda" else ""
    features = f" ({flags})" if flags else ""
    return f"{name}{features}, {len(os.sched_getaffinity(0))} cores{accelerator}, torch {torch.__version__}"


_HEAD = ("architecture", "N", "precision", "workers x threads", "reference/s", "ours/s", "ratio", "GFLOP/s", "of peak")


def _cells(row: Row) -> tuple[str, ...]:
    return (
        f"{row.d_model} x {row.n_layers}",
        f"{row.n_params:,}",
        row.precision,
        f"{row.workers} x {row.threads}",
        f"{row.reference_samples_per_s:.1f}",
        f"{row.ours_samples_per_s:.1f}",
        f"{row.ratio:.2f}",
        f"{row.gflops:.0f}",
        f"{100 * row.peak_share:.0f} %",
    )


def _line(row: Row) -> str:
    return "| " + " | ".join(_cells(row)) + " |"


def _print(rows: list[Row]) -> None:
    print("| " + " | ".join(_HEAD) + " |")
    print("|" + " --- |" * len(_HEAD))
    for row in rows:
        print(_line(row))


if __name__ == "__main__":
    main()
