"""Adjusted and raw prices as vendors write them, and what is stored of the other columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tests.ingest.panel.conftest import PanelIngest, Refusal, csv, market

from tsladder.panel.panel import Panel, Returns, UniverseKind

Stored = Callable[[], Panel]
FRAME = market()
PERMNOS = tuple(str(number) for number in range(10001, 10013))


def column(panel: Panel, values_TS: np.ndarray | None, symbol: str) -> np.ndarray:
    assert values_TS is not None
    return np.asarray(values_TS[:, panel.symbols_S.index(symbol)])


def raw(symbol: str, name: str = "Close", frame: pd.DataFrame = FRAME) -> np.ndarray:
    return frame.loc[frame["Symbol"] == symbol, name].to_numpy(dtype="float64")


def test_an_adjusted_close_is_the_close_and_the_raw_one_stays(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(FRAME.assign(**{"Adj Close": (FRAME["Close"] * 0.8).round(6)})))
    panel = stored()
    np.testing.assert_allclose(column(panel, panel.close_TS, "AAPL"), 0.8 * raw("AAPL"), rtol=1e-6)
    np.testing.assert_allclose(column(panel, panel.close_raw_TS, "AAPL"), raw("AAPL"))
    np.testing.assert_allclose(column(panel, panel.open_TS, "AAPL"), 0.8 * raw("AAPL", "Open"), rtol=1e-6)
    np.testing.assert_allclose(
        column(panel, panel.turnover_TS, "AAPL"), raw("AAPL") * raw("AAPL", "Volume"), rtol=1e-12
    )
    assert panel.manifest.origin.returns is Returns.TOTAL
    assert any("Close is 'Adj Close', CloseRaw is 'Close'" in note for note in record["notes"])


def test_an_adjusted_close_alone(ingest: PanelIngest, stored: Stored) -> None:
    ingest(csv(FRAME[["Date", "Symbol", "Close"]].rename(columns={"Symbol": "tic", "Close": "adjcp"})))
    assert stored().close_raw_TS is None
    np.testing.assert_allclose(column(stored(), stored().close_TS, "C"), raw("C"))


def jquants(frame: pd.DataFrame, short: bool) -> pd.DataFrame:
    """A split of two for one of 72030 on the 11th day, and one day on which 130A0 was not traded."""
    day = sorted(set(frame["Date"]))
    split = (frame["Symbol"] == "72030") & (frame["Date"] < day[10])
    factor = np.where(split, 0.5, 1.0)
    prices = ["Open", "High", "Low", "Close"]
    table = pd.DataFrame({"Date": frame["Date"], "Code": frame["Symbol"]})
    for name in prices:
        table[name] = frame[name] / factor
    table["Volume"] = frame["Volume"] * factor
    table["TurnoverValue"] = table["Close"] * table["Volume"]
    table["AdjustmentFactor"] = np.where((frame["Symbol"] == "72030") & (frame["Date"] == day[10]), 0.5, 1.0)
    for name in prices:
        table[f"Adjustment{name}"] = frame[name]
    table["AdjustmentVolume"] = frame["Volume"]
    quiet = (frame["Symbol"] == "130A0") & (frame["Date"] == day[4])
    table.loc[quiet, [name for name in table if name not in ("Date", "Code", "AdjustmentFactor")]] = np.nan
    if not short:
        return table
    names = {"Open": "O", "High": "H", "Low": "L", "Close": "C", "Volume": "Vo", "TurnoverValue": "Va"}
    names |= {f"Adjustment{name}": f"Adj{names[name]}" for name in [*prices, "Volume"]}
    return table.rename(columns=names | {"AdjustmentFactor": "AdjFactor"}).assign(UL="0", LL="0")


@pytest.mark.parametrize("short", [False, True])
def test_jquants(ingest: PanelIngest, stored: Stored, short: bool) -> None:
    record = ingest(csv(jquants(FRAME, short)))
    panel = stored()
    np.testing.assert_allclose(column(panel, panel.close_TS, "72030"), raw("72030"))
    np.testing.assert_allclose(column(panel, panel.high_TS, "72030"), raw("72030", "High"))
    np.testing.assert_allclose(column(panel, panel.volume_TS, "72030"), raw("72030", "Volume"))
    assert column(panel, panel.close_raw_TS, "72030")[0] == pytest.approx(2 * raw("72030")[0])
    assert panel.turnover_TS is not None
    assert np.isnan(column(panel, panel.close_TS, "130A0"))[4]
    assert (record["rows_not_traded"], panel.manifest.not_traded_rows) == (1, 1)
    assert panel.manifest.origin.returns is Returns.PRICE
    assert "dividends are not in the returns" in panel.manifest.origin.bias
    assert record["jump_count"] == 0


def test_factors_of_splits_make_an_adjusted_close(ingest: PanelIngest, stored: Stored) -> None:
    table = jquants(FRAME, short=False)
    record = ingest(csv(table.drop(columns=[name for name in table if str(name).startswith("AdjustmentC")])))
    panel = stored()
    np.testing.assert_allclose(column(panel, panel.close_TS, "72030"), raw("72030"), rtol=1e-12)
    np.testing.assert_allclose(column(panel, panel.volume_TS, "72030"), raw("72030", "Volume"), rtol=1e-12)
    assert any("multiplied by every later 'AdjustmentFactor'" in note for note in record["notes"])


def crsp() -> pd.DataFrame:
    """Two middles of bid and ask, a split by CFACPR, and a stock that is delisted with a loss on its last day."""
    frame = market(codes=PERMNOS)
    day = sorted(set(frame["Date"]))
    factor = np.where((frame["Symbol"] == "10003") & (frame["Date"] < day[10]), 2.0, 1.0)
    table = pd.DataFrame(
        {
            "PERMNO": frame["Symbol"],
            "date": frame["Date"].str.replace("-", ""),
            "TICKER": "T" + frame["Symbol"].str[-1],
            "PRC": frame["Close"] * factor,
            "VOL": frame["Volume"] / factor,
            "CFACPR": factor,
            "DLRET": "",
        }
    )
    marked = (table["PERMNO"] == "10002") & frame["Date"].isin(day[3:5])
    table.loc[marked, "PRC"] *= -1
    gone = table["PERMNO"] == "10005"
    table = table[~(gone & (frame["Date"] > day[20]))]
    last = gone & (frame["Date"] == day[20])
    table.loc[last, "PRC"] = np.nan
    table.loc[last, "VOL"] = np.nan
    table.loc[last, "DLRET"] = "-0.35"
    table.loc[(table["PERMNO"] == "10006") & (frame["Date"] == day[20]), "DLRET"] = "A"
    return table


def test_crsp(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(crsp()), "--universe", "point_in_time")
    panel, frame = stored(), market(codes=PERMNOS)
    np.testing.assert_allclose(column(panel, panel.close_TS, "10002"), raw("10002", frame=frame))
    np.testing.assert_allclose(column(panel, panel.close_TS, "10003"), raw("10003", frame=frame))
    assert column(panel, panel.close_raw_TS, "10003")[0] == pytest.approx(2 * raw("10003", frame=frame)[0])
    np.testing.assert_allclose(column(panel, panel.volume_TS, "10003"), raw("10003", "Volume", frame=frame))
    assert any("the price of 2 rows is the middle of bid and ask" in note for note in record["notes"])
    assert record["delisting_returns"] == {"10005": -0.35}
    assert panel.manifest.delisted == ("10005",)
    assert panel.manifest.origin.universe is UniverseKind.POINT_IN_TIME
    assert panel.manifest.origin.bias == ("dividends are not in the returns",)
    assert record["ignored_columns"]["TICKER"] == "Symbol is taken from 'PERMNO'"


def test_sector_and_member_are_columns_of_the_day(ingest: PanelIngest, stored: Stored) -> None:
    later = FRAME["Date"] > "2018-01-20"
    table = FRAME.assign(
        Sector33CodeName=np.where(later & (FRAME["Symbol"] == "C"), "Banks", "Cars"),
        in_index=np.where(later, "1", ""),
    )
    record = ingest(csv(table))
    panel = stored()
    assert panel.sector_TS is not None
    assert panel.member_TS is not None
    assert set(column(panel, panel.sector_TS, "C")) == {"Banks", "Cars"}
    assert panel.member_TS[-1].all()
    assert not panel.member_TS[0].any()
    assert record["columns_from"]["Sector"] == "Sector33CodeName"


def test_a_member_is_yes_or_no(refusal: Refusal) -> None:
    assert "Member is 'perhaps'; it must be 1 or 0, true or false, or yes or no" in refusal(
        csv(FRAME.assign(member="perhaps"))
    )


@pytest.mark.parametrize("name", ["TurnoverValue", "Va", "amount", "dollar_volume", "value"])
def test_names_of_turnover(ingest: PanelIngest, stored: Stored, name: str) -> None:
    ingest(csv(FRAME.assign(**{name: 7.0})))
    assert (column(stored(), stored().turnover_TS, "C") == 7).all()


@pytest.mark.parametrize(
    "name",
    ["symbol", "ticker", "tic", "Code", "ts_code", "instrument", "PERMNO", "secid", "sid", "isin", "cusip", "Name"],
)
def test_names_of_the_symbol(ingest: PanelIngest, name: str) -> None:
    frame = market(codes=PERMNOS).rename(columns={"Symbol": name})
    assert ingest(csv(frame))["columns_from"]["Symbol"] == name


@pytest.mark.parametrize(
    "name", ["sector", "gics_sector", "industry", "Sector17CodeName", "Sector33Code", "S33", "S17Nm"]
)
def test_names_of_the_sector(ingest: PanelIngest, name: str) -> None:
    assert ingest(csv(FRAME.assign(**{name: "x"})))["columns_from"]["Sector"] == name


def test_jumps_are_named(ingest: PanelIngest, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    day = sorted(set(FRAME["Date"]))
    split = (FRAME["Symbol"] == "C") & (FRAME["Date"] >= day[12])
    prices = ["Open", "High", "Low", "Close"]
    frame = FRAME.copy()
    frame.loc[split, prices] = frame.loc[split, prices] / 2
    record = ingest(csv(frame))
    (jump,) = record["jumps"]
    assert (jump["symbol"], jump["day"]) == ("C", day[12])
    assert jump["ratio"] == pytest.approx(0.5, rel=0.05)
    (warning,) = record["warnings"]
    assert warning.startswith(f"1 JUMP of a Close by more than 40%: C {day[12]} by a factor of 0.")
    assert pq.read_metadata(folder / "data" / "p.parquet") is not None


@pytest.mark.parametrize(("factor", "count"), [(1.39, 0), (1.41, 1), (0.61, 0), (0.59, 1)])
def test_a_change_of_more_than_forty_percent_is_a_jump(ingest: PanelIngest, factor: float, count: int) -> None:
    frame = FRAME[["Date", "Symbol"]].assign(Close=100.0)
    frame.loc[(frame["Symbol"] == "C") & (frame["Date"] > "2018-01-20"), "Close"] = 100 * factor
    assert ingest(csv(frame))["jump_count"] == count


def test_a_day_on_which_no_stock_has_a_price_is_no_session(ingest: PanelIngest, stored: Stored) -> None:
    frame = FRAME.copy()
    day = sorted(set(FRAME["Date"]))[9]
    frame.loc[frame["Date"] == day, ["Open", "High", "Low", "Close", "Volume"]] = np.nan
    record = ingest(csv(frame))
    assert len(stored().dates_T) == 29
    assert record["rows_left_out"] == [{"why": "a day on which no stock has a price", "count": 12}]


def test_bias_is_one_sentence_of_the_universe(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(FRAME), "--returns", "total", "--licence", "mine", "--source", "a vendor")
    origin = stored().manifest.origin
    assert (origin.universe, origin.returns) == (UniverseKind.SURVIVORS, Returns.TOTAL)
    assert (origin.licence, origin.source) == ("mine", "a vendor")
    (sentence,) = origin.bias
    assert "stocks that failed or left before the end are missing" in sentence
    assert len(record["assumed"]) == 1


def test_a_point_in_time_panel_that_nobody_leaves_is_told_so(ingest: PanelIngest, stored: Stored) -> None:
    ingest(csv(FRAME), "--universe", "point_in_time", "--returns", "total")
    (sentence,) = stored().manifest.origin.bias
    assert "no stock leaves before the last day" in sentence


def test_codes_of_several_lengths_are_noted(ingest: PanelIngest) -> None:
    codes = ("50", *(str(number) for number in range(2330, 2341)))
    record = ingest(csv(market(codes=codes)))
    assert "codes have 2 to 4 digits (50, ...): did some lose zeros before they got here?" in record["notes"]


def test_a_column_may_be_told_or_left_out(ingest: PanelIngest, stored: Stored) -> None:
    frame = FRAME.rename(columns={"Symbol": "stock", "Close": "settled"}).assign(Open=0.0)
    ingest(csv(frame), "--column", "Symbol=stock", "--column", "Close=settled", "--column", "Open=")
    panel = stored()
    assert panel.open_TS is None
    np.testing.assert_allclose(column(panel, panel.close_TS, "C"), raw("C"))
