"""Encoder of panel_transformer: the embedding of the patches, their positions and the blocks over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.families.parts.session_encoder import EncoderPort, Patches, SessionEncoder

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model


class PatchEncoderPort:
    """The port of `panel_transformer`: what is hidden is a patch of `patch_len` sessions, which is one token."""

    def patches(self, context_length: int, settings: Mapping[str, int]) -> Patches:
        patch_len = settings["patch_len"]
        return Patches(tokens=context_length // patch_len, sessions=patch_len)

    def of(self, model: Model) -> SessionEncoder:
        from tsladder.families.panel.encoders.parts.patch_tokens import patch_encoder

        return patch_encoder(model)


ENCODER: EncoderPort = PatchEncoderPort()
