"""The iTransformer (Liu et al. 2024) as a classifier: a feature's whole window is a token; attention across features.

Deviations from the paper: pre-norm, and one logit instead of a forecast of each feature. The head reads all tokens side
by side. Tokens have no positions and share their embedding, so a mean over them could not distinguish the features; in
the paper each token forecasts its own feature and need not. Shapes: B batch, T days, C features (the tokens), D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.families.parts.costs import EncoderCosts, tokens_of
from tsladder.families.parts.family import Family, Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.stem import Stage, Stem

if TYPE_CHECKING:
    from tsladder.families.parts.encoder import TokenEncoder


class ITransformer:
    """The family whose tokens are features, without positions."""

    leaves: tuple[str, ...] = ()
    fewer_parameters = "shorter windows or fewer features"

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        return {}

    def stem(self, geometry: Geometry, n_layers: int) -> Stem:
        features = geometry.n_features
        return Stem(
            inputs=geometry.context_length,
            positions=0,
            stages=(Stage(tokens=features, n_blocks=n_layers, queries=features),),
        )

    def tokens(self, geometry: Geometry) -> Tokens:
        return tokens_of(self.stem(geometry, 1))

    def in_grid(self, model: Architecture) -> bool:
        return True

    def costs(self, model: Architecture) -> EncoderCosts:
        return EncoderCosts(model, self.stem(model.geometry, model.n_layers))

    def build(
        self, model: Architecture, *, dropout: float, activation_checkpointing: bool, lowered: bool
    ) -> TokenEncoder:
        from tsladder.families.parts.encoder import TokenEncoder

        return TokenEncoder(
            model,
            self.stem(model.geometry, model.n_layers),
            tokens=lambda x_BTC: x_BTC.transpose(1, 2),
            dropout=dropout,
            activation_checkpointing=activation_checkpointing,
            lowered=lowered,
        )


FAMILY: Family = ITransformer()
