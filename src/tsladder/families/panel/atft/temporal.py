"""Over the sessions of one stock: an LSTM with a gated skip, then causal transformer blocks.

After Lim et al. (2021): an LSTM over the tokens, a gate that decides how much of it enters, attention of every session
to itself and to earlier ones.

Shapes: N windows (stocks of all days), T sessions, D width, E three widths.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.parts.layers import split_heads


class GatedRecurrence(nn.Module):
    """LayerNorm(h + GLU(LSTM(h))): h_NTD to the same shape. 10 D^2 + 12 D parameters.

    It computes in fp32 whatever the precision of the blocks: torch's LSTM in bf16 needs processors that not every
    machine has, and its state is a sum over sessions.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(d_model, d_model, batch_first=True)
        self.gate = nn.Linear(d_model, 2 * d_model)
        self.norm = nn.LayerNorm(d_model)

    def forward(self, h_NTD: Tensor) -> Tensor:
        recurred_NTD, _ = self.lstm(h_NTD)
        normed_NTD: Tensor = self.norm(h_NTD + functional.glu(self.gate(recurred_NTD)))
        return normed_NTD


def attend_to_earlier(heads_NTE: Tensor, n_heads: int) -> Tensor:
    """Compute softmax attention of every token to itself and to earlier ones: a `Mix`."""
    mixed = functional.scaled_dot_product_attention(*split_heads(heads_NTE, n_heads), is_causal=True)
    return mixed.transpose(1, 2).flatten(2)
