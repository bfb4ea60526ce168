"""Fit the costs of a training step to measured steps, on a device whose costs are not those of a CPU. No torch.

On a CPU the costs keep their proportions and one factor distinguishes machines (planning/calibration.py). On a GPU the
proportions differ: products are a hundred times cheaper, while a call, or a value that the lean optimizer steps chunk
by chunk, costs what the host takes to launch it. So every cost is fitted by itself, by non-negative least squares on
relative errors: each measured step weighs the same, whether it took a millisecond or a second.

The costs are added up. A GPU works while its host launches the next calls, so of products and calls only the larger
counts where nothing waits; the sum is then too high for models in between, and the fit lowers both costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tsladder.errors import WorkFailed
from tsladder.planning.duration import Rates

COSTS = ("fp32_product", "bf16_product", "byte", "call", "adamw_value", "lean_value", "lean_call", "step")

FEWEST_STEPS = len(COSTS) + 2


def fit_costs(steps: Sequence[tuple[Mapping[str, float], float]], *, start: float) -> Rates:
    """Fit the costs that best predict `steps`, pairs of terms (as `step_terms` gives them) and seconds.

    `start`: seconds of a training before its first step. A fitted cost of 0 could not be separated from the others.
    Raises WorkFailed for fewer than FEWEST_STEPS, and where a cost occurs in none of the steps.
    """
    import numpy as np
    from scipy.optimize import nnls

    if len(steps) < FEWEST_STEPS:
        raise WorkFailed(f"{len(steps)} measured steps are too few to tell {len(COSTS)} costs: {FEWEST_STEPS} needed")
    shares = np.array([[terms[cost] / seconds for cost in COSTS] for terms, seconds in steps])
    # Costs differ by fifteen orders of magnitude: each is scaled by its largest share of a step.
    units = shares.max(axis=0)
    absent = [cost for cost, unit in zip(COSTS, units, strict=True) if unit == 0.0]
    if absent:
        raise WorkFailed(f"no measured step tells the cost of {', '.join(absent)}: nothing is known of time here")
    found, _ = nnls(shares / units, np.ones(len(steps)))
    return Rates(**{cost: float(value) for cost, value in zip(COSTS, found / units, strict=True)}, start=start)
