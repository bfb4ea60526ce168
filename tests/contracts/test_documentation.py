"""Documentation that a reader can follow: links lead somewhere, named paths exist, commands are accepted, and reference
pages are those of the code. Needs no mkdocs."""

from __future__ import annotations

import functools
import itertools
import posixpath
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tsladder.console.arguments import build_parser
from tsladder.params import load_panel_params, load_params

ROOT = Path(__file__).parents[2]
DEFAULT_PARAMS = ROOT / "tests" / "default_params.yaml"
DEFAULT_PANEL_PARAMS = ROOT / "tests" / "default_panel_params.yaml"
OUTSIDE = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md", "mlruns/README.md")
PAGES = sorted([*OUTSIDE, *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))])
HISTORY = "docs/decisions.md"
"""Tells what was: modules and commands in it may be gone."""
CURRENT = [page for page in PAGES if page != HISTORY]
OF_PANELS = [page for page in PAGES if page.startswith("docs/howto/panel")]
"""Pages whose experiments are those of the panel study."""


@functools.cache
def parsed(page: str) -> list[Token]:
    return MarkdownIt().enable("table").parse((ROOT / page).read_text(encoding="utf-8"))


def inline(page: str) -> Iterator[Token]:
    for token in parsed(page):
        yield from token.children or ()


def links(page: str) -> Iterator[str]:
    for token in inline(page):
        target = token.attrs.get("href") if token.type == "link_open" else token.attrs.get("src")
        if target and "://" not in str(target):
            yield str(target)


def anchors(page: str) -> set[str]:
    """Addresses of the headings of `page`, as GitHub makes them."""
    tokens = parsed(page)
    found: list[str] = []
    for opening, heading in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in heading.children or () if child.type in ("text", "code_inline"))
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{slug}-{found.count(slug)}" if slug in found else slug)
    return set(found)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: str) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
        if not (ROOT / target).exists() or (anchor and (target not in PAGES or anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


def named_paths(page: str) -> Iterator[str]:
    """Paths of the repository in inline code: those that start with a folder of it that git tracks."""
    for token in inline(page):
        if token.type == "code_inline":
            for word in token.content.split():
                if re.match(r"(src|stages|tests|docs|benchmarks|\.ci)/", word) and not re.search(r"[<>*{}]|NAME", word):
                    yield word.rstrip('",.;:')


@pytest.mark.parametrize("page", CURRENT)
def test_every_path_that_is_named_exists(page: str) -> None:
    assert [path for path in named_paths(page) if not (ROOT / path).exists()] == []


def test_the_tree_in_the_readme_names_what_is_there() -> None:
    trees = [
        token.content for token in parsed("README.md") if token.type == "fence" and "src/tsladder/" in token.content
    ]
    assert len(trees) == 1
    made = {"artifacts/", "data/"}  # not in git
    folder, missing = ROOT, []
    for line in trees[0].splitlines():
        names, *_ = re.split(r" {2,}", line.strip())
        parent = folder if line.startswith("  ") else ROOT
        missing += [name for name in names.split(", ") if name not in made and not (parent / name).exists()]
        folder = folder if line.startswith("  ") else ROOT / names
    assert missing == []


def test_the_tree_in_the_readme_names_every_package() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "src" / "tsladder").glob("*/__init__.py")}
    assert [name for name in sorted(packages) if f"{name}/" not in text] == []


IN_PANEL = "cd panel && "


def command_lines(page: str) -> Iterator[list[str]]:
    """Commands of ours in code blocks and in inline code, as words; placeholders of one part of a line are left out."""
    for token in (*parsed(page), *inline(page)):
        if token.type in ("fence", "code_block") and token.info != "text":
            lines = token.content.replace("\\\n", " ").splitlines()
        elif token.type == "code_inline":
            lines = [token.content]
        else:
            continue
        for line in lines:
            command = line.removeprefix(IN_PANEL)
            if command.startswith(("tsladder ", "dvc exp run")) and "leaf=value" not in line and "..." not in line:
                words = shlex.split(command, comments=True)
                ends = [words.index(sign) for sign in (">", "|", "&&") if sign in words]
                yield words[: min(ends, default=len(words))]


@pytest.mark.parametrize("page", CURRENT)
def test_every_command_is_accepted(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser, refused = build_parser(), []
    for program, command, *rest in (words for words in command_lines(page) if words[0] == "tsladder"):
        if command == "COMMAND" or (not rest and command in parser.commands):
            continue
        try:
            parser.parse_args([command, *rest])
        except SystemExit as ended:
            if ended.code:
                refused.append(f"{' '.join((program, command, *rest))}: {capsys.readouterr().err}")
    assert refused == []


@pytest.mark.parametrize("page", CURRENT)
def test_every_value_that_a_command_sets_is_a_parameter_s(page: str) -> None:
    for words in command_lines(page):
        given = [value for option, value in itertools.pairwise(words) if option == "-S"]
        of_panel = page in OF_PANELS or ("--study", "panel") in itertools.pairwise(words)
        if given and (of_panel or any(value.startswith("data.panel=") for value in given)):
            load_panel_params(DEFAULT_PANEL_PARAMS, given)
        elif given:
            load_params(DEFAULT_PARAMS, given)


def test_the_reference_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "mkdocs" / "reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_page_is_in_the_site_and_in_its_index() -> None:
    nav = re.findall(
        r": (\S+\.md)$", (ROOT / "docs" / "mkdocs" / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE
    )
    outside = {"benchmarks.md", "mlruns.md", "contributing.md"}  # added by docs/mkdocs/hooks.py
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")}
    assert set(nav) == pages | outside
    indexed = {posixpath.normpath(posixpath.join("docs", link.partition("#")[0])) for link in links("docs/index.md")}
    assert sorted({*PAGES} - indexed - {"README.md", "docs/index.md"}) == []
