"""Blocks -> one self-contained HTML page: no script, no network, the pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape

from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, Table

STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
p, li { max-width: 48rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { background: var(--soft); }
.number { text-align: right; }
td.number { white-space: nowrap; }
.text { min-width: 7rem; max-width: 24rem; overflow-wrap: break-word; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; background: #fff; }
"""


def to_html(title: str, blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> str:
    """The page. `pictures`: file name -> PNG, one for every picture among the blocks."""
    body = "\n".join(_block(block, pictures) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block, pictures: Mapping[str, bytes]) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Points():
            return f"<ul>\n{''.join(_point(label, text) for label, text in block.items)}</ul>"
        case Picture():
            return _picture(block.words, pictures[block.file])
        case Table():
            return _table(block)


def _point(label: str, text: str) -> str:
    head = f"<strong>{escape(label)}</strong>: " if label else ""
    return f"<li>{head}{escape(text)}</li>\n"


def _picture(words: str, picture: bytes) -> str:
    inside = base64.b64encode(picture).decode("ascii")
    return f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{inside}"></figure>'


def _table(table: Table) -> str:
    kinds = ["number" if column.numeric else "text" for column in table.columns]
    titles = (column.title for column in table.columns)
    head = "".join(f'<th class="{k}" scope="col">{escape(t)}</th>' for k, t in zip(kinds, titles, strict=True))
    rows = [
        "".join(f'<td class="{kind}">{escape(entry)}</td>' for kind, entry in zip(kinds, row, strict=True))
        for row in table.rows
    ]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
