"""Encoder of atft_gat_fan: variable selection, LSTM, positions and the causal blocks.

A token is one session, and the sessions of a week are hidden together: columns are made of many sessions, so that one
session alone could be copied from its neighbours. The oldest week is always shown: LSTM and blocks see what lies
before a token and nothing else. Frequency and slice adaptive normalisation are left out: their
statistics of a window would be those of what is hidden. They change nothing until labels train them, so a model that
begins with the encoder continues it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.families.panel.atft.sizes import SLICE_SESSIONS
from tsladder.families.parts.session_encoder import EncoderPort, Patches, SessionEncoder

if TYPE_CHECKING:
    from tsladder.families.parts.model import Model


class SessionTokensPort:
    """The port of `atft_gat_fan`."""

    def patches(self, context_length: int, settings: Mapping[str, int]) -> Patches:
        return Patches(tokens=settings["days"], sessions=1, together=SLICE_SESSIONS, always_shown=1)

    def of(self, model: Model) -> SessionEncoder:
        from tsladder.families.panel.encoders.parts.session_tokens import session_encoder

        return session_encoder(model)


ENCODER: EncoderPort = SessionTokensPort()
