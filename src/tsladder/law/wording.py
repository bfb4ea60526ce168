"""Formats for the figures of a law in sentences: p-values, exponents, intervals and shares."""

from __future__ import annotations

_LEAST_P = 0.001
_LEAST_EXPONENT = 5e-5
_NO_EXPONENT = 1e-15
_LEAST_SHARE = 5e-4


def p_in_words(p: float) -> str:
    """Format a p-value: "p = 0.034", and "p < 0.001" for a smaller one, since no p-value is 0."""
    return f"p < {_LEAST_P:g}" if p < _LEAST_P else f"p = {p:.2g}"


def exponent_in_words(alpha: float) -> str:
    """Format an exponent with four decimals, or in powers of ten where those would show 0 for a value that is not."""
    if abs(alpha) < _NO_EXPONENT:
        return f"{0.0:.4f}"
    return f"{alpha:.4f}" if abs(alpha) >= _LEAST_EXPONENT else f"{alpha:.1e}"


def interval_in_words(ends: tuple[float, float]) -> str:
    """Format the interval of an exponent: "0.0120 to 0.0310"."""
    return f"{exponent_in_words(ends[0])} to {exponent_in_words(ends[1])}"


def share_in_words(share: float) -> str:
    """Format a share: "7.6%", "less than 0.1%" for one that would show as nothing, "more than 99.9%" for one that would
    show as all."""
    if share < _LEAST_SHARE:
        return "less than 0.1%"
    return "more than 99.9%" if 1.0 - _LEAST_SHARE <= share <= 1.0 else f"{share:.1%}"


def degrees_in_words(dof: float) -> str:
    return f"{dof:.3g} degree{'' if dof == 1.0 else 's'} of freedom"


def counted(number: int, noun: str) -> str:
    """Format a count with its noun: "1 rung", "2 rungs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
