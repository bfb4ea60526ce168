"""Figures of a law in words: p-values and intervals, one way for all its sentences."""

from __future__ import annotations

_LEAST_P = 0.001
_LEAST_EXPONENT = 5e-5
_LEAST_SHARE = 5e-4


def p_in_words(p: float) -> str:
    """ "p = 0.034", and "p < 0.001" for what is smaller: no p-value is 0."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"


def exponent_in_words(alpha: float) -> str:
    """Four decimals, or powers of ten where those would show 0 of what is not 0."""
    return f"{alpha:.4f}" if abs(alpha) >= _LEAST_EXPONENT or alpha == 0.0 else f"{alpha:.1e}"


def interval_in_words(ends: tuple[float, float]) -> str:
    """Of an exponent: "0.0120 to 0.0310"."""
    return f"{exponent_in_words(ends[0])} to {exponent_in_words(ends[1])}"


def share_in_words(share: float) -> str:
    """ "7.6%", and "less than 0.1%" for what would show as nothing."""
    return f"{share:.1%}" if share >= _LEAST_SHARE else "less than 0.1%"


def counted(number: int, noun: str) -> str:
    """ "1 rung", "2 rungs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
