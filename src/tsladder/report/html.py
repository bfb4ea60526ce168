"""Render blocks as one self-contained HTML page: no network access, with the pictures and the table library inside.

Without scripts the page is the same with plain tables.
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
  const csv = { extend: "csv", text: "CSV", titleAttr: "Download as CSV", filename: table.dataset.file, title: null,
    footer: false };
  const title = { div: { className: "title", text: table.caption.textContent } };
  const above = [title, { buttons: [csv] }, ...(searching ? ["search"] : [])];
  new DataTable(table, {
    autoWidth: false, paging: false, info: false, order: [], searching, language: { search: "Search" },
    layout: { topStart: above, topEnd: null, bottomStart: null, bottomEnd: null },
  });
}
"""
"""The page's own script: tables sorted by their keys, unknown entries last, and saved as CSV."""

_ASIDE = re.compile(r" (?=\()")
_LONG = 24
"""Number of characters of one line beyond which a text may be broken."""


def to_html(study: str, blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> str:
    """Return the page. `pictures`: file name -> PNG, one for every picture among the blocks."""
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
    """Return the content security policy: nothing is loaded from anywhere, and no script runs but `script`."""
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
    columns = [_column(table, index) for index in range(len(table.columns))]
    head = "".join(head for head, _ in columns)
    rows = zip(*(entries for _, entries in columns), strict=True)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table data-file="{escape(file)}">\n<caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _column(table: Table, index: int) -> tuple[str, list[str]]:
    """Return head and entries of one column. Text in brackets goes on a line of its own where no entry has line breaks
    already, so that columns of figures stay narrow."""
    column, texts = table.columns[index], [row[index] for row in table.rows]
    figures = column.numeric and not any("\n" in text for text in texts)
    kind = "number" if figures else "text"
    entries = []
    for row, (text, key) in enumerate(zip(texts, sort_keys(texts, numeric=column.numeric), strict=True)):
        long = "long" if kind == "text" and max(map(len, text.split("\n"))) > _LONG else None
        kinds = " ".join(filter(None, (kind, long, table.tones.get((row, index)))))
        shown = escape(_ASIDE.sub("\n", text) if figures else text)
        entries.append(f'<td class="{kinds}" data-order="{escape(key)}">{shown}</td>')
    return f'<th class="{kind}" scope="col" data-type="key">{escape(column.title)}</th>', entries
