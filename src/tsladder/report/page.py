"""Write one page as Markdown and HTML, with its pictures beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tsladder.artifacts.store import replacing, write_text
from tsladder.report.blocks import Block
from tsladder.report.html import to_html
from tsladder.report.markdown import to_markdown

PAGE = "report.html"
TEXT = "report.md"


def drawn_only(pictures: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return the pictures that have something to show."""
    return {name: picture for name, picture in pictures.items() if picture is not None}


def write_page(folder: Path, study: str, blocks: Sequence[Block], pictures: Mapping[str, bytes | None]) -> None:
    """Replace report.md, report.html and the pictures in `folder`.

    `pictures`: file name -> PNG; an older file is removed where the page has no such picture any more (None).
    """
    for name, picture in pictures.items():
        _place_picture(folder / name, picture)
    write_text(folder / TEXT, to_markdown(blocks))
    write_text(folder / PAGE, to_html(study, blocks, drawn_only(pictures)))


def _place_picture(path: Path, picture: bytes | None) -> None:
    if picture is None:
        path.unlink(missing_ok=True)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(picture)
