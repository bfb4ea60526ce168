"""What verdicts say of ladders whose truth is known: shares over many draws.

    python benchmarks/verdicts.py [--draws 1000]

`turn before`: share of `not_monotone` where neighbours are held against their seeds alone, and not against the scatter
of rungs as well.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tsladder.law.fit import fit_power
from tsladder.law.neighbours import compare_neighbours
from tsladder.law.points import RungPoint
from tsladder.law.verdict import VerdictName, judge

FIVE = (750e3, 2e6, 20e6, 200e6, 2e9)
LADDERS: dict[str, tuple[Sequence[float], float, float, float]] = {
    # name: sizes, exponent, noise of a seed, effect of a rung
    "N3: null, 5 rungs, seeds 2 %": (FIVE, 0.0, 0.02, 0.0),
    "N3: null, 4 rungs, seeds 2 %": (FIVE[:4], 0.0, 0.02, 0.0),
    "N3b: null, rungs 2 %, seeds 1 %": (FIVE, 0.0, 0.01, 0.02),
    "null, rungs 4 %, seeds 1 %": (FIVE, 0.0, 0.01, 0.04),
    "N4: exponent 0.02, seeds 2 %": (FIVE, 0.02, 0.02, 0.0),
}
SEEDS = 3
SHOWN = (VerdictName.SCALES, VerdictName.WORSE_WITH_SIZE, VerdictName.FLAT, VerdictName.NOT_MONOTONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    print(f"{'':34}" + "".join(f"{name:>17}" for name in (*SHOWN, "underpowered", "turn before")))
    for name, (sizes, alpha, seed_noise, rung_noise) in LADDERS.items():
        rng = np.random.default_rng(1)
        found: Counter[str] = Counter()
        for _ in range(draws):
            points = _ladder(rng, sizes, alpha, seed_noise, rung_noise)
            found[_verdict(points, of_choice=True)] += 1
            found["turn before"] += _verdict(points, of_choice=False) is VerdictName.NOT_MONOTONE
        shares = (found[column] / draws for column in (*SHOWN, VerdictName.UNDERPOWERED, "turn before"))
        print(f"{name:34}" + "".join(f"{share:>17.1%}" for share in shares), flush=True)


def _ladder(
    rng: np.random.Generator, sizes: Sequence[float], alpha: float, seed_noise: float, rung_noise: float
) -> list[RungPoint]:
    points = []
    for number, n in enumerate(sizes):
        rung = 0.4 * (n / 1e6) ** -alpha * np.exp(rung_noise * rng.normal())
        losses = rung * np.exp(seed_noise * rng.normal(size=SEEDS))
        se = float(losses.std(ddof=1) / np.sqrt(SEEDS))
        seeds = tuple(enumerate(losses.tolist()))
        points.append(RungPoint(cell=f"rung-{number}", n_params=n, loss=float(losses.mean()), se=se, seeds=seeds))
    return points


def _verdict(points: Sequence[RungPoint], *, of_choice: bool) -> VerdictName:
    fit = fit_power([point.n_params for point in points], [point.loss for point in points])
    contrasts = compare_neighbours(points, fit if of_choice else None, draws=1, confidence=0.95, seed=0)
    return judge(points, fit, alpha_of_interest=0.015, contrasts=contrasts).name


if __name__ == "__main__":
    main()
