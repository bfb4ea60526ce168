"""Render blocks as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, Table

_SPECIAL = re.compile(r"([\\`*_\[\]<>|])")


def to_markdown(blocks: Sequence[Block]) -> str:
    """Return the report as one text; the pictures lie beside it as files."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_text(block.text)}"
        case Paragraph():
            return _text(block.text)
        case Points():
            return "\n".join(_point(label, text) for label, text in block.items)
        case Picture():
            return f"![{_text(block.words)}]({block.file})"
        case Table():
            return _table(block)


def _point(label: str, text: str) -> str:
    return f"- **{_text(label)}**: {_text(text)}" if label else f"- {_text(text)}"


def _table(table: Table) -> str:
    rules = ["---:" if column.numeric else "---" for column in table.columns]
    lines = [[_text(column.title) for column in table.columns], rules]
    lines += [[_text(entry) for entry in row] for row in table.rows]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"*{_text(table.caption)}*\n\n{rows}"


def _text(text: str) -> str:
    """Return `text` on one line with markup escaped; an underscore within a word needs no escape."""
    return re.sub(r"(?<=\w)\\_(?=\w)", "_", _SPECIAL.sub(r"\\\1", " ".join(text.split())))
