"""Read source files: the modules they import and the fingerprint of their syntax tree, computed once per text.

Parsing the hundred modules of a study takes a third of a second. `load_cache` loads what an earlier process found in
the same texts, `save_cache` stores it for the next one. A text is identified by its hash, so a recalled result is never
out of date.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.store import write_json
from tsladder.errors import WorkFailed

PACKAGE = "tsladder"


@dataclass(frozen=True, slots=True)
class Source:
    """Imports and fingerprint of a source file. `imports` lists only names in the package, which may be attributes of
    modules as well."""

    imports: frozenset[str]
    digest: str


_found: dict[str, Source] = {}
_used: set[str] = set()


def read_source(path: Path) -> Source:
    """Return the imports and the fingerprint of the file `path`. Raises WorkFailed when it cannot be parsed."""
    text = path.read_text(encoding="utf-8")
    known_by = hashlib.sha256(text.encode()).hexdigest()
    _used.add(known_by)
    if known_by not in _found:
        try:
            tree = ast.parse(text, filename=str(path))
        except SyntaxError as error:
            raise WorkFailed(f"{path} cannot be parsed ({error}): fix it before planning") from None
        _found[known_by] = Source(frozenset(_imported_names(tree)), _tree_digest(tree))
    return _found[known_by]


def load_cache(path: Path) -> None:
    """Load the results stored in `path`; nothing where it is missing, damaged or written under another version of this
    module or of Python."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["rule"] != _rule():
            return
        kept = {known_by: Source(frozenset(imports), digest) for known_by, (imports, digest) in record["found"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    _found.update(kept)


def save_cache(path: Path) -> None:
    """Store in `path` what was read so far, unless it holds just that. A folder that cannot be written is no error."""
    record = {
        "rule": _rule(),
        "found": {known_by: [sorted(_found[known_by].imports), _found[known_by].digest] for known_by in sorted(_used)},
    }
    try:
        if path.exists() and json.loads(path.read_text(encoding="utf-8")) == record:
            return
    except (OSError, ValueError):
        pass
    try:
        write_json(path, record)
    except OSError:
        return


def _rule() -> str:
    """Return the identity of the way texts are read: another version of this file or of Python finds other things in
    them."""
    return hashlib.sha256(Path(__file__).read_bytes() + platform.python_version().encode()).hexdigest()


def _imported_names(tree: ast.AST) -> set[str]:
    """Return everything that a text imports from the package, at any depth; imports for types alone are left out."""
    names: set[str] = set()
    queue = [tree]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            queue.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import module` names a module as well as an attribute may.
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        queue.extend(ast.iter_child_nodes(node))
    return {name for name in names if name == PACKAGE or name.startswith(PACKAGE + ".")}


def _tree_digest(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [item for item in node.body if not _is_bare_text(item)] or [ast.Pass()]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            # The type of an exception is part of the behaviour; its message is not.
            node.exc = node.exc.func
    return hashlib.sha256(tree_text(tree).encode()).hexdigest()[:16]


def tree_text(node: object) -> str:
    """Write a syntax tree as text that is the same under every Python from 3.11 on.

    `ast.dump` and `ast.unparse` are not: a later Python adds fields and omits empty ones, and 3.12 and 3.13 quote
    f-strings in another way. So empty fields are left out here, and what is not ASCII is escaped, since `repr` asks the
    Unicode tables of the running Python which characters can be printed.
    """
    if isinstance(node, ast.Constant | ast.MatchSingleton):
        return f"{type(node).__name__}({node.value!a})"
    if isinstance(node, ast.JoinedStr):
        # Python 3.12.1 adds an empty string constant at the end of such a format.
        parts = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
        return f"JoinedStr([{','.join(map(tree_text, parts))}])"
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value and name != "ctx"]
        return f"{type(node).__name__}({','.join(f'{name}={tree_text(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{','.join(map(tree_text, node))}]"
    return ascii(node)


def _is_bare_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
