"""Change of the loss for a model ten times larger, on a fitted surface: at the same data, and along the optimum.

At a given compute C = 6 N D the surface is least where alpha A N^-alpha = beta B D^-beta (Hoffmann et al., 2022). Along
these points N = G (C / 6)^(beta / (alpha + beta)), so a size ten times larger goes with 10^(alpha / beta) times the
data, and the loss is E + (1 + alpha / beta) A N^-alpha, without B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.law.surface.surface_fit import Surface

Floats = NDArray[np.float64]
Interval = tuple[float, float]

TENFOLD = float(np.log(10.0))
_LIKE_THE_MEAN = 5.0
"""Largest ratio of the exponent over one decade to the mean exponent over the table's sizes at which the two are
compared."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenfold:
    """The effect of a tenfold size. `change`: relative change of the loss from `from_n` to `to_n` parameters, negative
    where it falls. `n_data`: the amount of data held fixed; None along the optimum, where data grow by the factor
    `data_growth`."""

    from_n: float
    to_n: float
    change: float
    change_ci: Interval
    n_data: float | None
    data_growth: float
    data_growth_ci: Interval


def at_same_data(surface: Surface, *, middle_n: float, n_data: float, alpha: float, alpha_ci: Interval) -> Tenfold:
    """Return the change over the decade around `middle_n`, at `n_data`, for a surface with bootstrap draws.

    The interval holds that of the draws and that of the judged exponent `alpha`, scaled to this decade: no statement on
    ten times larger models is more certain than the verdict's.
    """
    theta_K, theta_DK = _drawn(surface)
    from_n, to_n = _decade(middle_n)

    def change(theta_MK: Floats) -> Floats:
        fitted = surface.log_loss(theta_MK, np.array([from_n, to_n]), np.array([n_data, n_data]))
        return np.asarray(fitted[:, 1] - fitted[:, 0])

    value = float(change(theta_K[None])[0])
    return Tenfold(
        from_n=from_n,
        to_n=to_n,
        change=float(np.expm1(value)),
        change_ci=_ends(change(theta_DK), value, alpha, alpha_ci, surface.fit.confidence),
        n_data=n_data,
        data_growth=1.0,
        data_growth_ci=(1.0, 1.0),
    )


def along_optimum(surface: Surface, *, middle_n: float, alpha: float, alpha_ci: Interval) -> Tenfold | None:
    """Return the change where data grow as the least loss for the compute requires.

    None unless both exponents are positive in the fit and in nearly all draws.
    """
    theta_K, theta_DK = _drawn(surface)
    confidence = surface.fit.confidence
    positive = (theta_DK[:, 3:] > 0.0).all(axis=1)
    if not (theta_K[3:] > 0.0).all() or positive.mean() < confidence:
        return None
    drawn = theta_DK[positive]
    from_n, to_n = _decade(middle_n)

    def change(theta_MK: Floats) -> Floats:
        size, _, floor, alpha_M, beta_M = theta_MK.T
        low, high = (
            np.logaddexp(floor, size - alpha_M * (np.log(n) - surface.centre[0]) + np.log1p(alpha_M / beta_M))
            for n in (from_n, to_n)
        )
        return np.asarray(high - low)

    value = float(change(theta_K[None])[0])
    with np.errstate(over="ignore"):
        low, high = 10.0 ** np.quantile(drawn[:, 3] / drawn[:, 4], _tails(confidence))
    return Tenfold(
        from_n=from_n,
        to_n=to_n,
        change=float(np.expm1(value)),
        change_ci=_ends(change(drawn), value, alpha, alpha_ci, confidence),
        n_data=None,
        data_growth=float(10.0 ** (theta_K[3] / theta_K[4])),
        data_growth_ci=(float(low), float(high)),
    )


def of_exponent(alpha: float, alpha_ci: Interval, *, middle_n: float, n_data: float) -> Tenfold:
    """Return the change at the same data that follows from an exponent alone."""
    from_n, to_n = _decade(middle_n)
    with np.errstate(over="ignore"):
        low, value, high = np.expm1(-TENFOLD * np.array([alpha_ci[1], alpha, alpha_ci[0]]))
    return Tenfold(
        from_n=from_n,
        to_n=to_n,
        change=float(value),
        change_ci=(float(low), float(high)),
        n_data=n_data,
        data_growth=1.0,
        data_growth_ci=(1.0, 1.0),
    )


def _ends(drawn_D: Floats, value: float, alpha: float, alpha_ci: Interval, confidence: float) -> Interval:
    """Return the ends of the relative change. `drawn_D` and `value` are log ratios."""
    low, high = np.quantile(drawn_D, _tails(confidence))
    scale = value / (-TENFOLD * alpha) if alpha != 0.0 else 1.0
    if not 1.0 / _LIKE_THE_MEAN < scale < _LIKE_THE_MEAN:
        scale = 1.0
    judged = sorted(-TENFOLD * scale * end for end in alpha_ci)
    with np.errstate(over="ignore"):
        return float(np.expm1(min(low, judged[0], value))), float(np.expm1(max(high, judged[1], value)))


def _decade(middle_n: float) -> tuple[float, float]:
    return float(middle_n / np.sqrt(10.0)), float(middle_n * np.sqrt(10.0))


def _drawn(surface: Surface) -> tuple[Floats, Floats]:
    if surface.theta_K is None or surface.theta_DK is None:
        raise ValueError("a change with an interval needs a fitted surface and its bootstrap draws")
    return surface.theta_K, surface.theta_DK


def _tails(confidence: float) -> list[float]:
    return [(1.0 - confidence) / 2.0, (1.0 + confidence) / 2.0]
