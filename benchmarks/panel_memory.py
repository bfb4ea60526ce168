"""Predicted against measured peak memory and time of a training process of a panel, on made-up cubes.

    python benchmarks/panel_memory.py [--family NAME] [--stocks 36] [--drawn 64] [--sessions 2518]
        [--threads 1] [--every 3] [--out FILE]

Every case is trained for two epochs of two steps in a worker of its own, as a trial would be, and its peak resident
size, or that of the allocator on a GPU, is held against what `tsladder plan` predicts without calibration.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import numpy as np

from tsladder.artifacts.outcome import BatchPlan
from tsladder.artifacts.plans import PanelRecipe
from tsladder.execution.probe import EPOCHS, trained
from tsladder.families import panel_names
from tsladder.models.spec import ModelSpec, PanelGeometry
from tsladder.panel.cube import Cube, CubeContents, build_cube, open_cube
from tsladder.panel.dataset import CellDays, DayFold
from tsladder.panel.day_batches import DaySamples
from tsladder.params import HardwareParams
from tsladder.planning.duration import step_terms
from tsladder.planning.machine import survey
from tsladder.planning.memory import HeldPanel, memory_terms, predicted_memory_gib, scoring_batch, with_micro_batch
from tsladder.planning.recipe import Settings
from tsladder.training.outcome import Job

SESSIONS = 60
DAYS = 150
"""Sessions of a cube beside those of the first window, unless it is asked for more."""

FEATURES = 9
NEIGHBOURS = 20
EDGE_FEATURES = 3
HORIZONS = (1, 5)

ADAMW32 = ("fp32", "adamw")
MIXED = ("bf16-mixed", "adamw")
LEAN = ("bf16", "lean")

Case = tuple[int, tuple[int, int, int, int], tuple[str, str], int, int, bool, int | None]
"""Stocks, (d_model, n_layers, n_heads, d_ff / d_model), (precision, optimizer), effective batch and micro-batch in
days, checkpointing, stocks at once."""

CASES: tuple[Case, ...] = (
    (36, (16, 3, 4, 4), ADAMW32, 32, 32, False, None),
    (36, (32, 6, 4, 4), ADAMW32, 32, 32, False, None),
    (36, (64, 4, 8, 4), ADAMW32, 32, 32, False, None),
    (36, (128, 4, 8, 4), ADAMW32, 32, 32, False, None),
    (36, (256, 8, 8, 4), ADAMW32, 32, 32, False, None),
    (36, (256, 8, 8, 4), ADAMW32, 32, 32, True, None),
    (36, (128, 4, 8, 4), MIXED, 32, 32, False, None),
    (431, (16, 3, 4, 4), ADAMW32, 32, 32, False, None),
    (431, (32, 6, 4, 4), ADAMW32, 32, 8, False, None),
    (431, (64, 4, 8, 4), ADAMW32, 32, 32, False, None),
    (431, (128, 4, 8, 4), ADAMW32, 8, 8, False, None),
    (431, (128, 4, 8, 4), ADAMW32, 8, 8, True, None),
    (431, (128, 8, 8, 4), ADAMW32, 2, 1, True, None),
    (431, (128, 8, 8, 4), ADAMW32, 2, 1, True, 54),
    (431, (64, 16, 8, 4), ADAMW32, 4, 4, True, 108),
    (431, (128, 4, 8, 4), MIXED, 8, 8, False, None),
    (431, (128, 4, 8, 4), LEAN, 8, 8, True, None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=panel_names(), default="panel_transformer")
    parser.add_argument("--stocks", type=int, help="only the cases of so many stocks")
    parser.add_argument("--drawn", type=int, help="train on so many stocks, drawn on each day")
    parser.add_argument(
        "--sessions", type=int, default=SESSIONS + DAYS, help="sessions of the cube, all of which count"
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="measure only every so many-th case")
    parser.add_argument("--layers-over-graph", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.sessions < SESSIONS + DAYS:
        parser.error(f"--sessions must be at least {SESSIONS + DAYS}, which the windows need, got {arguments.sessions}")
    machine = survey(HardwareParams(device=arguments.device, memory_gib=None, workers="auto"))
    cases = [case for case in CASES if arguments.stocks in (None, case[0])][:: arguments.every]
    rows = []
    print(
        f"{'stocks':>6} {'d x L x heads x ratio':22}{'N':>12}{'precision':>12}{'days':>6}{'ckpt':>6}{'at once':>8}"
        f"{'predicted':>11}{'measured':>10}{'error':>8}{'s/step':>9}"
    )
    with tempfile.TemporaryDirectory(prefix="tsladder-panel-memory-") as folder:
        cubes = {
            stocks: made_up_cube(
                Path(folder), stocks, with_graph=arguments.layers_over_graph > 0, sessions=arguments.sessions
            )
            for stocks in {case[0] for case in cases}
        }
        for case in cases:
            row = measured(
                case,
                cubes[case[0]],
                arguments.family,
                arguments.layers_over_graph,
                machine.device,
                arguments.threads,
                arguments.drawn,
            )
            rows.append(row)
    errors = [row["predicted_gib"] / row["measured_gib"] - 1 for row in rows]
    sizes = sorted(abs(error) for error in errors)
    print(
        f"{len(rows)} cases: median error {statistics.median(sizes):.1%}, worst {sizes[-1]:.1%}, "
        f"lowest {min(errors):+.1%}"
    )
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def measured(
    case: Case, cube: Cube, family: str, n_graph: int, device: str, threads: int, drawn: int | None
) -> dict[str, object]:
    """Train one case and print and return what it took beside what was predicted."""
    stocks, (d_model, n_layers, n_heads, ratio), (precision, optimizer), days, micro_batch, checkpointing, at_once = (
        case
    )
    spec = ModelSpec(
        geometry=geometry(family, stocks, n_graph),
        d_model=d_model,
        n_layers=n_layers,
        n_heads=n_heads,
        d_ff=ratio * d_model,
        n_graph=n_graph,
    )
    whole = BatchPlan(
        micro_batch=days,
        accumulation_steps=1,
        effective_batch=days,
        precision=precision,
        optimizer=optimizer,
        activation_checkpointing=checkpointing,
        stocks_at_once=at_once,
    )
    plan = with_micro_batch(whole, micro_batch)
    steps = 2
    fold = DayFold(train=days_of(cube, steps * days), validation=days_of(cube, scoring_batch(plan.micro_batch, stocks)))
    outcome = trained(job_of(spec, plan, device, threads, drawn), fold).outcome
    if outcome.peak_memory_gib is None or outcome.plan != plan:
        raise SystemExit(f"{spec.architecture()} under {plan} ended as {outcome.stop_reason}: {outcome.message}")
    panel = HeldPanel(cube_bytes=cube.size, training_days=steps * days, drawn=drawn)
    predicted, measured_gib = predicted_memory_gib(spec, plan, panel=panel), outcome.peak_memory_gib
    held, step = memory_terms(spec, plan, 1.0, panel=panel)
    seconds = outcome.train_seconds / (EPOCHS * steps)
    shape = f"{d_model} x {n_layers} x {n_heads} x {ratio}"
    print(
        f"{stocks:>6} {shape:22}{spec.n_params:>12,}{precision:>12}{micro_batch:>6}{checkpointing!s:>6}"
        f"{at_once or 'all':>8}{predicted:>11.3f}{measured_gib:>10.3f}{predicted / measured_gib - 1:>+8.1%}"
        f"{seconds:>9.3f}",
        flush=True,
    )
    return {
        "stocks": stocks,
        "architecture": spec.architecture(),
        "n_params": spec.n_params,
        "plan": plan.to_json(),
        "predicted_gib": predicted,
        "measured_gib": measured_gib,
        "held_bytes": held,
        "step_bytes": step,
        "seconds_of_a_step": seconds,
        "terms_of_a_step": step_terms(spec, plan, threads),
    }


def geometry(family: str, stocks: int, n_graph: int) -> PanelGeometry:
    """Return the geometry of the default panel study, with so many stocks."""
    return PanelGeometry(
        family=family,
        context_length=SESSIONS,
        n_features=FEATURES,
        patch_len=12,
        stride=12,
        revin=False,
        stocks=stocks,
        days=20,
        fan_components=2,
        neighbours=NEIGHBOURS if n_graph else 0,
    )


def job_of(spec: ModelSpec, plan: BatchPlan, device: str, threads: int, drawn: int | None = None) -> Job:
    """Return a training of `EPOCHS` epochs, as a search of the default panel study would run it; `drawn`: stocks that
    are drawn on each training day, None: all."""
    return Job(
        spec=spec,
        settings=Settings(learning_rate=1e-4, weight_decay=1e-3, dropout=0.1, warmup_steps=1, epochs=EPOCHS),
        recipe=PanelRecipe(
            effective_batch=plan.effective_batch,
            precision=plan.precision,
            optimizer=plan.optimizer,
            schedule="cosine",
            max_gradient_norm=1.0,
            patience=None,
            min_delta=0.0,
            loss="ic",
            monitor="val_loss",
            loss_weights={"ic": 1.0},
            stocks_per_day=drawn,
        ),
        task="rank",
        seed=1,
        plan=plan,
        device=device,
        threads=threads,
    )


def made_up_cube(folder: Path, stocks: int, *, with_graph: bool, sessions: int = SESSIONS + DAYS) -> Cube:
    """Write a cube of noise and open it: values affect neither memory nor time. All stocks are members of all days."""
    rng = np.random.default_rng(0)
    shape = (sessions, stocks)
    key = f"{stocks:016x}" * 4
    edges_TSkK = rng.normal(size=(*shape, NEIGHBOURS, EDGE_FEATURES)).astype(np.float32) if with_graph else None
    neighbours_TSk = rng.integers(0, stocks, size=(*shape, NEIGHBOURS)).astype(np.int16) if with_graph else None
    contents = CubeContents(
        columns=tuple(f"column_{number}" for number in range(FEATURES)),
        symbols_S=tuple(f"S{number:04}" for number in range(stocks)),
        dates_T=np.datetime64("1999-01-04") + np.arange(sessions).astype("timedelta64[D]"),
        horizons=HORIZONS,
        x_TSF=rng.normal(size=(*shape, FEATURES)).astype(np.float32),
        here_TS=np.ones(shape, dtype=np.bool_),
        member_TS=np.ones(shape, dtype=np.bool_),
        return_TS=(0.01 * rng.normal(size=shape)).astype(np.float32),
        y_TSM=(0.01 * rng.normal(size=(*shape, len(HORIZONS)))).astype(np.float32),
        neighbours_TSk=neighbours_TSk,
        edges_TSkK=edges_TSkK,
    )
    return open_cube(build_cube(folder, key, contents), key)


def days_of(cube: Cube, count: int) -> CellDays:
    """Return so many sample days of `cube`, from the first one on; the same days again where it has fewer."""
    rows_N = SESSIONS - 1 + np.arange(count, dtype=np.int64) % 140
    return CellDays(
        days=DaySamples(cube=cube, rows_N=rows_N, context_length=SESSIONS),
        places_M=(0,),
        transform="rank",
        entry_lag=1,
        horizon=1,
        cost_bps=5.0,
    )


if __name__ == "__main__":
    main()
