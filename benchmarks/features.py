"""Seconds to make every feature of a tier, in this process, and what importing for it costs in a fresh one.

    python benchmarks/features.py [--days 8000] [--rounds 5]

Bars are a random walk. Medians are printed; tiers alternate.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time

import numpy as np

from tsladder.data.bars import Bars
from tsladder.data.columns.declaration import Indicator
from tsladder.data.indicators import build_features
from tsladder.data.tiers import load
from tsladder.params import DataParams

SHOWN = ("a25", "c33", "a50", "a100", "a200")
# What the features stage imports before it reads a row; the tier's functions import nothing more.
IMPORTS = "import pandas, pyarrow.parquet, talib, tsladder.data.build, tsladder.params, tsladder.stage"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--columns", type=int, default=0, metavar="N", help="also the N slowest columns of a200")
    options = parser.parse_args()
    bars, vix = walk(options.days, "walk", seed=1), walk(options.days, "vix", seed=2)
    seconds: dict[str, list[float]] = {tier: [] for tier in SHOWN}
    imports = []
    build_features(bars, DataParams(symbol="walk", tier="a200", ohlcv=True))
    for _ in range(options.rounds):
        imports.append(timed_imports())
        for tier in SHOWN:
            data = DataParams(symbol="walk", tier=tier, ohlcv=True)  # type: ignore[arg-type]
            started = time.perf_counter()
            build_features(bars, data, vix if tier == "c33" else None)
            seconds[tier].append(time.perf_counter() - started)
    imported = statistics.median(imports)
    print(f"{platform.machine()}, Python {platform.python_version()}, {options.days} days, medians of {options.rounds}")
    print(f"imports of the features stage: {imported:.2f} s")
    for tier, values in seconds.items():
        middle = statistics.median(values)
        spread, share = f"{min(values):.3f} to {max(values):.3f} s", f"{middle / imported:.0%} of imports"
        print(f"{tier:<5} {load(tier).columns + 5:>3} columns  {middle:.3f} s ({spread}), {share}")
    slow = sorted(
        ((fill_seconds(indicator, bars), indicator.column.name) for indicator in load("a200").indicators()),
        reverse=True,
    )
    for took, name in slow[: options.columns]:
        print(f"  {name:<28} {1000 * took:.1f} ms")


def fill_seconds(indicator: Indicator, bars: Bars) -> float:
    started = time.perf_counter()
    indicator.fill(bars)
    return time.perf_counter() - started


def timed_imports() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - started


def walk(days: int, symbol: str, seed: int) -> Bars:
    rng = np.random.default_rng(seed)
    close_T = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, days)))
    open_T = np.concatenate([close_T[:1], close_T[:-1]]) * np.exp(rng.normal(0.0, 0.003, days))
    weekdays = np.datetime64("1990-01-01") + np.arange(2 * days)
    return Bars(
        symbol=symbol,
        dates_T=weekdays[np.is_busday(weekdays)][:days],
        open_T=open_T,
        high_T=np.maximum(open_T, close_T) * np.exp(np.abs(rng.normal(0.0, 0.005, days))),
        low_T=np.minimum(open_T, close_T) * np.exp(-np.abs(rng.normal(0.0, 0.005, days))),
        close_T=close_T,
        volume_T=np.full(days, np.nan) if symbol == "vix" else np.round(rng.lognormal(15.0, 0.4, days)),
    )


if __name__ == "__main__":
    main()
