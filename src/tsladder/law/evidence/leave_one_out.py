"""Leave-one-out prediction of rungs by the law of the others, and the outliers that it shows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tsladder.artifacts.law_evidence import RungLeftOut
from tsladder.law.curve.line import ROUNDING, Floats, fit_line
from tsladder.law.points import size_in_words

_OWN_POINT = 1e-9
"""Leverage from which the fit does not exist without the point."""


def leave_one_rung_out(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    weight_R: Sequence[float] | Floats | None = None,
    *,
    least_noise: float = ROUNDING,
    cells: Sequence[str] | None = None,
) -> tuple[RungLeftOut, ...]:
    """Predict each rung, smallest first, by the power law through the others; () with fewer than three rungs.

    `cells`: names of the rungs, smallest first; None: they are named by their sizes.

    The closed form is used: without point i the residual is e / (1 - h) and the slope lacks w x e / (S (1 - h)), with h
    its leverage and w its weight. The last entry is the test that counts for a ladder: the top rung predicted from
    below.
    """
    line = fit_line(n_params_R, loss_R, weight_R)
    if line is None or line.dof < 1 or float(line.leverage.max()) > 1.0 - _OWN_POINT:
        return ()
    rest = 1.0 - line.leverage
    alone = line.residuals / rest
    slopes = line.slope - line.weight * line.x * alone / line.spread
    p_outlier: Sequence[float | None] = [None] * line.n.size
    if line.dof > 1:
        from scipy.stats import t

        dof = line.dof - 1
        squares = np.maximum(line.squares - line.weight * line.residuals**2 / rest, 0.0)
        noise = np.maximum(squares / dof, max(least_noise, ROUNDING) ** 2)
        ratio = np.sqrt(line.weight) * line.residuals / np.sqrt(noise * rest)
        p_outlier = np.minimum(1.0, line.n.size * 2.0 * t.sf(np.abs(ratio), dof)).tolist()
    names = [size_in_words(n) for n in line.n] if cells is None else cells
    return tuple(
        RungLeftOut(
            cell=cell,
            n_params=float(n),
            measured=float(loss),
            predicted=float(loss * math.exp(-error)),
            error=math.expm1(-error),
            alpha_without=0.0 - float(slope),
            p_outlier=p,
        )
        for cell, n, loss, error, slope, p in zip(names, line.n, line.loss, alone, slopes, p_outlier, strict=True)
    )


def is_outlier(left: RungLeftOut, confidence: float) -> bool:
    """Check whether the rung departs significantly from the law of the others."""
    return left.p_outlier is not None and left.p_outlier < 1.0 - confidence
