"""Two records of a law side by side: where the one computed here differs from the one that came with the study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

TOLERANCE = 1e-6
"""Relative, of numbers: another processor's last digits are no difference."""

_TOLD_OF_STUDY = ("study_key", "region", "metric", "confidence", "alpha_of_interest")
_MISSING = object()


def differences(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Each field of the study's law and of its horizons that differs, with both values; () where none does."""
    told = {key: stored.get(key) for key in _TOLD_OF_STUDY}
    lines = list(_differing("", told, {key: found.get(key) for key in _TOLD_OF_STUDY}))
    ours, theirs = found.get("horizons", {}), stored.get("horizons", {})
    for horizon in sorted({*ours, *theirs}, key=lambda name: (len(name), name)):
        lines += _differing(f"h{horizon}", theirs.get(horizon, _MISSING), ours.get(horizon, _MISSING))
    return tuple(lines)


def _differing(path: str, stored: Any, found: Any) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in (*stored, *(key for key in found if key not in stored)):
            yield from _differing(
                f"{path}.{key}" if path else str(key), stored.get(key, _MISSING), found.get(key, _MISSING)
            )
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, pair in enumerate(zip(stored, found, strict=True)):
            yield from _differing(f"{path}[{index}]", *pair)
    elif not _same(stored, found):
        yield f"{path}: stored {_word(stored)}, computed here {_word(found)}"


def _same(stored: Any, found: Any) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (stored, found))
    if numbers:
        return math.isclose(stored, found, rel_tol=TOLERANCE, abs_tol=1e-12)
    return type(stored) is type(found) and bool(stored == found)


def _word(value: Any) -> str:
    text = "nothing" if value is _MISSING else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
