"""Errors of the rung means, and the weights that follow from them in the fit.

The error of a rung mean has two parts: the luck of its search, of variance tau^2 in log loss and the same for all
rungs, and its own standard error. Where standard errors differ, the weight is 1 / (tau^2 + se^2), with tau^2 such that
the weighted squares of the residuals come out as their degrees of freedom (Paule and Mandel 1982), never below 0. The
interval of the slope still comes from the scatter around the line with R - 2 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.line import ROUNDING, Floats, fit_line
from tsladder.law.points import RungPoint, in_order

_SAME = 1e-9


def rung_weights(points: Sequence[RungPoint]) -> Floats | None:
    """Return one weight per rung, 1 on average; None where all rungs are known equally well or no error is known."""
    variance_R = error_variances(points)
    if variance_R is None or float(np.ptp(variance_R)) <= _SAME * float(variance_R.max()):
        return None
    sizes, losses = [point.n_params for point in points], [point.loss for point in points]
    tau2 = _between(sizes, losses, variance_R)
    if tau2 is None:
        return None
    weight_R = 1.0 / (tau2 + np.maximum(variance_R, ROUNDING**2))
    return np.asarray(weight_R / weight_R.mean())


def error_variances(points: Sequence[RungPoint]) -> Floats | None:
    """Return the squared relative standard error of each rung mean; None where no rung has one.

    Rungs with several seeds share a pooled spread, since a few seeds tell little of a spread. A standard error that a
    table gives for a rung is taken as it is. A rung without either gets the mean variance of the others.
    """
    seeds = seed_variance(points)
    known: list[float | None] = []
    for point in points:
        if seeds is not None and point.seeds:
            known.append(seeds / len(point.seeds))
        elif point.se is not None:
            known.append((point.se / point.loss) ** 2)
        else:
            known.append(None)
    told = [variance for variance in known if variance is not None]
    if not told:
        return None
    usual = float(np.mean(told))
    return np.array([usual if variance is None else variance for variance in known])


def seed_variance(points: Sequence[RungPoint]) -> float | None:
    """Return the relative variance of one seed, pooled over the rungs that have several; None where none has."""
    squares, dof = 0.0, 0
    for point in points:
        if point.replicated and point.se is not None:
            squares += (point.se / point.loss) ** 2 * len(point.seeds) * (len(point.seeds) - 1)
            dof += len(point.seeds) - 1
    return squares / dof if dof else None


def rung_noise(points: Sequence[RungPoint], fit: PowerLaw | None) -> float | None:
    """Return the relative noise of one rung mean: the scatter around the law or the rungs' own errors, whichever is
    larger.

    With one or two degrees of freedom the scatter can be small by luck; the true one cannot lie below those errors,
    which are averaged as the fit weighs the rungs.
    """
    own = own_variance(points, fit)
    known = [0.0 if own is None else own**0.5, 0.0 if fit is None else fit.residual_sd]
    return max(known) if own is not None or fit is not None else None


def own_variance(points: Sequence[RungPoint], fit: PowerLaw | None) -> float | None:
    """Return the mean squared relative standard error of the rung means, weighted as in the fit; None where no rung has
    one."""
    variance_R = error_variances(in_order(points))
    if variance_R is None:
        return None
    same = fit is not None and len(fit.weights) == variance_R.size
    return float(np.average(variance_R, weights=np.array(fit.weights) if same and fit is not None else None))


def least_noise_of(points: Sequence[RungPoint]) -> float:
    """Return the relative sd that rung means have at least because their losses are printed with a limited number of
    digits.

    A rounding error lies anywhere within half a step of the last digit and so has an sd of step / sqrt(12).
    """
    steps = [point.loss_step / point.loss for point in points if point.loss_step is not None]
    return max(ROUNDING, float(np.sqrt(np.mean(np.square(steps)) / 12.0))) if steps else ROUNDING


def _between(sizes: Sequence[float], losses: Sequence[float], variance_R: Floats) -> float | None:
    """Estimate tau^2 by Paule and Mandel; None where no line can be fitted."""
    from scipy.optimize import brentq

    plain = fit_line(sizes, losses)
    if plain is None or plain.dof < 1:
        return None
    own_R = np.maximum(variance_R, ROUNDING**2)

    def excess(tau2: float) -> float:
        """Return the weighted squares of the residuals less their degrees of freedom."""
        total_R = tau2 + own_R
        line = fit_line(sizes, losses, 1.0 / total_R)
        if line is None:
            raise ValueError("a line through these sizes exists with equal weights and not with these")
        # The line's weights are the same up to a factor: 1 on average.
        return line.squares * float(np.mean(1.0 / total_R)) - line.dof

    if excess(0.0) <= 0.0:
        return 0.0
    highest = plain.squares
    while excess(highest) > 0.0:
        highest *= 4.0
    return float(brentq(excess, 0.0, highest, xtol=1e-16, rtol=1e-10))
