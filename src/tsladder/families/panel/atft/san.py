"""Slice adaptive normalisation: level and spread of each week are taken out of a window and told to the model apart.

After Liu et al. (2023), who normalise each slice of a series by its own mean and standard deviation, forecast both and
put them back. Adapted here to a ranking, which has nothing to put back: how far a column is normalised is learned, and
mean and spread of a slice enter its sessions' tokens. Slices do not overlap, the last one ends with the newest session,
and each is normalised by itself: no statistic runs over stocks or over a batch.

Shapes: N windows (stocks of all days), T sessions, F columns, C slices, W sessions of a slice, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tsladder.families.panel.atft.fan import zero_linear
from tsladder.families.panel.atft.sizes import SLICE_SESSIONS

SMALLEST_SPREAD = 1e-5
"""Added to a standard deviation before it divides or its logarithm is taken: a column may stand still for a week."""

_SMALLEST_VARIANCE = 1e-20
"""Below it the root's slope, which is infinite at 0, is left out of the gradient."""


class SliceNormalisation(nn.Module):
    """Normalise each slice of windows x_NTF by its own mean and standard deviation, and say what both were.

    2 F D + D + F parameters, all 0 at first: then x_NTF is returned as it is, and the tokens as 0.
    """

    def __init__(self, n_features: int, d_model: int) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.zeros(n_features))
        self.statistics = zero_linear(2 * n_features, d_model)

    def forward(self, x_NTF: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_NTF moved a learned share of the way to its normalised values, and tokens_NTD from mean and
        ln(standard deviation) of each session's slice."""
        windows, sessions, features = x_NTF.shape
        x_NCWF = x_NTF.reshape(windows, sessions // SLICE_SESSIONS, SLICE_SESSIONS, features)
        mean_NCF = x_NCWF.mean(2)
        centred_NCWF = x_NCWF - mean_NCF[:, :, None]
        # Written out: torch's variance over an axis that is not the last takes several times as long.
        spread_NCF = centred_NCWF.square().mean(2).clamp_min(_SMALLEST_VARIANCE).sqrt() + SMALLEST_SPREAD
        normalised = centred_NCWF / spread_NCF[:, :, None]
        token_NCD: Tensor = self.statistics(torch.cat([mean_NCF, spread_NCF.log()], dim=-1))
        moved_NTF = x_NTF + self.share * (normalised.reshape(x_NTF.shape) - x_NTF)
        return moved_NTF, token_NCD.repeat_interleave(SLICE_SESSIONS, dim=1)
