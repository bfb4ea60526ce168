"""Simulated repetitions of a study: other searches and seeds, the same ladder and test days.

Neither the noise of a rung nor alpha is known: the noise is drawn from s^2 nu / chi^2_nu, alpha from its distribution
given that noise, and then a study from both, judged like the original by its interval alone. Taking the estimates for
the truth would promise too much: an interval that excludes 0 tends to come from an estimate that luck made large.
"""

from __future__ import annotations

import numpy as np

from tsladder.artifacts.law_fits import PowerLaw

REPETITIONS = 4000
_SEED = 6


def repeated_verdicts(fit: PowerLaw, noise: float, alpha_of_interest: float) -> dict[str, float]:
    """Return the share of repetitions with each verdict that the interval of the exponent decides; the rest is
    `underpowered`.

    `noise`: relative noise of one rung mean.
    """
    from scipy.special import stdtrit

    rng = np.random.default_rng(_SEED)
    noise_D = noise / np.sqrt(rng.chisquare(fit.dof, size=REPETITIONS) / fit.dof)
    se_D = noise_D / np.sqrt(fit.log_n_spread)
    true_D = fit.alpha + se_D * rng.normal(size=REPETITIONS)
    alpha_D = true_D + se_D * rng.normal(size=REPETITIONS)
    of_rungs_D = se_D**2 * rng.chisquare(fit.dof, size=REPETITIONS) / fit.dof
    of_days, days_dof = fit.days or (0.0, np.inf)
    dof_D = (of_rungs_D + of_days) ** 2 / (of_rungs_D**2 / fit.dof + of_days**2 / days_dof)
    share = 0.5 + fit.confidence / 2.0
    reach_D = np.maximum(
        stdtrit(dof_D, share) * np.sqrt(of_rungs_D + of_days), stdtrit(fit.dof, share) * np.sqrt(of_rungs_D)
    )
    reach_D = np.maximum(reach_D, stdtrit(days_dof, share) * np.sqrt(of_days))
    scales, worse = alpha_D - reach_D > 0.0, alpha_D + reach_D < 0.0
    flat = (np.abs(alpha_D) + reach_D < alpha_of_interest) & ~scales & ~worse
    shares = {"scales": scales, "worse_with_size": worse, "flat": flat, "underpowered": ~(scales | worse | flat)}
    return {name: float(said.mean()) for name, said in shares.items()}
