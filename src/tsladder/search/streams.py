"""Random streams of a search. Every cell and every phase draws from streams of its own: with shared draws a poor set of
learning rates would bias all rungs of a law at once, and no residual would show it."""

from __future__ import annotations

from tsladder.seeds import derive_seed
from tsladder.vocabulary import Cell, Phase


def sampler_seed(seed: int, cell: Cell, phase: Phase) -> int:
    """Return the seed of all that the sampler draws; `seed` is the study's."""
    return derive_seed(*_stream(seed, cell, phase), "sampler")


def trial_seed(seed: int, cell: Cell, phase: Phase, stream_number: int) -> int:
    """Return the training seed of the trial with this `stream_number`."""
    return derive_seed(*_stream(seed, cell, phase), "trial", stream_number)


def _stream(seed: int, cell: Cell, phase: Phase) -> tuple[str | int, ...]:
    return (seed, str(cell), *(() if phase is Phase.SEARCH else (str(phase),)))
