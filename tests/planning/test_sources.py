"""What is remembered of a file of code is what is read from it, and never older than its text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsladder.planning import sources
from tsladder.planning.sources import Source, read_source, recall, remember

TEXT = "from tsladder.market.bars import Bars\n\nsteps = 11\n"


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
    assert read.imports == {"tsladder.market.bars", "tsladder.market.bars.Bars"}
    remember(memory)
    as_a_new_process(monkeypatch)
    recall(memory)
    monkeypatch.setattr(sources.ast, "parse", lambda *_, **__: pytest.fail("parsed again"))
    assert read_source(module) == read


def test_an_edited_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    before = read_source(module)
    remember(memory)
    as_a_new_process(monkeypatch)
    recall(memory)
    module.write_text(TEXT.replace("11", "12"))
    assert read_source(module).digest != before.digest


@pytest.mark.parametrize("damage", ["{", "[]", '{"rule": "another", "found": {}}', '{"rule": 3}', ""])
def test_a_damaged_memory_is_as_none(tmp_path: Path, damage: str) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    memory.write_text(damage)
    recall(memory)
    assert isinstance(read_source(module), Source)
    remember(memory)
    assert len(json.loads(memory.read_text())["found"]) == 1


def test_only_what_is_in_use_is_remembered(tmp_path: Path) -> None:
    module, memory = tmp_path / "module.py", tmp_path / "sources.json"
    module.write_text(TEXT)
    read_source(module)
    remember(memory)
    sources._used.clear()
    module.write_text(TEXT.replace("11", "12"))
    read_source(module)
    remember(memory)
    assert len(json.loads(memory.read_text())["found"]) == 1
