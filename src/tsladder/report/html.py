"""Blocks -> one self-contained HTML page: no network, the pictures and the table library inside.

Without scripts it is the same page with plain tables.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from tsladder.report.anchors import Anchor, anchors, slug
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, Table
from tsladder.report.page_style import STYLE
from tsladder.report.sort_keys import sort_keys
from tsladder.report.table_library import library_script, library_style

START = """
const keys = (sign) => (a, b) => (a === "") - (b === "") || sign * (a - b || a.localeCompare(b));
DataTable.type("key", { order: { asc: keys(1), desc: keys(-1) } });
const dark = matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", shade);
shade();
for (const table of document.querySelectorAll("table[data-file]")) {
  const searching = table.tBodies[0].rows.length > 10;
  const csv = { extend: "csv", text: "CSV", titleAttr: "Download as CSV", filename: table.dataset.file, title: null };
  new DataTable(table, {
    autoWidth: false, paging: false, info: false, order: [], searching,
    layout: { topStart: null, topEnd: [...(searching ? ["search"] : []), { buttons: [csv] }], bottomStart: null,
      bottomEnd: null },
    language: { search: "", searchPlaceholder: "Search" },
  });
}
"""
"""What is ours of the page's script: tables that are sorted by their keys, what is unknown last, and saved as CSV."""

_ASIDE = re.compile(r" (?=\()")


def to_html(study: str, blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> str:
    """The page. `pictures`: file name -> PNG, one for every picture among the blocks."""
    script = library_script(START)
    targets = anchors(blocks)
    following = iter(targets)
    body = "\n".join(_block(block, study, following, pictures) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Study {escape(study)}</title>\n<style>{library_style()}{STYLE}</style>\n</head>\n<body>\n"
        f"{_contents(targets)}\n<main>\n{body}\n</main>\n"
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _policy(script: str) -> str:
    """Nothing from anywhere, and no script but ours."""
    ours = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{ours}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _contents(targets: Sequence[Anchor]) -> str:
    links = "\n".join(
        f'<li><a href="#{escape(target.id)}">{escape(target.heading.text)}</a></li>'
        for target in targets
        if target.heading.level == 2
    )
    return f'<nav aria-label="Contents">\n<ol>\n{links}\n</ol>\n</nav>'


def _block(block: Block, study: str, targets: Iterator[Anchor], pictures: Mapping[str, bytes]) -> str:
    match block:
        case Heading():
            return _heading(block, next(targets))
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Points():
            return f"<ul>\n{''.join(_point(label, text) for label, text in block.items)}</ul>"
        case Picture():
            return _picture(block.words, pictures[block.file])
        case Table():
            return _table(block, file=f"{slug(study)}-{block.name}")


def _heading(heading: Heading, target: Anchor) -> str:
    name, level = escape(target.id), heading.level
    return f'<h{level} id="{name}"><a href="#{name}">{escape(heading.text)}</a></h{level}>'


def _point(label: str, text: str) -> str:
    head = f"<strong>{escape(label)}</strong>: " if label else ""
    return f"<li>{head}{escape(text)}</li>\n"


def _picture(words: str, picture: bytes) -> str:
    inside = base64.b64encode(picture).decode("ascii")
    return f'<figure><img alt="{escape(words)}" src="data:image/png;base64,{inside}"></figure>'


def _table(table: Table, file: str) -> str:
    kinds = ["number" if column.numeric else "text" for column in table.columns]
    titles = (column.title for column in table.columns)
    head = "".join(
        f'<th class="{kind}" scope="col" data-type="key">{escape(title)}</th>'
        for kind, title in zip(kinds, titles, strict=True)
    )
    keys = [
        sort_keys([row[index] for row in table.rows], numeric=column.numeric)
        for index, column in enumerate(table.columns)
    ]
    body = "\n".join(
        "<tr>" + "".join(_entry(table, row, column, keys[column][row]) for column in range(len(kinds))) + "</tr>"
        for row in range(len(table.rows))
    )
    return (
        f'<div class="wide"><table data-file="{escape(file)}">\n<caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _entry(table: Table, row: int, column: int, key: str) -> str:
    numeric, text, tone = table.columns[column].numeric, table.rows[row][column], table.tones.get((row, column))
    kinds = f"{'number' if numeric else 'text'}{f' {tone}' if tone else ''}"
    # What stands in brackets goes on a line of its own, so that columns stay narrow.
    shown = _ASIDE.sub("\n", text) if numeric else text
    return f'<td class="{kinds}" data-order="{escape(key)}">{escape(shown)}</td>'
