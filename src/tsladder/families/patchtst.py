"""PatchTST (Nie et al. 2023) as a classifier, channel-mixing: a patch holds all features of its days.

Deviations from the paper: one token sequence for all channels instead of one for each channel, pre-norm, and one logit
instead of a forecast. Shapes: B batch, T days, C features, P patches, E patch_len x C, D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from tsladder.families.parts.costs import EncoderCosts, tokens_of
from tsladder.families.parts.family import Family, Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.stem import Stage, Stem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tsladder.families.parts.encoder import TokenEncoder


POSITION_SD = 0.02


class PatchTST:
    """The family whose tokens are patches of days, with learned positions."""

    leaves = ("patch_len", "stride")
    fewer_parameters = "shorter patches or fewer features"

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        if settings["patch_len"] <= context_length:
            return {}
        limit = f"windows.context_length ({context_length} days)"
        return {"patch_len": f"a patch must fit into {limit}, got {settings['patch_len']}"}

    def stem(self, geometry: Geometry, n_layers: int) -> Stem:
        patches = n_patches(geometry)
        return Stem(
            inputs=geometry.patch_len * geometry.n_features,
            positions=patches,
            stages=(Stage(tokens=patches, n_blocks=n_layers, queries=patches),),
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
            tokens=partial(patches, model.geometry),
            positions=lambda: learned_positions(n_patches(model.geometry), model.d_model),
            dropout=dropout,
            activation_checkpointing=activation_checkpointing,
            lowered=lowered,
        )


def n_patches(geometry: Geometry) -> int:
    """Return the number of right-aligned patches: the newest day closes the last one; oldest days that fill none are
    dropped."""
    return (geometry.context_length - geometry.patch_len) // geometry.stride + 1


def dropped_days(geometry: Geometry) -> int:
    """Return the number of oldest days of a window that no patch covers."""
    return (geometry.context_length - geometry.patch_len) % geometry.stride


def patches(geometry: Geometry, x_BTC: Tensor) -> Tensor:
    """Cut windows into right-aligned patches_BPE: the newest day is always inside the last one."""
    kept = x_BTC[:, dropped_days(geometry) :, :]
    return kept.unfold(1, geometry.patch_len, geometry.stride).transpose(2, 3).flatten(2)


def learned_positions(count: int, width: int) -> nn.Parameter:
    """Draw the initial position_PD, which is trained."""
    import torch

    return torch.nn.Parameter(torch.randn(count, width) * POSITION_SD)


FAMILY: Family = PatchTST()
