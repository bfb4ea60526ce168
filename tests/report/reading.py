"""Reads what a report shows, from the page or from the Markdown, so that tests can compare them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "input", "link"}
ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "formaction", "background"}
INSIDE_P = {"a", "strong", "em"}


@dataclass
class ShownTable:
    caption: str = ""
    file: str | None = None
    titles: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    keys: list[list[str | None]] = field(default_factory=list)

    @property
    def facts(self):
        return self.caption, tuple(self.titles), tuple(map(tuple, self.rows))


class Page(HTMLParser):
    """A page taken apart; nesting is checked as it is read."""

    def __init__(self, text):
        super().__init__()
        self.text, self.addresses, self.open, self.tags, self.ids = [], [], [], [], []
        self.tables, self.headings, self.scripts, self.styles, self.metas = [], [], [], [], []
        self.inside = {"script": self.scripts, "style": self.styles}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ADDRESSES]
        self.ids += [given["id"]] if "id" in given else []
        if tag == "meta":
            self.metas.append(given)
        if tag == "table":
            self.tables.append(ShownTable(file=given.get("data-file")))
        elif tag == "tr" and "tbody" in self.open:
            self.tables[-1].rows.append([])
            self.tables[-1].keys.append([])
        elif tag == "td":
            self.tables[-1].rows[-1].append("")
            self.tables[-1].keys[-1].append(given.get("data-order"))
        elif tag == "th":
            self.tables[-1].titles.append("")
        elif tag in ("h1", "h2", "h3"):
            self.headings.append("")
        assert "p" not in self.open or tag in INSIDE_P, f"<{tag}> cannot stand in a paragraph"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()
        if tag in ("td", "tr", "caption") and self.tables:
            self._tidy(self.tables[-1])

    def handle_data(self, data):
        where = self.open[-1] if self.open else None
        if where in self.inside:
            self.inside[where].append(data)
            return
        self.text.append(data)
        if "caption" in self.open:
            self.tables[-1].caption += data
        elif "td" in self.open:
            self.tables[-1].rows[-1][-1] += data
        elif "th" in self.open:
            self.tables[-1].titles[-1] += data
        elif {"h1", "h2", "h3"} & set(self.open):
            self.headings[-1] += data

    @staticmethod
    def _tidy(table):
        table.caption = " ".join(table.caption.split())
        if table.rows:
            table.rows[-1] = [" ".join(entry.split()) for entry in table.rows[-1]]

    @property
    def words(self):
        """All that a reader sees, on one line."""
        return " ".join("".join(self.text).split())


def body_of(html):
    """The page without its head, its table of contents and its script."""
    return html.partition("<main>")[2].partition("</main>")[0]


def tables_of(markdown):
    """The tables of a Markdown text, each with the caption above it."""
    found, lines = [], markdown.split("\n")
    for index, line in enumerate(lines):
        if re.fullmatch(r"\|( -+:? \|)+", line):
            rows = []
            for row in lines[index + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(_entries(row))
            caption = re.fullmatch(r"\*(.*)\*", lines[index - 3])
            found.append(ShownTable(caption=_plain(caption[1]), titles=_entries(lines[index - 1]), rows=rows))
    return found


def _entries(row):
    return [_plain(entry) for entry in re.split(r"(?<!\\)\|", row)[1:-1]]


def _plain(text):
    return re.sub(r"\\(.)", r"\1", text).strip()
