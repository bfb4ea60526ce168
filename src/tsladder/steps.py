"""How far long work has come, told to whoever wants to know: work knows no terminal."""

from __future__ import annotations

from collections.abc import Callable

OnStep = Callable[[str, int, int], None]
"""Told before each step: what it is, its number from 1, and of how many."""


def no_progress(_what: str, _number: int, _of: int) -> None:
    """For work that nobody watches."""
