"""Figures of a law in words: p-values and intervals, one way for all its sentences."""

from __future__ import annotations

_LEAST_P = 0.001


def p_in_words(p: float) -> str:
    """ "p = 0.034", and "p < 0.001" for what is smaller: no p-value is 0."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"


def interval_in_words(ends: tuple[float, float], digits: int = 4) -> str:
    return f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def counted(number: int, noun: str) -> str:
    """ "1 rung", "2 rungs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
