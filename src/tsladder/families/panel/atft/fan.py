"""Frequency adaptive normalisation: the strongest oscillations of a stock's columns are taken out of its window.

After Ye et al. (2024), who take out the largest frequencies before a model, forecast them apart and add them to the
forecast. Adapted here to a ranking, which has nothing to add them to: how much is taken out is learned for each column,
and the end of what was taken out enters the newest session's token. One stock's window decides alone: no statistic runs
over stocks or over a batch.

Shapes: N windows (stocks of all days), T sessions, F columns, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrequencyNormalisation(nn.Module):
    """Take the `components` strongest oscillations out of windows x_NTF, and say where they stand at the end.

    2 F D + D + F parameters, all 0 at first: then x_NTF is returned as it is, and the token as 0.
    """

    def __init__(self, n_features: int, d_model: int, components: int) -> None:
        super().__init__()
        self.components = components
        self.share = nn.Parameter(torch.zeros(n_features))
        self.ending = zero_linear(2 * n_features, d_model)

    def forward(self, x_NTF: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_NTF less a learned share of its oscillations, and token_ND from their last value and slope."""
        main_NTF = strongest_oscillations(x_NTF, self.components)
        last_NF = main_NTF[:, -1]
        ending = torch.cat([last_NF, last_NF - main_NTF[:, -2]], dim=-1)
        token_ND: Tensor = self.ending(ending)
        return x_NTF - self.share * main_NTF, token_ND


def strongest_oscillations(x_NTF: Tensor, components: int) -> Tensor:
    """Return the sum of the `components` frequencies with the largest amplitudes, for each window and column by itself.

    The constant is never among them. Which frequencies are the largest gets no gradient.
    """
    sessions = x_NTF.shape[1]
    spectrum = torch.fft.rfft(x_NTF, dim=1)
    with torch.no_grad():
        amplitude = spectrum[:, 1:].abs()
        largest = amplitude.topk(components, dim=1).indices + 1
        kept = torch.zeros_like(spectrum.real).scatter_(1, largest, 1.0)
    main_NTF: Tensor = torch.fft.irfft(spectrum * kept, n=sessions, dim=1)
    return main_NTF


def zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """Build a Linear whose output is 0 until it is trained."""
    linear = nn.Linear(inputs, outputs)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
