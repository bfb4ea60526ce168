"""Hooks of mkdocs: pages that lie outside docs/, and the links that lead to them."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]

OUTSIDE = {
    "benchmarks/README.md": "benchmarks.md",
    "mlruns/README.md": "mlruns.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Pages outside docs/ by their path in the repository, and their name in the site."""

_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?P<after>\))")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages of OUTSIDE and the style sheet."""
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    files.append(File.generated(config, "style.css", content=style))
    for path, name in OUTSIDE.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Make links in the repository links in the site, where they lead to or from a page of OUTSIDE."""
    of_site = page.file.src_uri
    of_repository = next((path for path, name in OUTSIDE.items() if name == of_site), f"docs/{of_site}")

    def in_site(link: re.Match[str]) -> str:
        if "://" in link["target"]:
            return link[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(of_repository), link["target"]))
        name = OUTSIDE.get(wanted) or wanted.removeprefix("docs/")
        target = posixpath.relpath(name, posixpath.dirname(of_site) or ".")
        return f"{link['before']}{target}{link['anchor'] or ''}{link['after']}"

    return _LINK.sub(in_site, markdown)
