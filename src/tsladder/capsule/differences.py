"""Compare the law computed here with the one that came with the study."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

TOLERANCE = 1e-6
"""Relative tolerance of numbers: last digits that vary between processors are no difference."""

_STUDY_FIELDS = ("study_key", "region", "metric", "confidence", "alpha_of_interest")
_MISSING = object()
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")


class DifferenceKind(Enum):
    """Kind of a difference. VALUE: another figure or name. WORDS: a sentence with the same figures, worded differently.
    ADDED: a field that the stored law lacks, as the law of an earlier version does."""

    VALUE = "value"
    WORDS = "words"
    ADDED = "added"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A field that differs from the stored law, with both values as text."""

    kind: DifferenceKind
    path: str
    stored: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: stored {self.stored}, computed here {self.found}"


def differences(stored: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return each field of the study's law and of its horizons that differs; () where none does."""
    study_level = {key: stored.get(key) for key in _STUDY_FIELDS}
    lines = list(_differing("", study_level, {key: found.get(key) for key in _STUDY_FIELDS}))
    ours, theirs = found.get("horizons", {}), stored.get("horizons", {})
    for horizon in sorted({*ours, *theirs}, key=lambda name: (len(name), name)):
        lines += _differing(f"h{horizon}", theirs.get(horizon, _MISSING), ours.get(horizon, _MISSING))
    return tuple(lines)


def _differing(path: str, stored: Any, found: Any) -> Iterator[Difference]:
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in (*stored, *(key for key in found if key not in stored)):
            yield from _differing(
                f"{path}.{key}" if path else str(key), stored.get(key, _MISSING), found.get(key, _MISSING)
            )
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, pair in enumerate(zip(stored, found, strict=True)):
            yield from _differing(f"{path}[{index}]", *pair)
    elif (kind := _kind(path, stored, found)) is not None:
        yield Difference(kind=kind, path=path, stored=_as_text(stored), found=_as_text(found))


def _kind(path: str, stored: Any, found: Any) -> DifferenceKind | None:
    """Return the kind of a difference, None where there is none. A horizon that is missing as a whole is a VALUE, a
    missing field of a horizon is ADDED."""
    if stored is _MISSING and "." in path:
        return DifferenceKind.ADDED
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (stored, found))
    if numbers:
        return None if math.isclose(stored, found, rel_tol=TOLERANCE, abs_tol=1e-12) else DifferenceKind.VALUE
    if type(stored) is type(found) and stored == found:
        return None
    sentences = all(isinstance(value, str) and " " in value for value in (stored, found))
    return (
        DifferenceKind.WORDS
        if sentences and _NUMBER.findall(stored) == _NUMBER.findall(found)
        else DifferenceKind.VALUE
    )


def _as_text(value: Any) -> str:
    text = "nothing" if value is _MISSING else repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
