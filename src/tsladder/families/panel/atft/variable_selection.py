"""Variable selection: a token of each session, from its columns, each through a network of its own and weighed.

After Lim et al. (2021): a column's value is embedded, a gated residual network (GRN) works on each embedding, another
one reads all of them and weighs the columns by a softmax. Every parameter is that of the paper. Where it has two linear
maps in a row their product is taken once, before the tokens, which is the same function: the embedding of a value w x +
b followed by a Linear needs no product for each token, and the second Linear of a GRN becomes part of its gate. On
tokens by the ten thousand that leaves 2 of 5 products.

Shapes: ... any leading axes, N tokens, F columns, D width, E two widths, G 2 F.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsladder.families.panel.atft.column_networks import EPSILON, weighed_networks


class VariableSelection(nn.Module):
    """Values x_...F of a session's columns -> its token h_...D.

    The networks of the F columns are shared by all sessions and stocks. Their weights lie one below the other in
    matrices, their biases one behind the other in vectors, so that weight decay and factored moments see matrices where
    F separate networks have them.
    """

    def __init__(self, n_features: int, d_model: int) -> None:
        super().__init__()
        self.n_features, self.d_model = n_features, d_model
        self.value = _Stacked(n_features, 1, d_model)
        self.weigh_in = nn.Linear(n_features * d_model, d_model)
        self.weigh_hidden = nn.Linear(d_model, d_model)
        self.weigh_gate = nn.Linear(d_model, 2 * n_features)
        self.weigh_skip = nn.Linear(n_features * d_model, n_features)
        self.weigh_norm = nn.LayerNorm(n_features)
        self.each_in = _Stacked(n_features, d_model, d_model)
        self.each_hidden = _Stacked(n_features, d_model, d_model)
        self.each_gate = _Stacked(n_features, d_model, 2 * d_model)
        self.each_gain = nn.Parameter(torch.ones(n_features * d_model))
        self.each_shift = nn.Parameter(torch.zeros(n_features * d_model))

    def forward(self, x: Tensor) -> Tensor:
        x_FN = x.reshape(-1, self.n_features).t().contiguous()
        weight_FN = self.weights(x_FN)
        value_FD, base_FD = self._embedding()
        first_FD, first_base_FD = self.each_in.after(value_FD, base_FD)
        gate_FED, gate_base_FE = self.each_gate.after_each(self.each_hidden)
        gain_FD, shift_FD = self.each_gain.view_as(value_FD), self.each_shift.view_as(value_FD)
        h_DN = weighed_networks(
            x_FN, weight_FN, first_FD, first_base_FD, gate_FED, gate_base_FE, value_FD, base_FD, gain_FD
        )
        h_ND = torch.addmm(h_DN.t(), weight_FN.t(), shift_FD)
        return h_ND.view(*x.shape[:-1], self.d_model)

    def weights(self, x_FN: Tensor) -> Tensor:
        """Return the weights of the columns, positive, with sum 1 for each token."""
        value_FD, base_FD = self._embedding()
        inner_DN = functional.elu(_after_embedding(self.weigh_in, x_FN, value_FD, base_FD), inplace=True)
        gate_GD = self.weigh_gate.weight @ self.weigh_hidden.weight
        gate_base_G = functional.linear(self.weigh_hidden.bias, self.weigh_gate.weight, self.weigh_gate.bias)
        gated_FN = functional.glu(gate_GD @ inner_DN + gate_base_G[:, None], dim=0)
        logit_FN = _after_embedding(self.weigh_skip, x_FN, value_FD, base_FD) + gated_FN
        centred_FN = logit_FN - logit_FN.mean(0)
        normal_FN = centred_FN * (centred_FN.square().mean(0) + EPSILON).rsqrt()
        logit_FN = torch.addcmul(self.weigh_norm.bias[:, None], normal_FN, self.weigh_norm.weight[:, None])
        return logit_FN.softmax(0)

    def _embedding(self) -> tuple[Tensor, Tensor]:
        """Return w and b of the embeddings w x + b, each of shape F x D."""
        return self.value.weight.view(self.n_features, -1), self.value.bias.view(self.n_features, -1)


class _Stacked(nn.Module):
    """`count` Linears side by side; each one starts as torch starts a Linear."""

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.count = count
        self.inputs = inputs
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(count * outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count * outputs).uniform_(-bound, bound))

    @property
    def weights(self) -> Tensor:
        """The matrices, count x outputs x inputs."""
        return self.weight.view(self.count, -1, self.inputs)

    def after(self, value_FD: Tensor, base_FD: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the Linears make of value x + base: again a value and a base, whose products need no x."""
        weight = self.weights
        bias = self.bias.view(self.count, -1)
        return torch.bmm(weight, value_FD[..., None])[..., 0], torch.bmm(weight, base_FD[..., None])[..., 0] + bias

    def after_each(self, inner: _Stacked) -> tuple[Tensor, Tensor]:
        """Return weights and biases of these Linears applied to the outputs of `inner`'s."""
        bias = torch.bmm(self.weights, inner.bias.view(self.count, -1, 1))[..., 0] + self.bias.view(self.count, -1)
        return torch.bmm(self.weights, inner.weights), bias


def _after_embedding(linear: nn.Linear, x_FN: Tensor, value_FD: Tensor, base_FD: Tensor) -> Tensor:
    """Apply a Linear of the F embeddings side by side, by its F products with an embedding instead."""
    weight = linear.weight.view(linear.out_features, *value_FD.shape)
    bias = torch.addmv(linear.bias, linear.weight, base_FD.flatten())
    return (weight * value_FD).sum(-1) @ x_FN + bias[:, None]
