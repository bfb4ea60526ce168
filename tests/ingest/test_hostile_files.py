"""Every odd file is read as what it is, or refused with its row and reason; nothing escapes as a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ingest import kinds  # noqa: F401  adds its files to the table
from tests.ingest.hostile import CASES, Case

from tsladder.cli import main
from tsladder.data.bars import read_bars

_REFUSED: dict[str, bool] = {}
"""Of the cases made so far; to make all of them takes seconds."""


def made(name: str) -> Case:
    case = CASES[name]()
    _REFUSED[name] = case.expected is None
    return case


def ingest(case: Case, folder: Path, *options: str) -> int:
    source = folder / f"file.{case.suffix}"
    source.write_bytes(case.content)
    return main(["ingest", str(source), "--symbol", "x", *case.options, *options])


# Every other one with the slow tests: twenty milliseconds each.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if place % 2 else ()) for place, name in enumerate(sorted(CASES))],
)
def test_a_file_is_read_or_refused_for_what_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    case = made(name)
    code = ingest(case, tmp_path)
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    for words in case.words:
        assert words in out + err
    if case.expected is None:
        assert code == 2
        assert out == ""
        assert err.count("tsladder: ") == 1
        assert [path.name for path in tmp_path.iterdir()] == [f"file.{case.suffix}"]
        return
    assert code == 0, err
    stored = pd.read_parquet(tmp_path / "data" / "x.parquet")
    assert list(stored.columns) == list(case.expected.columns)
    np.testing.assert_array_equal(stored["Date"].to_numpy(), case.expected["Date"].to_numpy())
    for column in case.expected.columns[1:]:
        np.testing.assert_array_equal(stored[column].to_numpy(), case.expected[column].to_numpy(), err_msg=column)
    assert len(read_bars(tmp_path / "data" / "x.parquet", "x").dates_T) == len(case.expected)


@pytest.mark.slow
def test_there_are_at_least_250_of_them_many_to_be_refused() -> None:
    refused = [name for name in CASES if (_REFUSED[name] if name in _REFUSED else made(name).expected is None)]
    assert len(CASES) >= 250
    assert len(CASES) / 4 < len(refused) < 3 * len(CASES) / 4
