"""What the rungs say of one that is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.law.line import Floats, fit_line

_OWN_POINT = 1e-9
"""A leverage so close to 1 means that the fit does not exist without the point."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """One rung predicted from the others by a power law. `error` is relative: predicted / measured - 1."""

    n_params: float
    measured: float
    predicted: float
    error: float
    alpha_without: float


def leave_one_rung_out(
    n_params_R: Sequence[float] | Floats,
    loss_R: Sequence[float] | Floats,
    n_data_R: Sequence[float] | Floats | None = None,
) -> tuple[LeftOut, ...]:
    """Each rung, smallest first, predicted by the power law through the others; () with fewer than three rungs.

    In closed form: without point i the residual is e / (1 - h) and the slope lacks x e / (S (1 - h)), with h its
    leverage. The last entry is the test that counts for a ladder: the top rung predicted from below.
    """
    line = fit_line(n_params_R, loss_R, n_data_R)
    if line is None or line.dof < 1 or float(line.leverage.max()) > 1.0 - _OWN_POINT:
        return ()
    alone = line.residuals / (1.0 - line.leverage)
    slopes = line.slope - line.partial * alone / line.spread
    return tuple(
        LeftOut(
            n_params=float(n),
            measured=float(loss),
            predicted=float(loss * np.exp(-error)),
            error=float(np.expm1(-error)),
            alpha_without=0.0 - float(slope),
        )
        for n, loss, error, slope in zip(line.n, line.loss, alone, slopes, strict=True)
    )
