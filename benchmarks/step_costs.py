"""One factor on all costs of a step, or every cost fitted: which predicts steps that it was not fitted on.

    python benchmarks/step_costs.py [--calibration .tsladder/calibration.json]

On the steps recorded in results/memory.json (one step each, the second, on two threads of one processor), or on those
that `tsladder plan --calibrate` has measured on any device. Each is left out once; then each way is fitted to a dozen
drawn from them, as a calibration has few, and judged on the others.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tsladder.artifacts.outcome import BatchPlan
from tsladder.errors import WorkFailed
from tsladder.models.spec import Geometry, spec_from_architecture
from tsladder.planning.calibration import read_calibration
from tsladder.planning.duration import DEFAULT_RATES, Rates, step_terms
from tsladder.planning.step_costs import fit_costs

RECORDED = Path(__file__).parent / "results" / "memory.json"
GEOMETRY = Geometry(family="patchtst", context_length=80, n_features=25, patch_len=16, stride=8, revin=False)
THREADS, DRAWS, FEW = 2, 300, 12

Step = tuple[Mapping[str, float], float]


def by_factor(steps: Sequence[Step]) -> Rates:
    factors = [seconds / DEFAULT_RATES.seconds(terms) for terms, seconds in steps]
    return dataclasses.replace(DEFAULT_RATES, factor=statistics.median(factors))


def by_costs(steps: Sequence[Step]) -> Rates:
    return fit_costs(steps, start=0.0)


def recorded() -> list[Step]:
    rows = json.loads(RECORDED.read_text(encoding="utf-8"))
    return [
        (
            step_terms(spec_from_architecture(GEOMETRY, row["architecture"]), BatchPlan(**row["plan"]), THREADS),
            row["seconds"][1],
        )
        for row in rows
    ]


def calibrated(path: Path) -> list[Step]:
    found = read_calibration(path)
    if found is None:
        raise SystemExit(f"there is no {path}")
    return [(step_terms(peak.spec, peak.plan, peak.threads), peak.step_seconds) for peak in found.peaks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calibration", type=Path, help="steps of this file instead of the recorded ones")
    arguments = parser.parse_args()
    steps = recorded() if arguments.calibration is None else calibrated(arguments.calibration)
    if len(steps) <= FEW:
        raise SystemExit(f"{len(steps)} steps are too few: more than {FEW} are needed")
    for name, fit in (("one factor", by_factor), ("every cost", by_costs)):
        alone = [left_out(fit, steps, [number]) for number in range(len(steps))]
        rng, few = np.random.default_rng(0), []
        while len(few) < DRAWS:
            others = sorted(rng.permutation(len(steps))[FEW:].tolist())
            try:
                few.append(left_out(fit, steps, others))
            except WorkFailed:
                # A draw without the lean optimizer, say, tells nothing of its costs.
                continue
        for what, errors in (("left out one by one", alone), (f"fitted to {FEW}", few)):
            flat = [error for part in errors for error in part]
            print(
                f"{name}, {what}: median {statistics.median(flat):.0%}, nine in ten within {np.quantile(flat, 0.9):.0%}"
            )


def left_out(fit: Callable[[Sequence[Step]], Rates], steps: Sequence[Step], out: Sequence[int]) -> list[float]:
    rates = fit([step for number, step in enumerate(steps) if number not in out])
    return [abs(rates.seconds(steps[number][0]) / steps[number][1] - 1) for number in out]


if __name__ == "__main__":
    main()
