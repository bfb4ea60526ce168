"""A folder to ingest into, and the command as a person gives it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tsladder.cli import main

Ingest = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ingest(folder: Path, capsys: pytest.CaptureFixture[str]) -> Ingest:
    """Write `content` to a file of that name and ingest it as symbol x; the record."""

    def run(content: bytes, *options: str, name: str = "file.csv") -> dict[str, Any]:
        (folder / name).write_bytes(content)
        capsys.readouterr()
        code = main(["ingest", name, "--symbol", "x", "--json", *options])
        out, err = capsys.readouterr()
        assert code == 0, err
        record: dict[str, Any] = json.loads(out)
        return record

    return run
