"""The random streams of a search: with shared draws a poor set of learning rates would tilt all rungs of a law at once,
and no residual would show it. So every cell and every phase draws from streams of its own."""

from __future__ import annotations

from tsladder.seeds import derive_seed
from tsladder.vocabulary import Cell, Phase


def sampler_seed(seed: int, cell: Cell, phase: Phase) -> int:
    """Of all that the sampler draws; `seed` is the study's."""
    return derive_seed(*_stream(seed, cell, phase), "sampler")


def trial_seed(seed: int, cell: Cell, phase: Phase, place: int) -> int:
    """Of the training of trial `place`."""
    return derive_seed(*_stream(seed, cell, phase), "trial", place)


def _stream(seed: int, cell: Cell, phase: Phase) -> tuple[str | int, ...]:
    return (seed, str(cell), *(() if phase is Phase.SEARCH else (str(phase),)))
