"""Encoder of the sessions of each stock in a model of a panel, which can be trained without labels.

A family whose models have one defines it as ENCODER in the module of its name in families/panel/encoders, which is
loaded by name: its code makes no cell of a study without pretraining stale. tests/families/encoder_contract.py
holds the promises of every implementation. Imports no torch.

Axis letters: B days, S stocks, P tokens of a stock, D width.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tsladder.errors import BadInput
from tsladder.families.parts.geometry import PanelGeometry

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tsladder.families.parts.day_inputs import DayInputs
    from tsladder.families.parts.model import Model


@dataclass(frozen=True, kw_only=True, slots=True)
class Patches:
    """Patches of a stock's window that pretraining hides.

    `tokens`: outputs of the encoder, of `sessions` sessions each; the last one ends with the newest session, and oldest
    sessions that fill none belong to none. `together`: consecutive tokens that are hidden together, as one patch.
    `always_shown`: oldest patches that are never hidden, where an encoder sees nothing but what lies before a token.
    """

    tokens: int
    sessions: int
    together: int = 1
    always_shown: int = 0

    @property
    def count(self) -> int:
        """Number of patches."""
        return self.tokens // self.together

    def hidden(self, share: float) -> int:
        """Return how many patches of a window are hidden where a `share` of them shall be: some, and never all."""
        return min(self.count - max(1, self.always_shown), max(1, round(share * self.count)))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SessionEncoder:
    """Encoder of one model, whose modules and parameters it shares.

    members  its modules and parameters, by the names that they have in the model
    body     names of the members that may hold their weights and compute in bf16; those of a ModuleList, its layers
    width    width of a token
    encode   function of days and of whether units are dropped that returns a token for each patch of each stock,
             h_BSPD; no token depends on another stock
    """

    members: Mapping[str, nn.Module | nn.Parameter]
    body: tuple[str, ...]
    width: int
    encode: Callable[[DayInputs, bool], Tensor]


class EncoderPort(Protocol):
    """Port of the families that have such an encoder."""

    def patches(self, context_length: int, settings: Mapping[str, int]) -> Patches:
        """Return the patches of windows of so many sessions. `settings`: leaves of the section `model`."""

    def of(self, model: Model) -> SessionEncoder:
        """Return the encoder of `model`, which its family has built."""


def encoder_module(family: str) -> str:
    """Return the module that defines the encoder of `family`."""
    return f"tsladder.families.panel.encoders.{family}"


def load_encoder(family: str) -> EncoderPort:
    """Load the encoder of `family`. Raises BadInput for a family without one."""
    if importlib.util.find_spec(encoder_module(family)) is None:
        raise BadInput(f"search.pretraining: models of model.family {family} have no encoder of sessions: set null")
    port: EncoderPort = importlib.import_module(encoder_module(family)).ENCODER
    return port


def patches_of(geometry: PanelGeometry) -> Patches:
    """Return the patches of the models of `geometry`. Raises BadInput as `load_encoder` does."""
    settings = {"patch_len": geometry.patch_len, "days": geometry.days}
    return load_encoder(geometry.family).patches(geometry.context_length, settings)


def fault(family: str, context_length: int, settings: Mapping[str, int]) -> str | None:
    """Return why models of `family` cannot be pretrained with these `settings`; None where they can."""
    try:
        patches = load_encoder(family).patches(context_length, settings)
    except BadInput as error:
        return str(error).removeprefix("search.pretraining: ")
    if patches.count >= 2:
        return None
    found = "one patch" if patches.count == 1 else "no patch"
    return f"a window must have at least two patches, one to hide and one to show, and has {found}: set null"
