"""Downloads, with a module in yfinance's place that answers from memory."""

from __future__ import annotations

import datetime
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.ingest.hostile import bars

from tsladder.cli import main
from tsladder.console.ingest import Ingestion, IngestOptions, ingest_here
from tsladder.errors import BadInput, WorkFailed
from tsladder.ingest.choices import Choices
from tsladder.places import Places

TODAY = datetime.date(2018, 2, 12)


class YFPricesMissingError(Exception):
    pass


def answer() -> pd.DataFrame:
    """As yfinance gives it: midnights in New York, whole volumes, the last day not over."""
    frame = bars(adjusted=True).astype({"Volume": "int64"})
    return frame.assign(Date=frame["Date"].dt.tz_localize("America/New_York")).set_index("Date")


class StandIn(types.ModuleType):
    """`yfinance` as far as it is used: knows SPY, nothing else, and no network where `broken`."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__("yfinance")
        self.broken = broken
        self.asked: dict[str, Any] = {}

    def Ticker(self, name: str) -> types.SimpleNamespace:
        def history(**wanted: Any) -> pd.DataFrame:
            self.asked = wanted
            if self.broken:
                raise ConnectionError("Could not resolve host: query2.finance.yahoo.com")
            if name != "SPY":
                raise YFPricesMissingError("possibly delisted")
            frame = answer()
            since, end = wanted.get("start", "1900-01-01"), wanted.get("end", "2100-01-01")
            days = frame.index.strftime("%Y-%m-%d")
            return frame[(days >= since) & (days < end)]

        return types.SimpleNamespace(history=history)


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    module = StandIn()
    monkeypatch.setitem(__import__("sys").modules, "yfinance", module)
    return module


def download(folder: Path, ticker: str = "SPY", since: datetime.date | None = None) -> Ingestion:
    ingest_options = IngestOptions(choices=Choices(first_day=since))
    return ingest_here(Places(folder, folder), f"yahoo:{ticker}", "spy", ingest_options, today=TODAY)


def test_a_download_becomes_the_same_bars_without_the_day_that_is_not_over(yahoo: StandIn, tmp_path: Path) -> None:
    done = download(tmp_path)
    stored = pd.read_parquet(tmp_path / "data" / "spy.parquet")
    expected = bars(adjusted=True)[:-1]
    assert list(stored.columns) == list(expected.columns)
    for name in expected.columns:
        np.testing.assert_array_equal(stored[name].to_numpy(), expected[name].to_numpy())
    assert done.account.source == "yahoo:SPY"
    assert yahoo.asked["auto_adjust"] is False


def test_from_is_the_first_day_that_is_asked_for(yahoo: StandIn, tmp_path: Path) -> None:
    assert download(tmp_path, since=datetime.date(2018, 1, 20)).account.first_day == "2018-01-22"


def test_an_unknown_ticker_is_bad_input(yahoo: StandIn, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"yahoo:SPYY: Yahoo has no daily bars.*check the ticker"):
        download(tmp_path, "SPYY")
    assert list(tmp_path.iterdir()) == []


def test_days_that_are_all_to_come_are_bad_input(yahoo: StandIn, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--from 2018-02-12 must lie before today"):
        download(tmp_path, since=TODAY)


@pytest.mark.parametrize("ticker", ["", "../SPY", "SPY QQQ", "SPY/1"])
def test_a_ticker_is_no_path_and_no_list(yahoo: StandIn, tmp_path: Path, ticker: str) -> None:
    with pytest.raises(BadInput, match="a ticker as Yahoo writes it"):
        download(tmp_path, ticker)


def test_no_network_is_one_error_and_nothing_is_written(yahoo: StandIn, tmp_path: Path) -> None:
    yahoo.broken = True
    with pytest.raises(WorkFailed, match=r"could not be downloaded .*Could not resolve host.*give a file"):
        download(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_way_to_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "yfinance", None)
    assert main(["ingest", "yahoo:SPY", "--symbol", "spy"]) == 2
    err = capsys.readouterr().err
    assert err.count("tsladder: ") == 1
    assert "pip install 'tsladder[yahoo]'" in err


def test_from_and_to_cut_a_download(yahoo: StandIn, tmp_path: Path) -> None:
    choices = Choices(first_day=datetime.date(2018, 1, 20), last_day=datetime.date(2018, 1, 31))
    done = ingest_here(Places(tmp_path, tmp_path), "yahoo:SPY", "x", IngestOptions(choices=choices), today=TODAY)
    assert (done.account.first_day, done.account.last_day) == ("2018-01-22", "2018-01-31")
