"""What each family makes of a window, in numbers: its tokens, and what it trains around its encoder blocks. No torch.

Blocks that see equally many tokens are a *stage*. PatchTST and iTransformer have one; the Informer halves its tokens
between blocks, so each of its first blocks is a stage of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tsladder.models.spec import Geometry

SAMPLING_FACTOR = 5
"""c of ProbSparse attention (Zhou et al. 2021, whose experiments use 5)."""

FEWEST_TOKENS = 8
"""Distilling stops where fewer tokens would be left: a head of two or three days could tell nothing apart."""

CONVOLVED = 3
"""Neighbouring tokens that the convolution of a distilling sees."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """`n_blocks` blocks in a row that see `tokens` tokens each. `queries` of the tokens attend to the others; less than
    `tokens` is ProbSparse attention."""

    tokens: int
    n_blocks: int
    queries: int

    @property
    def sparse(self) -> bool:
        return self.queries < self.tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Stem:
    """`inputs`: values from which a token is embedded. `positions`: learned vectors of width d_model that are added.

    Between two stages tokens are distilled to half by a convolution over `CONVOLVED` of them and a LayerNorm.
    """

    inputs: int
    positions: int
    stages: tuple[Stage, ...]

    @property
    def tokens_read(self) -> int:
        """Tokens that the head sees, laid side by side."""
        return self.stages[-1].tokens

    @property
    def distillings(self) -> int:
        return len(self.stages) - 1


@lru_cache(maxsize=4096)
def stem_of(geometry: Geometry, n_layers: int) -> Stem:
    """Of a model with `n_layers` blocks. Raises KeyError for an unknown family."""
    return _FAMILIES[geometry.family](geometry, n_layers)


def active_queries(tokens: int) -> int:
    """u = c ln L of ProbSparse attention, with ln L rounded up as in the authors' code; never more than there are."""
    return min(tokens, SAMPLING_FACTOR * max(1, math.ceil(math.log(tokens))))


def _patchtst(geometry: Geometry, n_layers: int) -> Stem:
    patches = geometry.n_patches
    return Stem(
        inputs=geometry.patch_len * geometry.n_features,
        positions=patches,
        stages=(Stage(tokens=patches, n_blocks=n_layers, queries=patches),),
    )


def _itransformer(geometry: Geometry, n_layers: int) -> Stem:
    features = geometry.n_features
    return Stem(
        inputs=geometry.context_length,
        positions=0,
        stages=(Stage(tokens=features, n_blocks=n_layers, queries=features),),
    )


def _informer(geometry: Geometry, n_layers: int) -> Stem:
    tokens = geometry.context_length
    stages = []
    left = n_layers
    while left > 1 and _halved(tokens) >= FEWEST_TOKENS:
        stages.append(Stage(tokens=tokens, n_blocks=1, queries=active_queries(tokens)))
        tokens, left = _halved(tokens), left - 1
    stages.append(Stage(tokens=tokens, n_blocks=left, queries=active_queries(tokens)))
    return Stem(inputs=geometry.n_features, positions=0, stages=tuple(stages))


def _halved(tokens: int) -> int:
    """By pooling with stride 2, the last token always inside."""
    return -(-tokens // 2)


_FAMILIES: dict[str, Callable[[Geometry, int], Stem]] = {
    "patchtst": _patchtst,
    "itransformer": _itransformer,
    "informer": _informer,
}
