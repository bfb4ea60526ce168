"""Anchors of a report: each heading with its unique address within the page. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.report.blocks import Block, Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """Heading with its `id`, which is unique within the page and follows from the heading's text, numbered where a text
    repeats."""

    id: str
    heading: Heading


def anchors(blocks: Sequence[Block]) -> tuple[Anchor, ...]:
    """Return one anchor per heading, in the order of the headings."""
    seen: Counter[str] = Counter()
    found = []
    for heading in (block for block in blocks if isinstance(block, Heading)):
        name = slug(heading.text)
        seen[name] += 1
        found.append(Anchor(id=name if seen[name] == 1 else f"{name}.{seen[name]}", heading=heading))
    return tuple(found)


def slug(text: str) -> str:
    """Return the words of `text` in lower case, joined by hyphens, for use in an address or a file name."""
    return "-".join(re.findall(r"\w+", text.casefold())) or "untitled"
