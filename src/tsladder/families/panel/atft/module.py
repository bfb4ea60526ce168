"""The module of atft_gat_fan: `DayInputs` -> out_BSO.

Shapes: B days, S stocks, C stocks at once, N windows of stocks (B x C), T sessions that are read, F columns, D width, O
outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tsladder.families.panel.atft.active import TOGGLES, Active
from tsladder.families.panel.atft.fan import FrequencyNormalisation
from tsladder.families.panel.atft.gatv2 import GraphLayer, graph_of
from tsladder.families.panel.atft.head import QuantileHead
from tsladder.families.panel.atft.san import SliceNormalisation
from tsladder.families.panel.atft.temporal import GatedRecurrence, attend_to_earlier
from tsladder.families.panel.atft.variable_selection import VariableSelection
from tsladder.families.parts.day_inputs import DayInputs
from tsladder.families.parts.dropout import Masks
from tsladder.families.parts.encoder import dropout_keys
from tsladder.families.parts.geometry import Architecture, PanelGeometry
from tsladder.families.parts.last_token import last_token
from tsladder.families.parts.layers import EncoderBlock
from tsladder.families.parts.model import Model

EDGE_DROPOUT = 0.1
"""Share of the edges between stocks that each forward pass in training leaves out, where anything is dropped at all."""

_MODULES = {"fan": "fan", "san": "san", "gat": "graph"}
"""Toggle -> name of the module that it switches."""


class AtftGatFan(Model):
    """A model of days that reads their newest sessions: normalisations, variable selection, LSTM, causal blocks, then
    attention to the neighbours of each stock in a graph, and quantiles.

    Every part but the graph layers works stock by stock, and those have no positions: permuted stocks have permuted
    outputs. Columns count as 0 where a stock was absent, whatever `x_BSTF` holds there.

    `active` says which parts are computed; all of them from the start, the graph layers only if there are any. `fan`,
    `san` and each of `graph` change nothing until they are trained, so that switching one on continues a training
    smoothly. `stocks_at_once`: stocks that pass through everything before the graph at once; what is kept of them for
    the backward pass is then computed again.
    """

    embed: VariableSelection
    norm: nn.LayerNorm
    head: QuantileHead

    def __init__(
        self,
        model: Architecture,
        geometry: PanelGeometry,
        *,
        position_sd: float,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None,
    ) -> None:
        super().__init__()
        width, features, body = model.d_model, geometry.n_features, torch.bfloat16 if lowered else torch.float32
        self.days = geometry.days
        self.dropout = dropout
        self.activation_checkpointing = activation_checkpointing
        self.stocks_at_once = stocks_at_once
        self.fan = FrequencyNormalisation(features, width, geometry.fan_components)
        self.san = SliceNormalisation(features, width)
        self.embed = VariableSelection(features, width).to(body)
        self.recurrence = GatedRecurrence(width)
        self.position = nn.Parameter(torch.randn(geometry.days, width) * position_sd)
        self.blocks = nn.ModuleList(
            EncoderBlock(width, model.n_heads, model.d_ff, dropout, attend_to_earlier).to(body)
            for _ in range(model.n_layers)
        )
        self.norm_temporal = nn.LayerNorm(width)
        self.graph = nn.ModuleList(GraphLayer(width, model.n_heads, dropout) for _ in range(model.n_graph))
        self.norm = nn.LayerNorm(width)
        self.head = QuantileHead(width, geometry.horizons, geometry.quantiles)
        self._active = Active(gat=model.n_graph > 0)

    @property
    def active(self) -> Active:
        """Parts that are computed now."""
        return self._active

    def activate(self, active: Active) -> None:
        """Compute these parts from now on. Raises ValueError for graph layers that the model does not have."""
        if active.gat and not self.graph:
            raise ValueError("this model has no layers over a graph (n_graph 0), so `gat` cannot be active")
        self._active = active

    def inactive_parameters(self) -> frozenset[str]:
        """Return the names of the parameters that no output depends on now: an optimizer leaves them as they are."""
        off = [f"{_MODULES[toggle]}." for toggle in TOGGLES if not getattr(self._active, toggle)]
        return frozenset(name for name, _ in self.named_parameters() if name.startswith(tuple(off)))

    def body(self) -> tuple[nn.Module, ...]:
        """Return variable selection and causal blocks, nearly all of the work. All else computes in fp32."""
        return (self.embed, self.blocks)

    def forward(self, inputs: DayInputs) -> Tensor:
        h_BSD = self._stocks(inputs)
        if self._active.gat:
            dropping = self.training and self.dropout > 0
            graph = graph_of(inputs, EDGE_DROPOUT if dropping else 0.0)
            for layer, key in zip(self.graph, self._keys(len(self.graph)), strict=True):
                h_BSD = self._run(layer, h_BSD, graph, key)
        out_BSO: Tensor = self.head(self.norm(h_BSD))
        return out_BSO

    def _stocks(self, inputs: DayInputs) -> Tensor:
        """Return what the windows of each stock become, h_BSD."""
        x_BSTF, here_BST = inputs.x_BSTF[:, :, -self.days :], inputs.here_BST[:, :, -self.days :]
        parts = []
        at_once = self.stocks_at_once or x_BSTF.shape[1]
        for x_BCTF, here_BCT in zip(x_BSTF.split(at_once, dim=1), here_BST.split(at_once, dim=1), strict=True):
            windows = partial(self.windows, keys=self._keys(1 + len(self.blocks)))
            x_NTF = x_BCTF.masked_fill(~here_BCT[..., None], 0.0).flatten(0, 1)
            again = self.training and self.stocks_at_once is not None
            h_ND = checkpoint(windows, x_NTF, use_reentrant=False) if again else windows(x_NTF)
            parts.append(h_ND.unflatten(0, x_BCTF.shape[:2]))
        return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]

    def windows(self, x_NTF: Tensor, keys: list[int | None]) -> Tensor:
        """Return what windows become, h_ND. `keys` of the dropout masks: of the tokens and of each block."""
        x_NTF, added_NTD = self._normalised(x_NTF)
        body = self.embed.value.weight.dtype
        h_NTD = self._run(self.embed, x_NTF.to(body)).to(self.position.dtype)
        if added_NTD is not None:
            h_NTD = h_NTD + added_NTD
        if keys[0] is not None:
            h_NTD = Masks(self.dropout, keys[0]).drop(h_NTD)
        h_NTD = (self._run(self.recurrence, h_NTD) + self.position).to(body)
        *earlier, last = self.blocks
        for block, key in zip(earlier, keys[1:-1], strict=True):
            h_NTD = self._run(block, h_NTD, key)
        newest_ND = self._run(partial(last_token, cast(EncoderBlock, last)), h_NTD, keys[-1])
        normed_ND: Tensor = self.norm_temporal(newest_ND.to(self.position.dtype))
        return normed_ND

    def _normalised(self, x_NTF: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return normalised columns and what the normalisations tell about each session's token; None: nothing."""
        added_NTD = None
        if self._active.fan:
            x_NTF, ending_ND = self.fan(x_NTF)
            added_NTD = nn.functional.pad(ending_ND[:, None], (0, 0, self.days - 1, 0))
        if self._active.san:
            x_NTF, slice_NTD = self.san(x_NTF)
            added_NTD = slice_NTD if added_NTD is None else added_NTD + slice_NTD
        return x_NTF, added_NTD

    def _run(self, layer: Callable[..., Tensor], *given: Any) -> Tensor:
        """Compute a layer. Under activation checkpointing it keeps only what it is given, and is computed again."""
        if self.activation_checkpointing and self.training:
            again: Tensor = checkpoint(layer, *given, use_reentrant=False)
            return again
        return layer(*given)

    def _keys(self, count: int) -> list[int | None]:
        """Draw the keys of dropout masks in training."""
        return dropout_keys(count, self.dropout if self.training else 0.0)
