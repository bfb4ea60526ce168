"""The Informer (Zhou et al. 2021) as a classifier, encoder only: tokens are days, ProbSparse attention, distilling.

Deviations from the paper: no decoder and one logit instead of a forecast; pre-norm; a day is embedded by itself and not
with its neighbours, and has no calendar embedding; distilling normalises with a LayerNorm, since a BatchNorm's output
depends on the other windows of the micro-batch, and pads with zeros, since days are not circular. Tokens are halved
after each block as long as FEWEST_TOKENS are left; later blocks see the tokens that are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.families.parts.active_queries import active_queries
from tsladder.families.parts.costs import EncoderCosts, tokens_of
from tsladder.families.parts.family import Family, Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.stem import DistillingCosts, Stage, Stem

if TYPE_CHECKING:
    from torch import Tensor

    from tsladder.families.parts.encoder import TokenEncoder
    from tsladder.families.parts.layers import Mix

FEWEST_TOKENS = 8
"""Fewest tokens after distilling: a head of two or three days could distinguish nothing."""

DISTILLING = DistillingCosts(matrix=3, vectors=3, kept=6.5, moved=24)
"""Costs of parts/distilling.py: a convolution over three tokens with its bias, and a LayerNorm. The backward pass keeps
the three tokens side by side (3d) and what convolution, norm, ELU and the two maxima need (3.5d)."""

_SLOWEST = 10_000.0


class Informer:
    """The family whose tokens are days, with fixed positions, halved block by block."""

    leaves: tuple[str, ...] = ()
    fewer_parameters = "fewer features"

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        return {}

    def stem(self, geometry: Geometry, n_layers: int) -> Stem:
        tokens = geometry.context_length
        stages = []
        left = n_layers
        while left > 1 and _halved(tokens) >= FEWEST_TOKENS:
            stages.append(Stage(tokens=tokens, n_blocks=1, queries=active_queries(tokens)))
            tokens, left = _halved(tokens), left - 1
        stages.append(Stage(tokens=tokens, n_blocks=left, queries=active_queries(tokens)))
        return Stem(inputs=geometry.n_features, positions=0, stages=tuple(stages), distilling=DISTILLING)

    def tokens(self, geometry: Geometry) -> Tokens:
        return tokens_of(self.stem(geometry, 1))

    def in_grid(self, model: Architecture) -> bool:
        return True

    def costs(self, model: Architecture) -> EncoderCosts:
        return EncoderCosts(model, self.stem(model.geometry, model.n_layers))

    def build(
        self, model: Architecture, *, dropout: float, activation_checkpointing: bool, lowered: bool
    ) -> TokenEncoder:
        from tsladder.families.parts.distilling import Distilling
        from tsladder.families.parts.encoder import TokenEncoder

        return TokenEncoder(
            model,
            self.stem(model.geometry, model.n_layers),
            tokens=lambda x_BTC: x_BTC,
            positions=lambda: positions(model.geometry.context_length, model.d_model),
            mix=_mix,
            distil=lambda: Distilling(model.d_model),
            dropout=dropout,
            activation_checkpointing=activation_checkpointing,
            lowered=lowered,
        )


def positions(days: int, width: int) -> Tensor:
    """Return the sines and cosines of Vaswani et al. (2017), position_TD: fixed, as in the paper."""
    import torch

    angle_TD = torch.arange(days)[:, None] * _SLOWEST ** (-torch.arange(0, width, 2) / width)
    return torch.stack([angle_TD.sin(), angle_TD.cos()], dim=2).flatten(1)[:, :width]


def _halved(tokens: int) -> int:
    """Return the number of tokens after pooling with stride 2, the last token always included."""
    return -(-tokens // 2)


def _mix(stage: Stage, number: int) -> Mix:
    from tsladder.families.parts.layers import attend_to_all
    from tsladder.families.parts.sparse_attention import ProbSparse

    return ProbSparse(stage.tokens, number) if stage.sparse else attend_to_all


FAMILY: Family = Informer()
