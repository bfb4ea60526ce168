"""What is said of size where the amount of data varies and size does nothing: shares over made-up tables.

    python benchmarks/size_effect.py [--tables 1000] [--draws 40] [--designs 4x4,5x3,5x6]

Every table holds the loss (0.3 + 0.25 (D / 1e6)^-0.4), the luck of each size's configuration, shared by its amounts of
data (1 % and 2 %), and 0.5 % of noise a point. The whole rule is run, the surface and its bootstrap included.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tsladder.law.surface.size_effect import judge_sizes
from tsladder.law.surface.size_law import SizeLaw

Floats = NDArray[np.float64]
LUCK = (0.01, 0.02)
NOISE = 0.005
ALPHA_OF_INTEREST = 0.015


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--designs", default="4x4,5x3,5x6")
    arguments = parser.parse_args()
    for name in arguments.designs.split(","):
        n, d = DESIGNS[name]
        for luck in LUCK:
            found = shares(n, d, luck=luck, tables=arguments.tables, draws=arguments.draws)
            told = ", ".join(f"{what} {share:.1%}" for what, share in sorted(found.items()))
            print(f"{name}, luck {luck:.0%}: {told}", flush=True)


def shares(n_P: Floats, d_P: Floats, *, luck: float, tables: int, draws: int) -> dict[str, float]:
    """Of verdicts, and of the sources that they come from."""
    rng = np.random.default_rng(7)
    _, size = np.unique(n_P, return_inverse=True)
    found: Counter[str] = Counter()
    for seed in range(tables):
        shared = luck * rng.normal(size=int(size.max()) + 1)[size]
        loss = (0.3 + 0.25 * (d_P / 1e6) ** -0.4) * np.exp(shared + NOISE * rng.normal(size=n_P.size))
        law = judge_sizes(n_P, d_P, loss, draws=draws, seed=seed)
        found[_verdict(law)] += 1
        found[f"by {law.source or 'nothing'}"] += 1
    return {what: count / tables for what, count in found.items()}


def _verdict(law: SizeLaw) -> str:
    if law.alpha_ci is None:
        return "none"
    low, high = law.alpha_ci
    if low > 0.0 or high < 0.0:
        return "scales" if low > 0.0 else "worse_with_size"
    return "flat" if max(-low, high) < ALPHA_OF_INTEREST else "underpowered"


def _grid(sizes: int, amounts: int) -> tuple[Floats, Floats]:
    n, d = np.meshgrid(1e5 * 4.0 ** np.arange(sizes), 1e6 * 3.0 ** np.arange(amounts), indexing="ij")
    return n.ravel(), d.ravel()


def _isoflop(budgets: int, sizes: int) -> tuple[Floats, Floats]:
    """Sizes around the best of each budget C = 6 N D, every size its own."""
    flops = 1e12 * 4.1 ** np.repeat(np.arange(budgets), sizes)
    n = np.sqrt(flops / 120) * 2.0 ** np.tile(np.arange(sizes) - (sizes - 1) / 2, budgets)
    return n, flops / 6 / n


def _own_amounts(sizes: int, amounts: int) -> tuple[Floats, Floats]:
    """Every size on amounts of its own, around twenty times its parameters."""
    n = np.repeat(1e5 * 4.0 ** np.arange(sizes), amounts)
    return n, 20 * n * np.tile(np.geomspace(0.25, 5.48, amounts), sizes)


DESIGNS = {
    "4x4": _grid(4, 4),
    "5x3": _grid(5, 3),
    "5x6": _grid(5, 6),
    "isoflop": _isoflop(4, 5),
    "own amounts": _own_amounts(4, 4),
}


if __name__ == "__main__":
    main()
