"""Every shape in which people have panels becomes the same panel."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ingest.panel.conftest import CODES, PanelIngest, csv, market, same_closes, wide

from tsladder.panel.panel import Panel

Stored = Callable[[], Panel]
FRAME = market()


def test_a_row_a_day_and_stock(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(FRAME))
    same_closes(stored(), FRAME)
    assert record["shapes"] == ["a row a day and stock"]
    assert (record["rows_read"], record["rows_kept"]) == (360, 360)
    assert (record["stocks"], record["days"]) == (12, 30)


def test_codes_keep_their_zeros_and_letters(ingest: PanelIngest, stored: Stored) -> None:
    ingest(csv(FRAME.rename(columns={"Symbol": "Code"})))
    assert set(stored().symbols_S) == set(CODES)


def test_a_column_a_stock(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest(csv(wide(FRAME)), "--field", "close")
    same_closes(stored(), FRAME)
    assert record["shapes"] == ["a column a stock"]
    assert record["columns_from"]["Close"] == "12 columns"


@pytest.mark.parametrize("corner", ["", "date", "Unnamed: 0"])
def test_the_days_of_a_wide_table_need_no_name(ingest: PanelIngest, stored: Stored, corner: str) -> None:
    ingest(csv(wide(FRAME).rename(columns={"Date": corner})), "--field", "close")
    same_closes(stored(), FRAME)


def test_a_wide_table_with_an_index_before_the_days(ingest: PanelIngest, stored: Stored) -> None:
    ingest(csv(wide(FRAME), index=True), "--field", "close")
    same_closes(stored(), FRAME)


@pytest.mark.parametrize("how", [{"sep": ";", "decimal": ","}, {"sep": "\t"}, {"sep": "|"}])
def test_dialects_of_wide_tables(ingest: PanelIngest, stored: Stored, how: dict[str, str]) -> None:
    ingest(csv(wide(FRAME), **how), "--field", "close")
    same_closes(stored(), FRAME)


def test_tickers_that_are_names_of_columns_are_stocks(ingest: PanelIngest, stored: Stored) -> None:
    codes = ("C", "V", "T", "L", "O", "H", "LOW", "DAY", "DATA", "MAX", "OPEN", "ALL")
    ingest(csv(wide(market(codes=codes))), "--field", "close")
    assert set(stored().symbols_S) == set(codes)


def test_returns_grow_into_prices(ingest: PanelIngest, stored: Stored) -> None:
    table = wide(FRAME).set_index("Date")
    returns = table.pct_change().iloc[1:]
    record = ingest(csv(returns.reset_index()), "--field", "return")
    panel = stored()
    grown = np.diff(np.log(panel.close_TS), axis=0)
    expected = np.log1p(returns[list(panel.symbols_S)].to_numpy())[1:]
    np.testing.assert_allclose(grown, expected, atol=1e-12)
    np.testing.assert_allclose(panel.close_TS[0], 1 + returns[list(panel.symbols_S)].to_numpy()[0])
    assert any("growth of 1" in note for note in record["notes"])


def test_returns_go_on_over_files(ingest: PanelIngest, stored: Stored) -> None:
    returns = wide(FRAME).set_index("Date").pct_change().iloc[1:].reset_index()
    ingest({"b.csv": csv(returns[:10]), "a.csv": csv(returns[10:])}, "--field", "return")
    panel = stored()
    growth = panel.close_TS[-1] / panel.close_TS[0]
    table = wide(FRAME).set_index("Date")[list(panel.symbols_S)].to_numpy()
    np.testing.assert_allclose(growth, table[-1] / table[1], rtol=1e-12)


def by_field(frame: pd.DataFrame, tickers_first: bool) -> str:
    """As yfinance writes it: fields, tickers, and the name of the index."""
    fields = ["Close", "High", "Low", "Open", "Volume"]
    table = frame.pivot_table(index="Date", columns="Symbol", values=fields, sort=False)
    pairs = [(field, symbol) for field in fields for symbol in dict.fromkeys(frame["Symbol"])]
    body = csv(table[pairs], index=True, header=False)
    head = [",".join(["Price", *(field for field, _ in pairs)]), ",".join(["Ticker", *(symbol for _, symbol in pairs)])]
    if tickers_first:
        head = [head[1], head[0]]
    return "\n".join([*head, "Date" + "," * len(pairs), body])


@pytest.mark.parametrize("tickers_first", [False, True])
def test_three_header_rows_of_yfinance(ingest: PanelIngest, stored: Stored, tickers_first: bool) -> None:
    record = ingest(by_field(FRAME, tickers_first))
    same_closes(stored(), FRAME)
    assert record["shapes"] == ["several columns a stock"]
    assert stored().volume_TS is not None


def test_two_header_rows_of_yfinance(ingest: PanelIngest, stored: Stored) -> None:
    lines = by_field(FRAME, False).splitlines()
    ingest("\n".join([lines[0], lines[1], *lines[3:]]))
    same_closes(stored(), FRAME)


def test_tickers_that_are_fields_in_the_header_of_yfinance(ingest: PanelIngest, stored: Stored) -> None:
    frame = market(codes=("C", "V", "T", "LOW", "OPEN", "A", "B", "D", "E", "F"))
    ingest(by_field(frame, False))
    same_closes(stored(), frame)


def a_file_each(frame: pd.DataFrame) -> dict[str, str]:
    return {f"prices/{symbol}.csv": csv(rows.drop(columns="Symbol")) for symbol, rows in frame.groupby("Symbol")}


def test_a_folder_with_a_file_a_stock(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest({**a_file_each(FRAME), "prices/README.md": "about", "prices/.hidden.csv": "x"}, paths=("prices",))
    same_closes(stored(), FRAME)
    assert record["shapes"] == ["a file a stock"]
    assert record["files_not_read"] == ["README.md"]


def test_forty_files_with_different_first_days(ingest: PanelIngest, stored: Stored) -> None:
    frame = market(120, tuple(f"{number:04d}" for number in range(40)))
    days = sorted(set(frame["Date"]))
    first = {f"{number:04d}": days[2 * number] for number in range(40)}
    frame = frame[frame["Date"] >= frame["Symbol"].map(first)]
    record = ingest(a_file_each(frame), paths=("prices",))
    panel = stored()
    same_closes(panel, frame)
    for place, symbol in enumerate(panel.symbols_S):
        assert str(panel.dates_T[panel.traded_TS[:, place].argmax()]) == first[symbol]
    assert record["stocks"] == 40
    assert record["days_with_few_stocks"] == 18


def test_a_zip_with_a_file_a_stock(ingest: PanelIngest, stored: Stored) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in a_file_each(FRAME).items():
            archive.writestr(name, text)
        archive.writestr("__MACOSX/prices/._C.csv", "x")
    ingest({"all.zip": content.getvalue()})
    same_closes(stored(), FRAME)


def test_files_of_several_kinds_in_one_folder(ingest: PanelIngest, stored: Stored) -> None:
    files: dict[str, str | bytes] = {}
    for place, (name, text) in enumerate(a_file_each(FRAME).items()):
        stem = name.removesuffix(".csv")
        if place % 3 == 0:
            files[f"{stem}.csv.gz"] = gzip.compress(text.encode())
        elif place % 3 == 1:
            buffer = io.BytesIO()
            pd.read_csv(io.StringIO(text)).to_parquet(buffer)
            files[f"{stem}.parquet"] = buffer.getvalue()
        else:
            files[f"{stem}.txt"] = text
    ingest(files, paths=("prices",))
    same_closes(stored(), FRAME)


def test_files_that_follow_one_another_in_time(ingest: PanelIngest, stored: Stored) -> None:
    half = len(FRAME) // 2
    record = ingest({"2018b.csv": csv(FRAME[half:]), "2018a.csv": csv(FRAME[:half])})
    same_closes(stored(), FRAME)
    assert record["sources"] == ["2018a.csv", "2018b.csv"]


def test_rows_that_two_files_share_count_once(ingest: PanelIngest, stored: Stored) -> None:
    record = ingest({"a.csv": csv(FRAME[:240]), "b.csv": csv(FRAME[228:])})
    same_closes(stored(), FRAME)
    assert record["rows_left_out"] == [{"why": "repeats another row exactly", "count": 12}]


def test_a_frame_with_days_and_stocks_as_its_index(ingest: PanelIngest, stored: Stored) -> None:
    buffer = io.BytesIO()
    FRAME.assign(Date=pd.to_datetime(FRAME["Date"])).set_index(["Date", "Symbol"]).to_parquet(buffer)
    ingest({"frame.parquet": buffer.getvalue()})
    same_closes(stored(), FRAME)


def test_a_wide_frame_with_days_as_its_index(ingest: PanelIngest, stored: Stored) -> None:
    buffer = io.BytesIO()
    table = wide(FRAME).set_index("Date")
    table.index = pd.DatetimeIndex(table.index)
    table.to_parquet(buffer)
    ingest({"frame.parquet": buffer.getvalue()}, "--field", "close")
    same_closes(stored(), FRAME)


def test_a_workbook_with_codes_as_text(ingest: PanelIngest, stored: Stored) -> None:
    buffer = io.BytesIO()
    FRAME.to_excel(buffer, index=False)
    ingest({"book.xlsx": buffer.getvalue()})
    same_closes(stored(), FRAME)


def test_the_order_of_files_and_rows_changes_nothing(ingest: PanelIngest, folder: Path) -> None:
    half = len(FRAME) // 2
    ingest({"a.csv": csv(FRAME[:half]), "b.csv": csv(FRAME[half:])})
    first = (folder / "data" / "p.parquet").read_bytes()
    (folder / "data" / "p.parquet").unlink()
    shuffled = FRAME[:half].sample(frac=1, random_state=1)
    ingest({"b.csv": csv(FRAME[half:][::-1]), "a.csv": csv(shuffled)}, paths=("b.csv", "a.csv", "b.csv"))
    assert (folder / "data" / "p.parquet").read_bytes() == first


def test_an_empty_cell_of_a_wide_table_is_a_day_not_traded(ingest: PanelIngest, stored: Stored) -> None:
    table = wide(FRAME)
    table.loc[7, "AAPL"] = np.nan
    table.loc[:3, "C"] = np.nan
    record = ingest(csv(table), "--field", "close")
    panel = stored()
    place = panel.symbols_S.index("AAPL")
    assert np.isnan(panel.close_TS[7, place])
    assert np.isnan(panel.close_TS[:, place]).sum() == 1
    assert record["rows_not_traded"] == 1
    assert record["rows_kept"] == 12 * 30 - 4


def test_a_stock_without_any_price_is_left_out_and_named(ingest: PanelIngest) -> None:
    table = wide(FRAME).assign(GONE=np.nan)
    assert ingest(csv(table), "--field", "close")["stocks_without_a_price"] == ["GONE"]


def test_days_are_read_as_the_other_files_have_them(ingest: PanelIngest, stored: Stored) -> None:
    def european(rows: pd.DataFrame) -> str:
        return csv(rows.assign(Date=pd.to_datetime(rows["Date"]).dt.strftime("%d/%m/%Y")).drop(columns="Symbol"))

    files = {f"{symbol}.csv": european(rows) for symbol, rows in FRAME.groupby("Symbol")}
    # Two days, of which neither says which number is the month.
    short = FRAME[(FRAME["Symbol"] == "C") & FRAME["Date"].isin(["2018-01-04", "2018-01-05"])]
    ingest({**files, "C.csv": european(short)})
    panel = stored()
    assert panel.traded_TS[:, panel.symbols_S.index("C")].nonzero()[0].tolist() == [2, 3]
