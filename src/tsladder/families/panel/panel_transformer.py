"""A cross-sectional transformer that ranks the stocks of a day: what each stock did lately, then how stocks compare.

Patches of `patch_len` sessions with all columns, the newest closing with the day, are the tokens of a stock (Nie et al.
2023); half of the blocks, rounded up, see them stock by stock. The token of the last patch then stands for the stock,
and the other blocks see the stocks of the day, of which only members of the day's cross-section are attended to. Stocks
have neither positions nor an embedding of their own, which would memorise those that survived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.families.parts.family import Tokens
from tsladder.families.parts.geometry import Architecture, Geometry
from tsladder.families.parts.panel_costs import CrossSectionalCosts
from tsladder.families.parts.panel_family import PanelFamily
from tsladder.families.parts.panel_geometry import panel_geometry

if TYPE_CHECKING:
    from tsladder.families.parts.cross_sectional import CrossSectionalEncoder

POSITION_SD = 0.02
"""Standard deviation of the positions when training begins."""


class PanelTransformer:
    """The family whose tokens are patches of sessions, then stocks. `patch_len` is also the stride of the patches."""

    leaves = ("patch_len",)
    fewer_parameters = "shorter patches or fewer columns"

    def faults(self, context_length: int, settings: Mapping[str, int]) -> Mapping[str, str]:
        if settings["patch_len"] <= context_length:
            return {}
        limit = f"windows.context_length ({context_length} sessions)"
        return {"patch_len": f"a patch must fit into {limit}, got {settings['patch_len']}"}

    def tokens(self, geometry: Geometry) -> Tokens:
        return Tokens(count=n_patches(geometry), inputs=geometry.patch_len * geometry.n_features)

    def in_grid(self, model: Architecture) -> bool:
        """With one block no stock would see another."""
        return model.n_layers >= 2

    def costs(self, model: Architecture) -> CrossSectionalCosts:
        tokens = self.tokens(model.geometry)
        return CrossSectionalCosts(
            model=model,
            stocks=panel_geometry(model.geometry).stocks,
            patches=tokens.count,
            inputs=tokens.inputs,
            temporal_blocks=temporal_blocks(model),
        )

    def build(
        self,
        model: Architecture,
        *,
        dropout: float,
        activation_checkpointing: bool,
        lowered: bool,
        stocks_at_once: int | None = None,
    ) -> CrossSectionalEncoder:
        from tsladder.families.parts.cross_sectional import CrossSectionalEncoder

        geometry = panel_geometry(model.geometry)
        return CrossSectionalEncoder(
            model,
            patches=n_patches(geometry),
            patch_len=geometry.patch_len,
            temporal_blocks=temporal_blocks(model),
            horizons=geometry.horizons,
            quantiles=geometry.quantiles,
            position_sd=POSITION_SD,
            dropout=dropout,
            activation_checkpointing=activation_checkpointing,
            lowered=lowered,
            stocks_at_once=stocks_at_once,
        )


def n_patches(geometry: Geometry) -> int:
    """Return the number of patches: the newest session closes the last one; oldest sessions that fill none are
    dropped."""
    return geometry.context_length // geometry.patch_len


def temporal_blocks(model: Architecture) -> int:
    """Return the number of blocks over the patches of a stock: half of all, rounded up."""
    return -(-model.n_layers // 2)


FAMILY: PanelFamily = PanelTransformer()
