"""A toy family: residual layers on the window laid flat, without tokens, attention or heads.

It shares nothing with the families of encoder blocks, so that the port is seen to ask for no such thing. This one file,
put into tsladder/families/, is all that a study of it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsladder.families.parts.family import Activations, Family, Tokens
from tsladder.families.parts.geometry import Architecture, Geometry

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model

FEWEST_DAYS = 8


@dataclass(frozen=True, slots=True)
class MlpCosts:
    model: Architecture

    @property
    def n_params_blocks(self) -> int:
        d, f = self.model.d_model, self.model.d_ff
        return self.model.n_layers * (2 * d + d * f + f + f * d + d)

    @property
    def n_params_body(self) -> int:
        return self.n_params_blocks + 2 * self.model.d_model

    @property
    def n_params(self) -> int:
        d, outputs = self.model.d_model, self.model.geometry.n_outputs
        return self._inputs * d + d + self.n_params_body + d * outputs + outputs

    @property
    def largest_weight(self) -> int:
        return self.model.d_model * self.model.d_ff

    def activations(self, body: int) -> Activations:
        d, f = self.model.d_model, self.model.d_ff
        # Input and normalised input, the dropout mask, and GELU's two sides.
        layer = (3 * d + 2 * f) * body
        return Activations(
            blocks=self.model.n_layers * layer,
            checkpointed=self.model.n_layers * d * body + layer,
            largest_block=layer,
            moment=2 * f * body,
            edges=self._inputs * (8 + body) + d * 8,
        )

    @property
    def products(self) -> float:
        d, f = self.model.d_model, self.model.d_ff
        return 2.0 * (self._inputs * d + self.model.n_layers * 2 * d * f)

    @property
    def moved(self) -> float:
        return float(self.model.n_layers * (12 * self.model.d_model + 8 * self.model.d_ff))

    @property
    def calls(self) -> int:
        return self.model.n_layers

    @property
    def _inputs(self) -> int:
        return self.model.geometry.context_length * self.model.geometry.n_features


class ResidualMlp:
    leaves: tuple[str, ...] = ()
    fewer_parameters = "shorter windows or fewer features"

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        if context_length >= FEWEST_DAYS:
            return {}
        return {"family": f"residual_mlp needs windows.context_length of {FEWEST_DAYS} days, got {context_length}"}

    def tokens(self, geometry: Geometry) -> Tokens:
        return Tokens(count=1, inputs=geometry.context_length * geometry.n_features)

    def in_grid(self, model: Architecture) -> bool:
        """It has no heads, so one member a shape says it all."""
        return model.n_heads == 2

    def costs(self, model: Architecture) -> MlpCosts:
        return MlpCosts(model)

    def build(self, model: Architecture, *, dropout: float, activation_checkpointing: bool, lowered: bool) -> Model:
        import torch
        from torch import Tensor, nn
        from torch.nn import functional
        from torch.utils.checkpoint import checkpoint

        from tsladder.families.parts.layers import RevinAffine
        from tsladder.families.parts.model import Model

        class Layer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.norm = nn.LayerNorm(model.d_model)
                self.expand = nn.Linear(model.d_model, model.d_ff)
                self.contract = nn.Linear(model.d_ff, model.d_model)

            def forward(self, h_BD: Tensor) -> Tensor:
                out_BD = self.contract(functional.gelu(self.expand(self.norm(h_BD))))
                return h_BD + functional.dropout(out_BD, dropout, self.training)

        class Module(Model):
            def __init__(self) -> None:
                super().__init__()
                geometry = model.geometry
                held = torch.bfloat16 if lowered else torch.float32
                self.revin = RevinAffine(geometry.n_features) if geometry.revin else None
                self.embed = nn.Linear(geometry.context_length * geometry.n_features, model.d_model).to(held)
                self.blocks = nn.ModuleList(Layer().to(held) for _ in range(model.n_layers))
                self.norm = nn.LayerNorm(model.d_model)
                self.head = nn.Linear(model.d_model, geometry.n_outputs)

            def body(self) -> tuple[nn.Module, ...]:
                return (self.embed, self.blocks)

            def forward(self, x_BTC: Tensor) -> Tensor:
                if self.revin is not None:
                    x_BTC = self.revin(x_BTC)
                h_BD = self.embed(x_BTC.flatten(1).to(self.embed.weight.dtype))
                for layer in self.blocks:
                    checkpointing = activation_checkpointing and self.training
                    h_BD = checkpoint(layer, h_BD, use_reentrant=False) if checkpointing else layer(h_BD)
                logits_BK: Tensor = self.head(self.norm(h_BD.to(self.norm.weight.dtype)))
                return logits_BK.squeeze(-1)

        return Module()


FAMILY: Family = ResidualMlp()
