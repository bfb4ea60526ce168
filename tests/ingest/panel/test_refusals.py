"""What is refused: one message each, exit code 2, nothing written."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.ingest.panel.conftest import PanelIngest, Refusal, csv, market, wide

from tsladder.cli import main

FRAME = market()


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def replaced(row: int, column: str, value: object) -> str:
    """The long file with one cell replaced; rows are counted as an editor does, the header is 1."""
    frame = FRAME.astype({column: object})
    frame.loc[row - 2, column] = value
    return csv(frame)


def test_rows_that_contradict_each_other_are_named_with_file_and_row(refusal: Refusal) -> None:
    again = FRAME[5:6].assign(Volume=5)
    said = refusal({"a.csv": csv(FRAME), "b.csv": csv(again)})
    assert "1 row contradicts another one of the same day and stock" in said
    assert re.search(r"AAPL 2018-01-02 \(a.csv row 7\) and b.csv row 2: Volume [0-9.]+ and 5", said)
    assert "--drop-faulty-rows" in said


def test_both_of_rows_that_contradict_each_other_can_be_left_out(ingest: PanelIngest) -> None:
    again = FRAME[5:6].assign(Volume=5)
    record = ingest({"a.csv": csv(FRAME), "b.csv": csv(again)}, "--drop-faulty-rows")
    assert record["rows_left_out"] == [{"why": "contradicts another row of its day and stock", "count": 2}]


def test_several_rows_a_day_are_no_daily_rows(refusal: Refusal) -> None:
    hourly = pd.concat([FRAME, FRAME.assign(Close=FRAME["Close"] + 0.1, Volume=7.0)])
    assert "one row per day and stock, and the files have several" in refusal(csv(hourly))


@pytest.mark.parametrize(
    "make",
    [
        lambda frame: {"codes.parquet": parquet(frame)},
        lambda frame: {"codes.csv": csv(frame.assign(Code=frame["Code"].astype(float)))},
    ],
)
def test_codes_that_were_read_as_numbers(
    refusal: Refusal, make: Callable[[pd.DataFrame], dict[str, bytes | str]]
) -> None:
    codes = tuple(str(number) for number in range(50, 62))
    frame = market(codes=codes).rename(columns={"Symbol": "Code"}).astype({"Code": int})
    assert "codes such as 0050 lose their leading zeros as numbers; give the column as text" in refusal(make(frame))


def test_codes_that_are_numbers_in_a_workbook(refusal: Refusal) -> None:
    buffer = io.BytesIO()
    codes = tuple(str(number) for number in range(50, 62))
    market(codes=codes).astype({"Symbol": int}).to_excel(buffer, index=False)
    assert "Symbol must hold text, got numbers in the workbook: codes such as 0050" in refusal(
        {"book.xlsx": buffer.getvalue()}
    )


def test_a_header_of_numbers_in_a_workbook(refusal: Refusal) -> None:
    buffer = io.BytesIO()
    codes = tuple(str(number) for number in range(50, 62))
    table = wide(market(codes=codes))
    table.columns = pd.Index(["Date", *range(50, 62)])
    table.to_excel(buffer, index=False)
    assert "is a number in the workbook" in refusal({"book.xlsx": buffer.getvalue()}, "--field", "close")


def test_permno_is_a_number_by_its_definition(ingest: PanelIngest) -> None:
    codes = tuple(str(number) for number in range(10001, 10013))
    frame = market(codes=codes).rename(columns={"Symbol": "PERMNO"}).astype({"PERMNO": int})
    assert ingest({"crsp.parquet": parquet(frame)})["stocks"] == 12


def test_a_wide_table_that_does_not_say_what_it_holds(refusal: Refusal) -> None:
    said = refusal(csv(wide(FRAME)))
    assert "has a column for each of 12 stocks (0050, 2330, 72030, 130A0, 000001, ...)" in said
    assert "--field close or --field return" in said


def test_a_field_of_a_long_file(refusal: Refusal) -> None:
    assert "--field close is for a table with a column for each stock" in refusal(csv(FRAME), "--field", "close")


def test_returns_passed_as_prices(refusal: Refusal) -> None:
    returns = wide(FRAME).set_index("Date").pct_change().iloc[1:].reset_index()
    said = refusal(csv(returns), "--field", "close")
    assert "these look like returns" in said
    assert "--field return" in said


def test_returns_passed_as_prices_in_a_long_file(refusal: Refusal) -> None:
    returns = FRAME[["Date", "Symbol"]].assign(Close=FRAME.groupby("Symbol")["Close"].pct_change())
    said = refusal(csv(returns.dropna()))
    assert "prices must be positive, and these look like returns" in said
    assert "--field return" in said


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda table: table, "prices: use --field close"),
        (lambda table: (1 + table.pct_change()).iloc[1:], "ratios of prices: subtract 1"),
        (lambda table: (100 * table.pct_change()).iloc[1:], "percentages: write 1.2 % as 0.012"),
    ],
)
def test_no_returns_passed_as_returns(
    refusal: Refusal, make: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    table = make(wide(FRAME).set_index("Date")).reset_index()
    assert words in refusal(csv(table), "--field", "return")


def test_a_return_of_minus_one_leaves_nothing(refusal: Refusal) -> None:
    table = wide(FRAME).set_index("Date").pct_change().iloc[1:]
    table.iloc[4, 2] = -1.0
    said = refusal(csv(table.reset_index()), "--field", "return")
    assert "row 6 (2018-01-09, 72030): the return is -1; it must be above -1 and finite" in said


@pytest.mark.parametrize("options", [(), ("--field", "close")])
def test_rows_without_dates(refusal: Refusal, options: tuple[str, ...]) -> None:
    said = refusal(csv(wide(FRAME).drop(columns="Date")), *options)
    assert "rows without dates cannot be split by date" in said


def test_a_long_file_without_dates(refusal: Refusal) -> None:
    said = refusal(csv(FRAME.drop(columns="Date")))
    assert "Date is missing: rows without dates cannot be split by date" in said


def test_a_long_file_without_a_close(refusal: Refusal) -> None:
    assert "Close is missing" in refusal(csv(FRAME.drop(columns="Close")))


@pytest.mark.parametrize("drop", [[], ["Symbol"]])
def test_one_stock_is_a_series(refusal: Refusal, drop: list[str]) -> None:
    said = refusal({"AAPL.csv": csv(FRAME[FRAME["Symbol"] == "AAPL"].drop(columns=drop))})
    assert "all rows are of AAPL: ingest a single series with --symbol" in said


def test_fewer_than_ten_stocks_on_most_days(refusal: Refusal) -> None:
    said = refusal(csv(FRAME[FRAME["Symbol"].isin(["AAPL", "C", "V", "LOW"])]))
    assert (
        "30 of 30 days have fewer than 10 stocks with a price (the first is 2018-01-02 with 4; 4 stocks in all)" in said
    )


def test_weekly_rows(refusal: Refusal) -> None:
    dates = dict(zip(sorted(set(FRAME["Date"])), pd.date_range("2018-01-05", periods=30, freq="7D"), strict=True))
    weekly = FRAME.assign(Date=FRAME["Date"].map(dates).dt.strftime("%Y-%m-%d"))
    assert "the median distance of two days is 7 (weekly rows?)" in refusal(csv(weekly))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Close", "oops", "row 7 (2018-01-02, AAPL): Close is 'oops', not a number"),
        ("Close", 0.0, "row 7 (2018-01-02, AAPL): Close is 0; prices must be positive and finite"),
        ("Close", "", "row 7 (2018-01-02, AAPL): Close is missing"),
        ("High", 1.0, "row 7 (2018-01-02, AAPL): High 1 is below Low"),
        ("Volume", -1, "row 7 (2018-01-02, AAPL): Volume is -1; it must be 0 or more and finite"),
        ("Date", "2018-02-30", "row 7 (AAPL): Date is '2018-02-30', and there is no such day"),
        ("Date", "2999-01-05", "row 7 (2999-01-05, AAPL): Date is 2999-01-05; it lies after today"),
        ("Symbol", "", "row 7 (2018-01-02): Symbol is missing"),
    ],
)
def test_a_row_that_cannot_be_one_is_named(refusal: Refusal, column: str, value: object, words: str) -> None:
    said = refusal(replaced(7, column, value))
    assert words in said
    assert "--drop-faulty-rows leaves out this row" in said


def test_faults_of_several_files_are_told_together(refusal: Refusal) -> None:
    files = {f"{symbol}.csv": csv(rows.drop(columns="Symbol")) for symbol, rows in FRAME.groupby("Symbol")}
    bad = csv(FRAME[FRAME["Symbol"] == "C"].drop(columns="Symbol").assign(Close="oops"))
    said = refusal({**files, "C.csv": bad, "V.csv": ""})
    assert "2 of 12 files cannot be read" in said
    assert "C.csv has 30 faults in its rows" in said
    assert "V.csv is empty" in said


def test_adjusted_and_unadjusted_files_do_not_mix(refusal: Refusal) -> None:
    files = {f"{symbol}.csv": csv(rows.drop(columns="Symbol")) for symbol, rows in FRAME.groupby("Symbol")}
    adjusted = FRAME[FRAME["Symbol"] == "C"].drop(columns="Symbol").assign(**{"Adj Close": 40.0})
    said = refusal({**files, "C.csv": csv(adjusted)})
    assert "C.csv has an adjusted close and 000001.csv has none (1 and 11 files)" in said


def test_two_columns_of_one_stock(refusal: Refusal) -> None:
    table = wide(FRAME)
    text = csv(table).replace("0050", "2330", 1)
    assert "2330 appears 2 times" in refusal(text, "--field", "close")


@pytest.mark.parametrize("path", ["nothing.csv", "empty"])
def test_paths_without_a_table(folder: Path, refusal: Refusal, path: str) -> None:
    (folder / "empty").mkdir()
    assert path in refusal({}, paths=(path,))


def test_a_download_is_no_file(refusal: Refusal) -> None:
    assert "a panel is read from files" in refusal({}, paths=("yahoo:SPY",))


@pytest.mark.parametrize("name", ["", "../x", "a b", "x/y"])
def test_a_panel_has_a_name_and_no_path(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    (folder / "long.csv").write_text(csv(FRAME))
    assert main(["ingest", "long.csv", f"--panel={name}"]) == 2
    assert "--panel must be letters" in capsys.readouterr().err


def test_options_of_panels_are_no_options_of_series(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "long.csv").write_text(csv(FRAME))
    assert main(["ingest", "long.csv", "--symbol", "x", "--field", "close"]) == 2
    assert "--field is for the files of a panel" in capsys.readouterr().err
    assert main(["ingest", "long.csv", "long.csv", "--symbol", "x"]) == 2
    assert "many stocks are a panel: use --panel" in capsys.readouterr().err
    assert main(["ingest", "long.csv", "--panel", "x", "--only-symbol", "C"]) == 2
    assert "a panel takes all stocks" in capsys.readouterr().err


def test_a_factor_that_is_not_of_its_day(refusal: Refusal) -> None:
    later = FRAME["Date"] > "2018-01-20"
    said = refusal(csv(FRAME.assign(AdjFactor=np.where(later, 2.0, 1.0))))
    assert "'AdjFactor' must hold a factor on the day of a split alone, and is 2 on the day before too" in said


def test_a_row_of_a_wide_table_with_a_bad_day_is_named_once(refusal: Refusal) -> None:
    table = wide(FRAME)
    table.loc[3, "Date"] = "2018-02-30"
    said = refusal(csv(table), "--field", "close")
    assert "row 5 (0050): Date is '2018-02-30', and there is no such day, read as YYYY-MM-DD\n" in said


def test_a_row_of_a_wide_table_that_is_too_long_is_left_out_for_all_stocks(ingest: PanelIngest) -> None:
    lines = csv(wide(FRAME)).splitlines()
    lines[4] += ",7"
    record = ingest("\n".join(lines), "--field", "close", "--drop-faulty-rows")
    assert record["days"] == 29


def test_hours_are_no_days(refusal: Refusal) -> None:
    hourly = pd.concat(
        [FRAME.assign(Date=FRAME["Date"] + f" {hour}:00:00", Volume=float(hour)) for hour in (10, 11, 12)]
    )
    assert "one row per day and stock, and the files have several" in refusal(csv(hourly))
