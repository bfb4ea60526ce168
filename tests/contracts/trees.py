"""Syntax trees of the package's modules, parsed once for all contracts that look into them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "tsladder"
FILES = tuple(sorted([*PACKAGE.rglob("*.py"), *(ROOT / "stages").rglob("*.py")]))


@functools.cache
def nodes(source: str) -> tuple[ast.AST, ...]:
    """All nodes of a text, in the order of `ast.walk`."""
    return tuple(ast.walk(ast.parse(source)))


@functools.cache
def text(path: Path) -> str:
    return path.read_text("utf-8")
