"""Seconds of `tsladder ingest` on 100,000 days, as CSV and as Parquet: one process each time, imports included.

``python benchmarks/ingest.py``. Files alternate, medians are printed; two seconds are allowed.
"""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROUNDS = 5
ROWS = 100_000
ALLOWED_SECONDS = 2.0


def bars(seed: int = 0) -> pd.DataFrame:
    """A random walk through every day of two and a half centuries, as Yahoo writes its columns."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.005, ROWS)))
    open_ = close * np.exp(rng.normal(0.0, 0.002, ROWS))
    return pd.DataFrame(
        {
            "Date": pd.date_range("1750-01-01", periods=ROWS, unit="s"),
            "Open": open_.round(6),
            "High": (np.maximum(open_, close) * 1.003).round(6),
            "Low": (np.minimum(open_, close) * 0.997).round(6),
            "Close": close.round(6),
            "Adj Close": (close * 0.9).round(6),
            "Volume": rng.integers(1, 10**9, ROWS),
        }
    )


def processor_seconds() -> float:
    """Of all processes that this one has waited for; a busy machine stretches them less than the wall's time."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        frame = bars()
        frame.to_csv(folder / "plain.csv", index=False)
        euro = frame.assign(Date=frame["Date"].dt.strftime("%d.%m.%Y"))
        euro.to_csv(folder / "euro.csv", index=False, sep=";", decimal=",")
        frame.to_parquet(folder / "plain.parquet", index=False)
        seconds: dict[str, list[float]] = {"plain.csv": [], "euro.csv": [], "plain.parquet": []}
        processor: dict[str, list[float]] = {name: [] for name in seconds}
        for _ in range(ROUNDS):
            for name, measured in seconds.items():
                (folder / "data" / "bars.parquet").unlink(missing_ok=True)
                command = [sys.executable, "-m", "tsladder.cli", "ingest", name, "--symbol", "bars"]
                started, spent = time.perf_counter(), processor_seconds()
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                measured.append(time.perf_counter() - started)
                processor[name].append(processor_seconds() - spent)
                if done.returncode != 0 or not (folder / "data" / "bars.parquet").exists():
                    print(f"{name} failed:\n{done.stderr}", file=sys.stderr)
                    return 1
    print(
        f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}, {ROWS:,} rows"
    )
    for name, values in seconds.items():
        print(
            f"{name:<14} median {statistics.median(values):.2f} s, {min(values):.2f} to {max(values):.2f} s; "
            f"processor {statistics.median(processor[name]):.2f} s"
        )
    return 0 if all(statistics.median(values) < ALLOWED_SECONDS for values in seconds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
