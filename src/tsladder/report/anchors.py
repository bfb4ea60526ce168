"""Headings of a report by the address within the page that leads to them. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.report.blocks import Block, Heading


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """`id`: unique within the page, and the same wherever the headings above it are."""

    id: str
    heading: Heading


def anchors(blocks: Sequence[Block]) -> tuple[Anchor, ...]:
    """One for each heading, in their order."""
    seen: Counter[str] = Counter()
    found = []
    for heading in (block for block in blocks if isinstance(block, Heading)):
        name = slug(heading.text)
        seen[name] += 1
        found.append(Anchor(id=name if seen[name] == 1 else f"{name}.{seen[name]}", heading=heading))
    return tuple(found)


def slug(text: str) -> str:
    """Letters and digits of `text` with hyphens between them, fit for an address or a file's name."""
    return "-".join(re.findall(r"\w+", text.casefold())) or "untitled"
