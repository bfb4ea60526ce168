"""Every docstring can be read alone: it begins with a verb or a noun, never with a clause that lacks its subject."""

from __future__ import annotations

import ast
import re

from tests.contracts.trees import FILES, PACKAGE, nodes, text

WITHOUT_SUBJECT = re.compile(
    r"(What|Of|Whether|How|Is|Are|Was|Were|Has|Does|Where|Who|That|Why|When|In|As|To|By|For|From|At|On|No|Not)\b"
)
Documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def openings(source: str) -> list[str]:
    """Return "name: first line" of each docstring of `source` that begins with a word of WITHOUT_SUBJECT."""
    found = []
    for node in nodes(source):
        if isinstance(node, Documented):
            docstring = ast.get_docstring(node) or ""
            if WITHOUT_SUBJECT.match(docstring):
                found.append(f"{getattr(node, 'name', 'the module')}: {docstring.splitlines()[0]}")
    return found


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): lines
        for path in FILES
        if path.is_relative_to(PACKAGE) and (lines := openings(text(path)))
    }
    assert found == {}, "write them again: a verb first, or the noun that a newcomer would search for"


def test_an_opening_without_a_subject_is_found_and_a_verb_is_not() -> None:
    assert openings('def f():\n    """Whether it is so."""') == ["f: Whether it is so."]
    assert openings('"""What is known."""') == ["the module: What is known."]
    assert openings('def f():\n    """Return what is known."""\nclass Format:\n    """Format of a file."""') == []
