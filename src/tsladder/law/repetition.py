"""What the same study would find if it were repeated: other searches, other seeds, the same ladder.

Simulated with a fixed seed: rung means around the fitted law with the ladder's own noise, judged like the original by
their interval alone. It shows how much of a verdict is luck; of that luck the estimate itself is part.
"""

from __future__ import annotations

import numpy as np

from tsladder.law.fit import PowerFit

REPETITIONS = 2000
_SEED = 6


def repeated_verdicts(fit: PowerFit, noise: float, alpha_of_interest: float) -> dict[str, float]:
    """Share of repetitions with each verdict that the interval of the exponent decides; `underpowered` is the rest."""
    rng = np.random.default_rng(_SEED)
    alpha = fit.alpha + noise / np.sqrt(fit.log_n_spread) * rng.normal(size=REPETITIONS)
    scatter = noise * np.sqrt(rng.chisquare(fit.dof, size=REPETITIONS) / fit.dof)
    reach = fit.t_critical * scatter / np.sqrt(fit.log_n_spread)
    scales, worse = alpha - reach > 0.0, alpha + reach < 0.0
    flat = (np.abs(alpha) + reach < alpha_of_interest) & ~scales & ~worse
    shares = {"scales": scales, "worse_with_size": worse, "flat": flat, "underpowered": ~(scales | worse | flat)}
    return {name: float(said.mean()) for name, said in shares.items()}
