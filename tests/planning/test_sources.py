"""What is remembered of a file of code is what is read from it, and never older than its text."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import pytest

from tsladder.planning import sources
from tsladder.planning.sources import Source, load_cache, read_source, save_cache, tree_text

TEXT = "from tsladder.data.bars import Bars\n\nsteps = 11\n"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_found", {})
    monkeypatch.setattr(sources, "_used", set())


def as_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_found", {})


def test_what_is_recalled_is_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "memory" / "sources.json"
    module.write_text(TEXT)
    read = read_source(module)
    assert read.imports == {"tsladder.data.bars", "tsladder.data.bars.Bars"}
    save_cache(memory)
    as_a_new_process(monkeypatch)
    load_cache(memory)
    monkeypatch.setattr(sources.ast, "parse", lambda *_, **__: pytest.fail("parsed again"))
    assert read_source(module) == read


def test_an_edited_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    before = read_source(module)
    save_cache(memory)
    as_a_new_process(monkeypatch)
    load_cache(memory)
    module.write_text(TEXT.replace("11", "12"))
    assert read_source(module).digest != before.digest


@pytest.mark.parametrize("damage", ["{", "[]", '{"rule": "another", "found": {}}', '{"rule": 3}', ""])
def test_a_damaged_memory_is_as_none(tmp_path: Path, damage: str) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    memory.write_text(damage)
    load_cache(memory)
    assert isinstance(read_source(module), Source)
    save_cache(memory)
    assert len(json.loads(memory.read_text())["found"]) == 1


def test_only_what_is_in_use_is_remembered(tmp_path: Path) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    read_source(module)
    save_cache(memory)
    sources._used.clear()
    module.write_text(TEXT.replace("11", "12"))
    read_source(module)
    save_cache(memory)
    assert len(json.loads(memory.read_text())["found"]) == 1


EVERY_SYNTAX = r"""
f"{x!r:>{width}}" f"{x:{a}.{b}}" f"{x:}" f"" f"{{}}" "plain" f"{x:%Y-%m-%d}"

f"a {x=} b {x = !r:>5}" f"{'it''s'} \n {d['key']}" rf"\d{x}\n" "tail"

def f(a, /, b=1, *c, d=None, e: "int" = 0, **g) -> None: return lambda x, *, y=2: (yield)

async def g():
    async with a as b, c: pass
    return [x async for x in y if x if not z], {**a, "b": 1}, {*a}, (await x)

class A(B, metaclass=C):
    x: int
    (y): int = 3
    @d
    def f(self): "text"

try: pass
except* (A, B) as error: raise C from None
else: pass
finally: pass

match x:
    case {"a": [1, *rest], **others} | A(b=None) if c: pass
    case None | True: pass
    case False: pass
    case _: pass

x = 1_000, 1e300, 1e22, 0.1, 1j, -1, ..., b"\x00a", None, True, u"u", "\N{SNOWMAN}\U0001fae9\u0378\ud800", 10**400

from .. import a as b; import c.d; x[1:2, ::3, ...] @= y; del x, y; assert a, "b"; global_ = (z := 5)

while a < b <= c: break
else: x = yield_ if not a else b and (c or d)
"""


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_the_text_of_a_syntax_tree_is_the_same_under_every_python() -> None:
    """Found alike by CPython 3.11.7, 3.12.1, 3.13.0, 3.14.10 and 3.15.2; `ast.unparse` and `ast.dump` differ."""
    text = tree_text(ast.parse(EVERY_SYNTAX))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "617f70f76a66035e"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"),
        ("x = 0", "x = None"),
        ("x = ''", "x = b''"),
        ("x: int", "(x): int"),
        ("f(a, b=c)", "f(a, c)"),
        ("f'{a}{b}'", "f'{a}' + f'{b}'"),
        ("f'{a!r}'", "f'{a!s}'"),
        ("f'{a:1}'", "f'{a:2}'"),
        ("{**a}", "{None: a}"),
        ("x[1:]", "x[:1]"),
        ("import a", "import a as b"),
        ("from a import b", "from .a import b"),
        ("lambda a, /: 0", "lambda a: 0"),
        ("lambda *, a, b=1: 0", "lambda *, a=1, b: 0"),
        ("match x:\n case None: pass", "match x:\n case False: pass"),
        ("[a async for a in b]", "[a for a in b]"),
        ("a and (b or c)", "a and b or c"),
        ("for a in b: pass", "for a in b: pass\nelse: pass"),
    ],
)
def test_trees_that_do_different_things_have_different_texts(one: str, other: str) -> None:
    assert tree_text(ast.parse(one)) != tree_text(ast.parse(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f'{a[\"b\"]}'", "f\"{a['b']}\""),
        ("'a' f'{b}' 'c'", "f'a{b}c'"),
        ("x = (1)  # one", "x = 1"),
        ("'\\u0378'", "'\u0378'"),
        ("def f(): pass", "def f():\n\n    pass"),
    ],
)
def test_what_is_only_written_in_another_way_has_the_same_text(one: str, other: str) -> None:
    assert tree_text(ast.parse(one)) == tree_text(ast.parse(other))


def test_what_is_imported_for_types_alone_is_no_import(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from tsladder.data.bars import Bars\n"
        "else:\n    from tsladder.data.cuts import make_splits\n"
        "def later():\n    from tsladder.data.windows import Windows\n"
    )
    assert {name for name in read_source(module).imports if name.count(".") == 2} == {
        "tsladder.data.cuts",
        "tsladder.data.windows",
    }
