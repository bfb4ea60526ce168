"""Progress callbacks: long work reports its steps and knows nothing about terminals."""

from __future__ import annotations

from collections.abc import Callable

OnStep = Callable[[str, int, int], None]
"""Progress callback, called before each step with its description, its number from 1, and the number of steps."""


def no_progress(_what: str, _number: int, _of: int) -> None:
    """Ignore progress: the default callback for work whose progress is not shown."""
