"""The joint confidence region of exponent and coefficient.

A and alpha of a short ladder are nearly collinear, so two separate intervals overstate what is possible. At the
ladder's geometric mean size level and exponent are uncorrelated, so that the region is an ellipse along its axes.
"""

from __future__ import annotations

import numpy as np

from tsladder.artifacts.law_fits import JointRegion, PowerLaw

CORNERS = 64


def joint_region(fit: PowerLaw) -> JointRegion:
    """Return `CORNERS` points of the boundary of the joint region of (alpha, C) at the fit's confidence (F test).

    `loss_at_reference` is each point's loss at the ladder's geometric mean size, on the scored days; the part of the
    days in alpha is in the region. A C too large for a float is None.
    """
    from scipy.stats import f

    of_level = fit.residual_sd / np.sqrt(fit.n_rungs) * np.sqrt(2.0 * float(f.ppf(fit.confidence, 2, fit.dof)))
    of_alpha = fit.alpha_se * np.sqrt(2.0 * float(f.ppf(fit.confidence, 2, min(fit.alpha_dof, 1e6))))
    angle = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)
    log_level = np.log(fit.loss_at_reference) + of_level * np.cos(angle)
    alpha = fit.alpha + of_alpha * np.sin(angle)
    with np.errstate(over="ignore"):
        level, coefficient = np.exp(log_level), np.exp(log_level + alpha * np.log(fit.reference_n))
    return JointRegion(
        confidence=fit.confidence,
        alpha=tuple(alpha.tolist()),
        C=tuple(float(c) if np.isfinite(c) else None for c in coefficient),
        loss_at_reference=tuple(float(loss) if np.isfinite(loss) else None for loss in level),
    )
