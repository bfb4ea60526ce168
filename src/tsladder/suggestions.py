"""Suggest known names similar to an unknown one: "did you mean 2M-h1?"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

OFFERED = 3


def similar(name: str, known: Iterable[str], *, count: int = OFFERED, cutoff: float = 0.5) -> list[str]:
    """Return at most `count` of the names `known`, the most similar to `name` first, ignoring case.

    `cutoff`: least similarity, from 0 to 1, by `difflib.SequenceMatcher.ratio`.
    """
    by_folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=count, cutoff=cutoff)
    return [by_folded[folded] for folded in close]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the second half of an error message: the names most similar to `name`, or all of `known` if none is
    similar."""
    names = list(known)
    offered = similar(name, names)
    return f"did you mean {' or '.join(offered)}?" if offered else f"there are {', '.join(names)}"
