"""P-values in sentences."""

from __future__ import annotations

_LEAST_SHOWN = 0.001


def p_in_words(p: float) -> str:
    """Such as "p = 0.041", and "p < 0.001" below that: a p-value from a bootstrap or an approximation is never 0."""
    return f"p = {p:.2g}" if p >= _LEAST_SHOWN else f"p < {_LEAST_SHOWN:g}"
