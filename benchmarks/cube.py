"""Seconds and memory to build the cube of a made-up panel, and how fast it is read, beside the same values in Parquet.

    python benchmarks/cube.py [--stocks 500] [--sessions 5000] [--tier v27] [--graph-every 5] [--folder DIR]

The cube is built in a process of its own, whose peak memory is that of everything: panel, columns, labels, file.
Opening reads nothing but ends and counts, so it has seconds and no speed. Reading means every byte and every CRC32;
cold is with the pages of the file dropped from this machine's memory (what a disk or a hypervisor keeps stays there).
With --graph-every the cube holds the graph over the stocks, too, its lists made again every so many sessions.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import mmap
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsladder.panel.cube import Cube, build_cube, cube_contents, open_cube
from tsladder.panel.cube_reader import verify_cube
from tsladder.panel.day_batches import DaySampler, DaySamples
from tsladder.panel.panel import Panel, PanelManifest, PanelOrigin, Returns, UniverseKind
from tsladder.panel.samples import build_inputs, with_graph
from tsladder.panel.study_cube import study_cube_key
from tsladder.params import (
    GraphParams,
    PanelDataParams,
    PanelParams,
    PanelSplitParams,
    PanelWindowParams,
    RankingEvaluationParams,
    RankTargetParams,
    UniverseParams,
    load_panel_params,
)
from tsladder.params.sections import StudyParams

CONTEXT_LENGTH = 60
HORIZONS = (1, 5)
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stocks", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--tier", default="v27")
    parser.add_argument("--graph-every", type=int, help="with the graph, made again every so many sessions")
    parser.add_argument("--folder", type=Path, help="where the files are written; default: a temporary folder")
    parser.add_argument("--batch-days", type=int, default=32)
    parser.add_argument("--stocks-per-day", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of reading batches, each way")
    parser.add_argument("--build", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        print(json.dumps(build(options)))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, pyarrow {pa.__version__}")
    graph = "no graph" if options.graph_every is None else f"a graph every {options.graph_every} sessions"
    print(f"{options.stocks} stocks, {options.sessions} sessions, tier {options.tier}, horizons {HORIZONS}, {graph}")
    built = built_elsewhere(folder, options)
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in built["seconds"].items())
    whole = f"{sum(built['seconds'].values()):.1f} s, {built['cpu_seconds']:.1f} s of processor time"
    print(f"build      {whole} ({parts}); peak memory {built['peak_gib']:.2f} GiB")
    path, key = Path(built["path"]), built["key"]
    size = path.stat().st_size
    print(f"file       {size / 1e6:.1f} MB")
    opened = [timed(lambda: open_cube(path, key))[0] for _ in range(ROUNDS)]
    print(f"(i)   open {1000 * statistics.median(opened):.1f} ms (first {1000 * opened[0]:.1f} ms): nothing read yet")
    cold = drop(path)
    shown("(ii)  cold", timed(lambda: verify_cube(path))[0], size, f"every byte and CRC32; {cold:.0%} was in memory")
    warm = statistics.median(timed(lambda: verify_cube(path))[0] for _ in range(ROUNDS))
    shown("(iii) warm", warm, size, f"every byte and CRC32, median of {ROUNDS}")
    shown(
        "      zlib", crc32_seconds(path.read_bytes()), size, "CRC32 of the same bytes in memory: the most there can be"
    )
    cube = open_cube(path, key)
    before = pa.total_allocated_bytes()
    for stocks in (None, options.stocks_per_day):
        batches(cube, options.batch_days, stocks, options.seconds)
    print(f"           {pa.total_allocated_bytes() - before} bytes allocated by Arrow for all of it")
    table_path = folder / "values.parquet"
    values = write_parquet(table_path, cube)
    cold = drop(table_path)
    seconds, _ = timed(lambda: pq.read_table(table_path))
    size = table_path.stat().st_size
    told = f"{size / 1e6:.1f} MB of zstd become {values / 1e6:.1f} MB"
    print(f"Parquet    read whole, cold {seconds:.2f} s ({cold:.0%} was in memory), {told}")
    warm = statistics.median(timed(lambda: pq.read_table(table_path))[0] for _ in range(3))
    print(f"Parquet    read whole, warm {warm:.2f} s ({values / warm / 1e9:.2f} GB/s of values)")


def shown(what: str, seconds: float, size: int, more: str) -> None:
    print(f"{what} {seconds:.3f} s, {size / seconds / 1e9:.2f} GB/s ({more})")


def crc32_seconds(raw: bytes) -> float:
    return timed(lambda: zlib.crc32(raw))[0]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def built_elsewhere(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    sizes = ["--sessions", str(options.sessions), "--stocks", str(options.stocks), "--tier", options.tier]
    graph = [] if options.graph_every is None else ["--graph-every", str(options.graph_every)]
    command = [sys.executable, __file__, "--build", "--folder", str(folder), *sizes, *graph]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def build(options: argparse.Namespace) -> dict[str, Any]:
    """Build the cube in the folder; its path and key, the seconds of each part and this process's peak memory."""
    panel, params = walk(options.sessions, options.stocks), question(options.tier, options.graph_every)
    seconds: dict[str, float] = {}
    began = time.process_time()
    seconds["inputs"], inputs = timed(lambda: build_inputs(panel, params))
    seconds["key"], key = timed(lambda: study_cube_key(inputs, params))
    if params.graph is not None:
        seconds["graph"], inputs = timed(lambda: with_graph(inputs, params))
    seconds["labels"], contents = timed(lambda: cube_contents(inputs, params.target, params.horizons))
    seconds["file"], path = timed(lambda: build_cube(options.folder, key, contents))
    cpu_seconds = time.process_time() - began
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"path": str(path), "key": key, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_gib": peak_gib}


def walk(sessions: int, stocks: int) -> Panel:
    """A random walk each, a hundredth of the days not traded, a tenth of the stocks listed late."""
    rng = np.random.default_rng(0)
    shape = (sessions, stocks)
    moves_TS = rng.normal(0.0, 0.01, (sessions, 1)) + rng.normal(0.0, 0.02, shape)
    traded_TS = rng.random(shape) > 0.01
    traded_TS[: sessions // 3, : stocks // 10] = False
    origin = PanelOrigin(
        source="made up", licence="none", returns=Returns.TOTAL, universe=UniverseKind.POINT_IN_TIME, bias=()
    )
    manifest = PanelManifest(
        origin=origin,
        first_day="",
        last_day="",
        sessions=sessions,
        symbols=stocks,
        rows=sessions * stocks,
        columns=(),
        not_traded_rows=0,
        delisted=(),
        sha256={},
    )
    days = np.datetime64("1980-01-01") + np.arange(2 * sessions)
    return Panel(
        name="walk",
        dates_T=days[np.is_busday(days)][:sessions],
        symbols_S=tuple(f"{stock:04d}" for stock in range(stocks)),
        close_TS=np.where(traded_TS, 20.0 * np.exp(np.cumsum(moves_TS, axis=0)), np.nan),
        volume_TS=np.where(traded_TS, np.round(rng.lognormal(12.0, 1.0, shape)), np.nan),
        manifest=manifest,
    )


def question(tier: str, graph_every: int | None = None) -> PanelParams:
    return dataclasses.replace(
        load_panel_params(Path(__file__).resolve().parents[1] / "panel" / "params.yaml"),
        budget=None,
        study=StudyParams(name="cube", phase="benchmark", timescale="daily", seed=42),
        horizons=HORIZONS,
        data=PanelDataParams(panel="walk", tier=tier),
        universe=UniverseParams(),
        target=RankTargetParams(),
        windows=PanelWindowParams(context_length=CONTEXT_LENGTH),
        splits=PanelSplitParams(),
        evaluation=RankingEvaluationParams(bootstrap_draws=200, confidence=0.95),
        graph=None if graph_every is None else GraphParams(every=graph_every),
    )


def drop(path: Path) -> float:
    """Drop the file's pages from memory; the share of them that is still there."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY) as pages:
            held = (ctypes.c_ubyte * -(-len(pages) // mmap.PAGESIZE))()
            first = ctypes.c_char.from_buffer(pages)
            libc = ctypes.CDLL(None, use_errno=True)
            failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(len(pages)), held)
            del first
    return float("nan") if failed else sum(page & 1 for page in held) / len(held)


def batches(cube: Cube, batch_days: int, stocks: int | None, seconds: float) -> None:
    """Print how many day batches of an epoch are gathered a second."""
    samples = DaySamples(
        cube=cube, rows_N=np.arange(252 + CONTEXT_LENGTH, len(cube) - 6), context_length=CONTEXT_LENGTH
    )
    sampler = DaySampler(batch_days=batch_days, seed=0, stocks_per_day=stocks)
    count = days = gathered = 0
    began = time.perf_counter()
    for batch in sampler.batches(samples, epoch=1):
        count, days, gathered = count + 1, days + len(batch), gathered + batch.x_BSTF.nbytes
        if time.perf_counter() - began > seconds:
            break
    took = time.perf_counter() - began
    who = f"all {len(cube.symbols_S)} stocks" if stocks is None else f"{stocks} stocks a day drawn"
    print(
        f"(iv)  days {count / took:.1f} batches of {batch_days} days a second, {days / took:.0f} days, "
        f"{gathered / took / 1e9:.2f} GB of windows of {CONTEXT_LENGTH} sessions a second ({who})"
    )


def write_parquet(path: Path, cube: Cube) -> int:
    """Write the values of `cube`, a row a session and stock; their bytes."""
    columns = {name: cube.x_TSF[..., place].ravel() for place, name in enumerate(cube.columns)}
    labels = {f"y_{horizon}": cube.y_TSM[..., place].ravel() for place, horizon in enumerate(cube.horizons)}
    others = {"here": cube.here_TS.ravel(), "member": cube.member_TS.ravel(), "ret": cube.return_TS.ravel()}
    table = pa.table({**columns, **others, **labels})
    with path.open("wb") as stream:
        pq.write_table(table, stream, compression="zstd")
        stream.flush()
        os.fsync(stream.fileno())
    return sum(column.nbytes for column in table.columns)


if __name__ == "__main__":
    main()
