"""Excel workbooks, where the package that reads them is there; without it, what to install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ingest.conftest import Ingest
from tests.ingest.hostile import bars, written

from tsladder.cli import main


def workbook(folder: Path, **sheets: pd.DataFrame) -> bytes:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(folder / "made.xlsx") as book:
        for name, frame in sheets.items():
            frame.to_excel(book, sheet_name=name, index=False)
    return (folder / "made.xlsx").read_bytes()


@pytest.mark.parametrize("as_text", [False, True])
def test_a_worksheet_is_read_cell_by_cell(ingest: Ingest, folder: Path, as_text: bool) -> None:
    frame = bars(adjusted=True)
    sheet = written(frame, day="%d.%m.%Y", number=lambda v: f"{v:.4f}") if as_text else frame
    record = ingest(workbook(folder, prices=sheet, notes=pd.DataFrame({"said": ["of no use"]})), name="file.xlsx")
    assert record["format"] == "excel"
    stored = pd.read_parquet(folder / "data" / "x.parquet")
    for name in frame.columns:
        np.testing.assert_array_equal(stored[name].to_numpy(), frame[name].to_numpy())


def test_two_worksheets_of_bars_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workbook(folder, one=bars(), other=bars())
    assert main(["ingest", "made.xlsx", "--symbol", "x"]) == 2
    assert "several worksheets of daily bars ('one', 'other')" in capsys.readouterr().err


def test_a_torn_workbook_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = workbook(folder, one=bars())
    (folder / "torn.xlsx").write_bytes(content.replace(b"sheet1", b"sheet9"))
    assert main(["ingest", "torn.xlsx", "--symbol", "x"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_without_the_package_it_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file.xlsx").write_bytes(workbook(folder, one=bars()))

    def missing(*_arguments: object, **_options: object) -> None:
        raise ImportError("Missing optional dependency 'openpyxl'")

    monkeypatch.setattr(pd, "read_excel", missing)
    assert main(["ingest", "file.xlsx", "--symbol", "x"]) == 2
    assert "pip install 'tsladder[excel]'" in capsys.readouterr().err
