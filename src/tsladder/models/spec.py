"""What a model is, without building it: shape, tokens and exact parameter counts. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tsladder.models.stem import CONVOLVED, Stem, stem_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """What a study fixes for all its models: the window, its patches and its inputs.

    Only PatchTST has patches; the other families have `patch_len` and `stride` and no use for them.
    """

    family: str
    context_length: int
    n_features: int
    patch_len: int
    stride: int
    revin: bool
    n_outputs: int = 1

    @property
    def n_patches(self) -> int:
        """Patches are right-aligned: the newest day closes the last patch, oldest days that fill none are dropped."""
        return (self.context_length - self.patch_len) // self.stride + 1

    @property
    def n_tokens(self) -> int:
        """Tokens that a window becomes: patches (PatchTST), features (iTransformer) or days (Informer)."""
        return stem_of(self, 1).stages[0].tokens

    @property
    def token_inputs(self) -> int:
        """Values from which a token is embedded."""
        return stem_of(self, 1).inputs

    @property
    def dropped_days(self) -> int:
        """Oldest days of a window that no patch covers."""
        return (self.context_length - self.patch_len) % self.stride


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSpec:
    """One architecture inside a geometry. Raises ValueError where the heads do not share d_model evenly."""

    geometry: Geometry
    d_model: int
    n_layers: int
    n_heads: int
    d_ff: int

    def __post_init__(self) -> None:
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model {self.d_model} is no multiple of n_heads {self.n_heads}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """What decides the parameter count: (d_model, n_layers, d_ff)."""
        return (self.d_model, self.n_layers, self.d_ff)

    @property
    def n_params_blocks(self) -> int:
        """Encoder blocks: attention 4d^2 + 4d, feed-forward 2df + f + d, two LayerNorms 4d."""
        d, f = self.d_model, self.d_ff
        return self.n_layers * (4 * d * d + 4 * d + 4 * d + 2 * d * f + f + d)

    @property
    def stem(self) -> Stem:
        """What the family puts around and between the blocks."""
        return stem_of(self.geometry, self.n_layers)

    @property
    def n_params_body(self) -> int:
        """All but embedding (projection of the tokens, positions) and head: blocks, distilling, final LayerNorm."""
        d = self.d_model
        distilling = CONVOLVED * d * d + d + 2 * d
        return self.n_params_blocks + self.stem.distillings * distilling + 2 * d

    @property
    def n_params_formula(self) -> int:
        """Exact count without RevIN's affine; decides membership of a grid."""
        stem, d, outputs = self.stem, self.d_model, self.geometry.n_outputs
        embedding = stem.inputs * d + d + stem.positions * d
        head = d * stem.tokens_read * outputs + outputs
        return embedding + self.n_params_body + head

    @property
    def n_params(self) -> int:
        """Exact count of everything that is trained; equals the built model's numel."""
        return self.n_params_formula + (2 * self.geometry.n_features if self.geometry.revin else 0)

    def architecture(self) -> dict[str, int]:
        """The fields that name an architecture in the outputs of a study."""
        return {
            "d_model": self.d_model,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "d_ff": self.d_ff,
            "patch_len": self.geometry.patch_len,
            "stride": self.geometry.stride,
        }


def spec_from_architecture(geometry: Geometry, architecture: dict[str, Any]) -> ModelSpec:
    """The inverse of `ModelSpec.architecture` inside a known geometry."""
    return ModelSpec(
        geometry=geometry,
        d_model=int(architecture["d_model"]),
        n_layers=int(architecture["n_layers"]),
        n_heads=int(architecture["n_heads"]),
        d_ff=int(architecture["d_ff"]),
    )
