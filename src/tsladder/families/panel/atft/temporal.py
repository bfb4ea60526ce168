"""Over the sessions of one stock: an LSTM with a gated skip, then causal transformer blocks.

After Lim et al. (2021): an LSTM over the tokens, a gate that decides how much of it enters, attention of every session
to itself and to earlier ones. Of the last block only the newest session's token is read, so only that one is computed;
earlier blocks compute all.

Shapes: N windows (stocks of all days), T sessions, D width, H heads, K width of a head, E three widths.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.parts.dropout import Masks
from tsladder.families.parts.layers import EncoderBlock, split_heads


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


class CausalBlock(EncoderBlock):
    """A pre-norm block in which a session's token sees its own and earlier sessions."""

    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float) -> None:
        super().__init__(d_model, n_heads, d_ff, dropout, attend_to_earlier)

    def newest(self, h_NTD: Tensor, key: int | None) -> Tensor:
        """Return the last token of `forward`, h_ND, without computing the others. `key` as there; it draws other
        masks."""
        masks = None if key is None else Masks(self.dropout, key)
        h_ND = h_NTD[:, -1]
        mixed_ND = self._attend_from_last(self.norm_attention(h_NTD))
        h_ND = h_ND + mixed_ND if masks is None else masks.add(h_ND, mixed_ND)
        inner = functional.gelu(self.expand(self.norm_feed_forward(h_ND)))
        out_ND: Tensor = self.contract(inner)
        return h_ND + out_ND if masks is None else masks.add(h_ND, out_ND)

    def _attend_from_last(self, h_NTD: Tensor) -> Tensor:
        attention, (windows, sessions, width) = self.attention, h_NTD.shape
        weight, bias = attention.project_in.weight, attention.project_in.bias
        query_ND = functional.linear(h_NTD[:, -1], weight[:width], bias[:width])
        both = functional.linear(h_NTD, weight[width:], bias[width:])
        if h_NTD.device.type == "cpu" and h_NTD.dtype == torch.bfloat16:
            # As in SelfAttention: the backward pass of attention in bf16 is slow on a CPU.
            query_ND, both = query_ND.float(), both.float()
        query_NH1K = query_ND.view(windows, attention.n_heads, 1, -1)
        key_NHTK, value_NHTK = (
            part.view(windows, sessions, attention.n_heads, -1).transpose(1, 2) for part in both.chunk(2, dim=-1)
        )
        mixed = functional.scaled_dot_product_attention(query_NH1K, key_NHTK, value_NHTK)
        projected: Tensor = attention.project_out(mixed.reshape(windows, width).to(h_NTD.dtype))
        return projected


def attend_to_earlier(heads_NTE: Tensor, n_heads: int) -> Tensor:
    """Compute softmax attention of every token to itself and to earlier ones: a `Mix`."""
    mixed = functional.scaled_dot_product_attention(*split_heads(heads_NTE, n_heads), is_causal=True)
    return mixed.transpose(1, 2).flatten(2)
