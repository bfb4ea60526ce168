"""How long `tsladder fit` takes, from the shell, start of Python and figure included.

    python benchmarks/fit.py [--threads 2]

Two tables, written to a folder that is removed afterwards: 250 points of a surface in size and data (1,000 bootstrap
draws, each minimised again from three starts), and a ladder of five rungs of three seeds. Prints seconds and what the
fit found beside what was planted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PLANTED = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
NOISES = (0.001, 0.01, 0.03)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args().threads
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "points.csv"
        for noise in NOISES:
            path.write_text(surface(noise))
            seconds, record = timed(path, threads)
            found = record["groups"]["all"]["surface"]
            print(f"250 rows with n_data, {noise:.1%} noise, {found['draws']} draws: {seconds:.1f} s")
            for name, value in PLANTED.items():
                low, high = found[f"{name}_ci"]
                print(f"  {name:5} planted {value:<8} found {found[name]:.5g} [{low:.5g}, {high:.5g}]")
            print(
                f"  delta {found['huber_delta']:.3g}, converged {found['converged']}, {found['starts_agreeing']} of "
                f"{found['starts']} starts agree, {found['draws_converged']:.1%} of the draws converged"
            )
        path.write_text(ladder())
        seconds, record = timed(path, threads)
        law = record["groups"]["all"]
        print(f"5 rungs of 3 seeds: {seconds:.1f} s, alpha {law['fits']['power']['alpha']:.4f}, {law['verdict']}")


def timed(path: Path, threads: int) -> tuple[float, dict[str, Any]]:
    """Seconds of the command, files and all, and what it found."""
    out = path.parent / "out"
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    began = time.perf_counter()
    command = [sys.executable, "-m", "tsladder.cli", "fit", str(path), "--out", str(out)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, json.loads((out / "fit.json").read_text())


def surface(noise: float, points: int = 250) -> str:
    rng = np.random.default_rng(0)
    n = np.exp(rng.uniform(np.log(4e7), np.log(1.6e10), points))
    d = np.exp(rng.uniform(np.log(6e18), np.log(3e21), points)) / 6 / n
    p = PLANTED
    loss = (p["E"] + p["A"] * n ** -p["alpha"] + p["B"] * d ** -p["beta"]) * np.exp(noise * rng.normal(size=points))
    loss[:5] *= 1.1
    rows = [f"{a:.6g},{b:.6g},{c:.6g}" for a, b, c in zip(n, d, loss, strict=True)]
    return "\n".join(["n_params,n_data,loss", *rows]) + "\n"


def ladder() -> str:
    rng = np.random.default_rng(1)
    sizes = (750e3, 2e6, 20e6, 200e6, 2e9)
    rows = [
        f"{n:.0f},{0.4 * (n / 1e6) ** -0.02 * np.exp(0.02 * rng.normal()):.6f},{k}" for n in sizes for k in range(3)
    ]
    return "\n".join(["n_params,loss,seed", *rows]) + "\n"


if __name__ == "__main__":
    main()
