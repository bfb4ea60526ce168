"""What a model is, without building it: shape, patches and exact parameter counts. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Geometry:
    """What a study fixes for all its models: the window, its patches and its inputs."""

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
    def n_params_body(self) -> int:
        """All but embedding (patch projection, positions) and head: the blocks and the final LayerNorm."""
        return self.n_params_blocks + 2 * self.d_model

    @property
    def n_params_formula(self) -> int:
        """Exact count without RevIN's affine; decides membership of a grid."""
        g, d = self.geometry, self.d_model
        embedding = g.patch_len * g.n_features * d + d + g.n_patches * d
        head = d * g.n_patches * g.n_outputs + g.n_outputs
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
