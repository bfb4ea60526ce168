"""The only access to DataTables, the JavaScript library that sorts, searches and saves a page's tables; it ships with
itables."""

from __future__ import annotations

import re
from importlib import resources

from tsladder.errors import WorkFailed

_EXPORTS = re.compile(r"export\s*\{([^{}]*)\}\s*;")
_DEFAULT = re.compile(r"([\w$]+)\s+as\s+default")
_MARKUP = re.compile(r"<(?=!--|/?(?:script|style))", re.IGNORECASE)


def library_script(start: str) -> str:
    """Return a JavaScript module with DataTables, licences included, followed by `start`, which refers to the library
    as `DataTable`.

    The text is safe between script tags. Raises WorkFailed when the installed itables is laid out differently.
    """
    return as_script(_file("dt_bundle.js"), start)


def as_script(bundle: str, start: str) -> str:
    """Convert a module that exports the library into one that uses it."""
    exports = _EXPORTS.findall(bundle)
    names = [name for part in exports for name in _DEFAULT.findall(part)]
    if len(exports) != 1 or len(names) != 1:
        raise WorkFailed(
            "the table library of the installed itables must be one module with a default export, found "
            f"{len(exports)} export lists and {len(names)} defaults: install the version of requirements.lock"
        )
    # In strings and regular expressions, the only places where the library has such text, \x3C is the same character.
    return _MARKUP.sub(r"\\x3C", f"{_EXPORTS.sub('', bundle)}\nconst DataTable = {names[0]};\n{start}")


def library_style() -> str:
    """Return the library's style sheet, safe between style tags."""
    return _MARKUP.sub(r"\\3C ", _file("dt_bundle.css"))


def _file(name: str) -> str:
    import itables

    return (resources.files(itables) / "html" / name).read_text("utf-8")
