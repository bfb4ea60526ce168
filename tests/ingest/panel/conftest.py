"""A folder to ingest into, the command as a person gives it, and a small market to write files of."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tsladder.cli import main
from tsladder.panel.file import read_panel
from tsladder.panel.panel import Panel

Files = Mapping[str, bytes | str]
PanelIngest = Callable[..., dict[str, Any]]
Refusal = Callable[..., str]

CODES = ("0050", "2330", "72030", "130A0", "000001", "AAPL", "BRK.B", "C", "LOW", "V", "7203", "NA")


def market(days: int = 30, codes: tuple[str, ...] = CODES, *, seed: int = 3) -> pd.DataFrame:
    """A row a day and stock: Date (text), Symbol, Open, High, Low, Close (two digits after the point), Volume."""
    rng = np.random.default_rng(seed)
    shape = (days, len(codes))
    close = (40.0 + 10 * np.arange(len(codes)) + np.cumsum(rng.normal(0, 0.4, shape), axis=0)).round(2)
    open_ = (close + rng.normal(0, 0.2, shape)).round(2)
    dates = pd.bdate_range("2018-01-02", periods=days).strftime("%Y-%m-%d")
    return pd.DataFrame(
        {
            "Date": np.repeat(dates, len(codes)),
            "Symbol": np.tile(np.array(codes, dtype=object), days),
            "Open": open_.ravel(),
            "High": (np.maximum(open_, close) + 0.5).round(2).ravel(),
            "Low": (np.minimum(open_, close) - 0.5).round(2).ravel(),
            "Close": close.ravel(),
            "Volume": rng.integers(1000, 9999, close.size).astype(float),
        }
    )


def wide(frame: pd.DataFrame, column: str = "Close") -> pd.DataFrame:
    """A column for each stock under its own name, Date the first."""
    table = frame.pivot_table(index="Date", columns="Symbol", values=column, sort=False)
    return table.rename_axis(columns=None).reset_index()


FRAME_WIDE = wide(market())
"""The same market, a column a stock."""


def csv(frame: pd.DataFrame, **how: Any) -> str:
    return str(frame.to_csv(index=bool(how.pop("index", False)), **how))


def closes(panel: Panel) -> dict[str, list[float]]:
    return {symbol: panel.close_TS[:, place].tolist() for place, symbol in enumerate(panel.symbols_S)}


def same_closes(panel: Panel, frame: pd.DataFrame) -> None:
    """The panel holds just the closes of the long table `frame`."""
    expected = frame.pivot_table(index="Date", columns="Symbol", values="Close", dropna=False)
    expected = expected[sorted(expected.columns)]
    assert panel.symbols_S == tuple(expected.columns)
    assert panel.dates_T.astype(str).tolist() == list(expected.index)
    np.testing.assert_allclose(panel.close_TS, expected.to_numpy(dtype="float64"), rtol=1e-12)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def ingest(folder: Path, capsys: pytest.CaptureFixture[str]) -> PanelIngest:
    """Write `files` (name -> content, or the content of long.csv alone) and ingest `paths`, or all that were written,
    as panel p; the record."""

    def run(files: Files | str | bytes, *options: str, paths: tuple[str, ...] = ()) -> dict[str, Any]:
        told = {"long.csv": files} if isinstance(files, str | bytes) else files
        write(folder, told)
        capsys.readouterr()
        code = main(["ingest", *(paths or told), "--panel", "p", "--json", *options])
        out, err = capsys.readouterr()
        assert code == 0, err
        record: dict[str, Any] = json.loads(out)
        return record

    return run


@pytest.fixture
def refusal(folder: Path, capsys: pytest.CaptureFixture[str]) -> Refusal:
    """As `ingest`, of files that are refused with exit code 2 and nothing written; the message."""

    def run(files: Files | str | bytes, *options: str, paths: tuple[str, ...] = ()) -> str:
        told = {"long.csv": files} if isinstance(files, str | bytes) else files
        write(folder, told)
        capsys.readouterr()
        code = main(["ingest", *(paths or told), "--panel", "p", *options])
        out, err = capsys.readouterr()
        assert (code, out) == (2, ""), err
        assert "Traceback" not in err
        assert err.count("tsladder: ") == 1
        assert not (folder / "data").exists()
        return err

    return run


@pytest.fixture
def stored(folder: Path) -> Callable[[], Panel]:
    return lambda: read_panel(folder / "data" / "p.parquet")
