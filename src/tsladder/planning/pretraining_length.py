"""Trainings of the stage pretrain of a cell, counted in trainings of its winner. Pure.

The stage pretrains one encoder, and trains every seed of the winner again: from the encoder at all epochs of the
winner, and from scratch and from the encoder at fewer (cells/pretraining_jobs.py). Its seeds from scratch at all epochs
are those of the stage train.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHORTER = 2 / 3
"""Share of the winner's epochs of the shorter trainings: that of cells/pretraining_jobs.py."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainingLength:
    """Lengths in trainings of the winner without early stopping: of the pretraining of the encoder, and of a seed of
    each of the starts, in their order."""

    encoder: float
    starts: tuple[float, ...]


def pretraining_length(pretraining_epochs: int, epochs: float, phases: Sequence[object] = ()) -> PretrainingLength:
    """Return the length of the stage where a training of the winner has `epochs` epochs in so many `phases`."""
    fewer = max(len(phases), 1, round(SHORTER * epochs))
    shorter = (fewer / epochs, fewer / epochs) if fewer < epochs else ()
    return PretrainingLength(encoder=pretraining_epochs / epochs, starts=(1.0, *shorter))
