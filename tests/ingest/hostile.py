"""Bad and odd files of daily bars, each with what has to come of it: the bars themselves, or words of a refusal."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")


@dataclass(frozen=True, kw_only=True)
class Case:
    """`expected` is what has to be stored, None where the file has to be refused with all of `words`.

    Where it is stored, `words` have to be said of it.
    """

    content: bytes
    expected: pd.DataFrame | None = None
    words: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    suffix: str = "csv"


CASES: dict[str, Callable[[], Case]] = {}


def case(make: Callable[[], Case]) -> Callable[[], Case]:
    CASES[make.__name__] = make
    return make


def bars(days: int = 30, *, adjusted: bool = False) -> pd.DataFrame:
    """Weekdays from 2018-01-02 on; prices of two digits after the point, so that every notation can carry them."""
    rng = np.random.default_rng(7)
    close = (1200.0 + np.cumsum(rng.normal(0, 9, days))).round(2)
    open_ = (close + rng.normal(0, 4, days)).round(2)
    frame = pd.DataFrame(
        {
            "Date": pd.bdate_range("2018-01-02", periods=days),
            "Open": open_,
            "High": (np.maximum(open_, close) + rng.uniform(0.5, 6, days)).round(2),
            "Low": (np.minimum(open_, close) - rng.uniform(0.5, 6, days)).round(2),
            "Close": close,
            "Volume": (1_000_000 + rng.integers(0, 99_999, days) * 10).astype(float),
        }
    )
    return frame.assign(**{"Adj Close": (close * 0.93).round(4)}) if adjusted else frame


def written(frame: pd.DataFrame, *, day: str = "%Y-%m-%d", **spelling: Callable[[float], str]) -> pd.DataFrame:
    """`frame` as text, its days by `day` and numbers by column or by `number`."""
    number = spelling.get("number", lambda value: f"{value:.2f}")
    texts = {"Date": frame["Date"].dt.strftime(day)}
    for name in frame.columns[1:]:
        spell = spelling.get(name.lower().replace(" ", "_"), (lambda v: f"{v:.0f}") if name == "Volume" else number)
        texts[name] = frame[name].map(spell)
    return pd.DataFrame(texts)


def csv(frame: pd.DataFrame, *, encoding: str = "utf-8", **how: object) -> bytes:
    return frame.to_csv(index=bool(how.pop("index", False)), **how).encode(encoding)  # type: ignore[call-overload]


def parquet(frame: pd.DataFrame, **how: object) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **how)  # type: ignore[call-overload]
    return buffer.getvalue()


def lines(*, change: Mapping[int, str] | None = None, add: tuple[str, ...] = (), days: int = 30) -> bytes:
    """The plain file; `change` replaces lines by number (the header is 1), `add` stands below the last."""
    text = csv(written(bars(days))).decode().splitlines()
    for number, line in (change or {}).items():
        text[number - 1] = line
    return ("\n".join([*text, *add]) + "\n").encode()


def line(number: int, **cells: str) -> str:
    """Line `number` of the plain file with some of its cells replaced."""
    row = written(bars()).iloc[number - 2]
    return ",".join(cells.get(name.lower(), row[name]) for name in COLUMNS)


def read(content: bytes, *words: str, expected: pd.DataFrame | None = None, **more: object) -> Case:
    return Case(content=content, expected=bars() if expected is None else expected, words=words, **more)  # type: ignore[arg-type]


def refused(content: bytes, *words: str, **more: object) -> Case:
    return Case(content=content, words=words, **more)  # type: ignore[arg-type]


def faulty(number: int, *words: str, **cells: str) -> Case:
    """A file with one bad line: it is refused with that line's number."""
    return refused(lines(change={number: line(number, **cells)}), f"row {number}", *words)


# ---------------------------------------------------------------- read: vendors


@case
def yahoo() -> Case:
    frame = written(bars(adjusted=True), number=lambda value: f"{value:.6f}")
    order = ["Date", "Open", "High", "Low", "Close", "Adj Close", "Volume"]
    return read(csv(frame[order]), expected=bars(adjusted=True))


@case
def yahoo_with_rows_of_null() -> Case:
    content = lines(change={5: "2018-01-05,null,null,null,null,null"})
    expected = bars().drop(index=3).reset_index(drop=True)
    return read(content, "1 row: a day without any price (row 5)", expected=expected)


@case
def yfinance_with_three_header_rows() -> Case:
    frame = written(bars())
    order = ["Close", "High", "Low", "Open", "Volume"]
    head = f"Price,{','.join(order)}\nTicker{',SPY' * 5}\nDate,,,,,\n"
    return read(head.encode() + csv(frame[["Date", *order]], header=False))


@case
def yfinance_grouped_by_ticker() -> Case:
    frame = written(bars())
    order = ["Open", "High", "Low", "Close", "Volume"]
    head = f"Ticker{',SPY' * 5}\nPrice,{','.join(order)}\nDate,,,,,\n"
    return read(head.encode() + csv(frame[["Date", *order]], header=False))


@case
def yfinance_parquet_with_two_levels() -> Case:
    frame = bars().set_index("Date")
    frame.columns = pd.MultiIndex.from_tuples([(name, "SPY") for name in frame.columns], names=["Price", "Ticker"])
    return read(parquet(frame), suffix="parquet")


@case
def stooq_bulk() -> Case:
    frame = written(bars(), day="%Y%m%d")
    frame = frame.assign(Ticker="SPY.US", Per="D", Time="000000", OpenInt="0")
    order = ["Ticker", "Per", "Date", "Time", "Open", "High", "Low", "Close", "Volume", "OpenInt"]
    head = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    return read(head.encode() + csv(frame[order], header=False), "names the symbol")


@case
def stooq_polish() -> Case:
    head = "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\n"
    return read(head.encode() + csv(written(bars()), header=False))


@case
def metatrader() -> Case:
    frame = written(bars(), day="%Y.%m.%d").assign(Vol="0", Spread="3")
    head = "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    words = ("<VOL>: is 0 on every day", "Volume from '<TICKVOL>'", "Volume counts ticks")
    return read(head.encode() + csv(frame, header=False, sep="\t"), *words)


@case
def nasdaq_com_newest_first_with_dollars() -> Case:
    frame = written(bars(), day="%m/%d/%Y", number=lambda value: f"${value:.2f}")[::-1]
    order = ["Date", "Close", "Volume", "Open", "High", "Low"]
    return read(csv(frame[order].rename(columns={"Close": "Close/Last"})), "turned round", "MM/DD/YYYY")


@case
def investing_com_with_shortened_volume() -> Case:
    frame = bars().assign(Volume=lambda f: (f["Volume"] / 1e6).round(2) * 1e6)
    text = written(frame, day="%m/%d/%Y", number=lambda v: f"{v:,.2f}", volume=lambda v: f"{v / 1e6:.2f}M")
    text = text.assign(Change="0.12%")[["Date", "Close", "Open", "High", "Low", "Volume", "Change"]]
    text.columns = pd.Index(["Date", "Price", "Open", "High", "Low", "Vol.", "Change %"])
    return read(csv(text, encoding="utf-8-sig", quoting=1), expected=frame.assign(Volume=frame["Volume"].round()))


@case
def tradingview() -> Case:
    frame = written(bars(), day="%Y-%m-%dT00:00:00Z")
    return read(csv(frame.rename(columns={"Date": "time", **{c: c.lower() for c in COLUMNS[1:5]}})))


@case
def alpha_vantage() -> Case:
    frame = written(bars(adjusted=True), number=lambda v: f"{v:.4f}")[::-1].assign(dividend_amount="0.0000")
    names = {"Date": "timestamp", "Adj Close": "adjusted_close"}
    frame = frame.rename(columns={**names, **{c: c.lower() for c in COLUMNS[1:]}})
    return read(csv(frame), expected=bars(adjusted=True))


@case
def quantmod() -> Case:
    frame = written(bars(adjusted=True), number=lambda v: f"{v:.4f}")
    frame = frame.rename(columns={"Adj Close": "Adjusted"}).set_index("Date").add_prefix("SPY.")
    return read(csv(frame, index=True, index_label=""), expected=bars(adjusted=True))


@case
def kaggle_with_a_name_column() -> Case:
    return read(csv(written(bars()).rename(columns=str.lower).assign(Name="AAL")), "Name: names the symbol")


@case
def ariva_german() -> Case:
    def number(value: float) -> str:
        return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))

    frame = written(bars(), number=number, volume=lambda v: f"{v:,.0f}".replace(",", "."))
    frame.columns = pd.Index(["Datum", "Erster", "Hoch", "Tief", "Schlusskurs", "Stuecke"])
    return read(csv(frame.assign(Volumen="1.234.567,00"), sep=";"), "decimal comma", "taken from 'Stuecke'")


@case
def nse_of_india() -> Case:
    def lakh(value: float) -> str:
        head, tail = f"{value:.0f}"[:-3], f"{value:.0f}"[-3:]
        pairs = []
        while head:
            head, pair = head[:-2], head[-2:]
            pairs.insert(0, pair)
        return ",".join([*pairs, tail])

    frame = written(bars(), day="%d-%b-%Y", number=lambda v: f"{v:,.2f}", volume=lakh)
    return read(csv(frame.rename(columns=lambda name: f"{name.upper()} "), quoting=1))


# ---------------------------------------------------------------- read: encodings and delimiters


@case
def byte_order_mark() -> Case:
    return read(csv(written(bars()), encoding="utf-8-sig"))


@case
def utf_16_with_mark() -> Case:
    return read(csv(written(bars()), encoding="utf-16", sep="\t"), "tab-separated")


@case
def utf_16_big_endian_without_mark() -> Case:
    return read(csv(written(bars()), encoding="utf-16-be"))


@case
def latin_1_with_umlauts() -> Case:
    frame = written(bars(), day="%d.%m.%Y", number=lambda v: f"{v:.2f}".replace(".", ","))
    frame.columns = pd.Index(["Datum", "Eröffnung", "Hoch", "Tief", "Schluss", "Stücke"])
    return read(csv(frame, sep=";", encoding="latin-1"), "cp1252")


@case
def latin_1_with_pounds() -> Case:
    return read(csv(written(bars(), number=lambda v: f"£{v:.2f}"), encoding="latin-1"))


@case
def gzip_compressed() -> Case:
    return read(gzip.compress(csv(written(bars()))), "gzip", suffix="csv.gz")


@case
def gzip_of_several_members() -> Case:
    content = csv(written(bars()))
    return read(gzip.compress(content[:500]) + gzip.compress(content[500:]), suffix="csv.gz")


@case
def carriage_returns_alone() -> Case:
    return read(csv(written(bars()), lineterminator="\r"))


@case
def windows_line_ends() -> Case:
    return read(csv(written(bars()), lineterminator="\r\n"))


@case
def excel_sep_line() -> Case:
    return read(b"sep=;\r\n" + csv(written(bars()), sep=";"), "stands above the header (row 1)")


@case
def bars_between_cells() -> Case:
    return read(csv(written(bars()), sep="|"), "bar-separated")


@case
def everything_quoted_and_padded() -> Case:
    frame = written(bars()).map(lambda cell: f"  {cell} ").rename(columns=lambda name: f" {name} ")
    return read(csv(frame, quoting=1))


@case
def delimiter_at_every_line_end() -> Case:
    return read(b"\n".join(part + b"," for part in lines().splitlines()))


# ---------------------------------------------------------------- read: rows


@case
def index_column_without_name() -> Case:
    return read(csv(written(bars()), index=True), "the index")


@case
def preamble_above_the_header() -> Case:
    return read(b"Historical prices of SPY\nCurrency: USD\n\n" + lines(), "stands above the header (rows 1, 2)")


@case
def empty_rows() -> Case:
    text = lines().decode().splitlines()
    text[10:10] = ["", ",,,,,", "   "]
    return read("\n".join([*text, "", ""]).encode(), "4 rows: empty (rows 11, 12, 13, 35)")


@case
def total_below() -> Case:
    return read(lines(add=("Total,,,,,30123456", "Average,1,2,3,4,5")), "2 rows: no day below the last day")


@case
def remark_below() -> Case:
    return read(lines(add=("", "Source: exchange, without warranty.")), "a total or a remark) (row 33)")


@case
def header_repeated() -> Case:
    text = lines().decode().splitlines()
    text.insert(9, text[0])
    return read("\n".join(text).encode(), "repeats the header (row 10)")


@case
def exact_duplicates() -> Case:
    return read(lines(add=(line(4), line(9), line(9))), "3 rows: repeats another row exactly (rows 32, 33, 34)")


@case
def newest_first() -> Case:
    return read(csv(written(bars())[::-1]), "turned round")


@case
def shuffled() -> Case:
    return read(csv(written(bars()).sample(frac=1.0, random_state=3)), "sorted by day")


@case
def more_columns() -> Case:
    frame = written(bars()).assign(**{"Prev. Close": "1", "Open Interest": "0", "VWAP": "x", "": "?"})
    return read(csv(frame[sorted(frame.columns, reverse=True)]), "VWAP: not of the bars")


@case
def one_of_two_symbols() -> Case:
    other = written(bars(12)).assign(Ticker="QQQ", Close="broken")
    both = pd.concat([written(bars()).assign(Ticker="SPY"), other]).sort_values("Date", kind="stable")
    return read(csv(both), "12 rows: another symbol", options=("--only-symbol", "SPY"))


@case
def without_volume_like_vix() -> Case:
    return read(csv(written(bars().drop(columns="Volume"))), "no Volume", expected=bars().drop(columns="Volume"))


@case
def volume_column_without_values() -> Case:
    frame = written(bars()).assign(Volume="-")
    return read(csv(frame), "Volume: holds no value", expected=bars().drop(columns="Volume"))


@case
def days_without_trade() -> Case:
    frame = bars()
    frame.loc[[3, 8], "Volume"] = 0.0
    return read(csv(written(frame)), "Volume is 0 on 2 of 30 days", expected=frame)


@case
def split_that_is_not_adjusted() -> Case:
    frame = bars(adjusted=True)
    prices = ["Open", "High", "Low", "Close"]
    frame.loc[15:, prices] = (frame.loc[15:, prices] / 4).round(2)
    words = ("CLOSE JUMPS", "2018-01-23 (row 17) by a factor of 0.2", "data.adjust: true")
    return read(csv(written(frame, number=lambda v: f"{v:.4f}")), *words, expected=frame)


@case
def split_without_adj_close() -> Case:
    frame = bars()
    frame.loc[:9, ["Open", "High", "Low", "Close"]] = (frame.loc[:9, ["Open", "High", "Low", "Close"]] / 3).round(2)
    return read(csv(written(frame)), "2018-01-16 (row 12)", "no Adj Close: bring one", expected=frame)


@case
def gap_of_a_month() -> Case:
    frame = bars()
    frame = frame.assign(Date=frame["Date"].where(frame.index < 20, frame["Date"] + pd.Timedelta(days=28)))
    return read(csv(written(frame)), "1 gap is longer than 5 calendar days", "2018-01-29 to 2018-02-27", expected=frame)


@case
def one_row() -> Case:
    return read(lines(days=1), expected=bars(1))


# ---------------------------------------------------------------- read: days and numbers


@case
def days_before_months() -> Case:
    return read(csv(written(bars(), day="%d/%m/%Y")), "DD/MM/YYYY")


@case
def days_and_months_of_one_digit() -> Case:
    frame = written(bars())
    stamps = bars()["Date"]
    return read(csv(frame.assign(Date=[f"{d.month}/{d.day}/{d.year}" for d in stamps])), "MM/DD/YYYY")


@case
def order_of_day_and_month_as_told() -> Case:
    return read(csv(written(bars(5), day="%d.%m.%Y")), options=("--date-order", "dmy"), expected=bars(5))


@case
def month_names() -> Case:
    return read(csv(written(bars(), day="%b %d, %Y")), "Month DD, YYYY")


@case
def local_midnights_with_offsets() -> Case:
    frame = written(bars()).assign(Date=bars()["Date"].dt.strftime("%Y-%m-%d 00:00:00-05:00"))
    return read(csv(frame), "the zone -05:00")


@case
def days_with_a_time_of_closing() -> Case:
    return read(csv(written(bars(), day="%m/%d/%Y 16:00:00")))


@case
def evenings_of_utc() -> Case:
    return read(csv(written(bars(), day="%Y-%m-%dT23:00:00Z")), "they run Monday to Friday")


@case
def thousands_separators() -> Case:
    return read(csv(written(bars(), number=lambda v: f"{v:,.2f}", volume=lambda v: f"{v:,.0f}"), sep=";"))


@case
def swiss_apostrophes() -> Case:
    return read(csv(written(bars(), number=lambda v: f"{v:,.2f}".replace(",", "'"))))


@case
def french_spaces_and_euros() -> Case:
    def number(value: float) -> str:
        return f"{value:,.2f} €".replace(",", "\u202f").replace(".", ",")

    return read(csv(written(bars(), day="%d/%m/%Y", number=number), sep=";"), "decimal comma")


@case
def exponents() -> Case:
    return read(csv(written(bars(), number=lambda v: f"{v:.6e}", volume=lambda v: f"{v:.7E}")))


@case
def three_digits_after_every_point() -> Case:
    frame = bars().assign(**{c: lambda f, c=c: (f[c] / 10).round(3) for c in ("Open", "High", "Low", "Close")})
    return read(csv(written(frame, number=lambda v: f"{v:.3f}")), "three digits after the point", expected=frame)


@case
def whole_thousands_as_told() -> Case:
    frame = bars().assign(**{c: lambda f, c=c: f[c].round() for c in ("Open", "High", "Low", "Close")})
    content = csv(written(frame, number=lambda v: f"{v:,.0f}"), sep=";")
    return read(content, options=("--decimal", "point"), expected=frame)


# ---------------------------------------------------------------- read: Parquet


@case
def parquet_of_text() -> Case:
    return read(parquet(written(bars(), day="%d.%m.%Y", number=lambda v: f"{v:,.2f}")), suffix="parquet")


@case
def parquet_with_numbers_for_days() -> Case:
    frame = bars().assign(Date=bars()["Date"].dt.strftime("%Y%m%d").astype("int64"))
    return read(parquet(frame), "YYYYMMDD", suffix="parquet")


@case
def parquet_of_zoned_midnights() -> Case:
    frame = bars().assign(Date=bars()["Date"].dt.tz_localize("Europe/Berlin"))
    return read(parquet(frame), suffix="parquet")


@case
def parquet_of_date_objects_and_decimals() -> Case:
    frame = bars().assign(Date=bars()["Date"].dt.date, Close=[Decimal(f"{v:.2f}") for v in bars()["Close"]])
    return read(parquet(frame), suffix="parquet")


@case
def parquet_with_the_day_as_index() -> Case:
    return read(parquet(bars().set_index("Date").rename_axis(None)), suffix="parquet")


@case
def parquet_of_categories() -> Case:
    frame = bars().assign(Date=bars()["Date"].astype("category"), Symbol=pd.Categorical(["SPY"] * 30))
    return read(parquet(frame), suffix="parquet")


@case
def parquet_named_csv() -> Case:
    return read(parquet(bars()), suffix="csv")


# ---------------------------------------------------------------- refused: no table


@case
def empty_file() -> Case:
    return refused(b"", "empty (0 bytes)")


@case
def nothing_but_a_mark() -> Case:
    return refused(b"\xef\xbb\xbf", "no text")


@case
def white_space() -> Case:
    return refused(b"\n \n\t\n", "no text")


@case
def header_alone() -> Case:
    return refused(b"Date,Open,High,Low,Close,Volume\n", "holds no rows")


@case
def no_header() -> Case:
    return refused(b"\n".join(lines().splitlines()[1:]), "row 1", "add a header line")


@case
def prose() -> Case:
    return refused(b"Dear sir,\nplease find the prices of the open and the close below.\n", "no header of daily bars")


@case
def json_text() -> Case:
    return refused(json.dumps(written(bars()).to_dict("records")).encode(), "JSON", suffix="json")


@case
def web_page() -> Case:
    return refused(b"<!DOCTYPE html><html><body>Too Many Requests</body></html>", "web page")


@case
def excel_workbook() -> Case:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return refused(buffer.getvalue(), "Excel workbook", suffix="xlsx")


@case
def random_bytes() -> Case:
    return refused(np.random.default_rng(0).bytes(4000), "no text")


@case
def nul_in_the_text() -> Case:
    return refused(lines().replace(b"2018-01-05", b"2018\x0001-05"), "NUL", "row 5")


@case
def torn_gzip() -> Case:
    return refused(gzip.compress(lines())[:-20], "gzip", suffix="csv.gz")


@case
def damaged_gzip() -> Case:
    content = bytearray(gzip.compress(lines()))
    content[40:60] = bytes(20)
    return refused(bytes(content), "gzip", suffix="csv.gz")


@case
def torn_parquet() -> Case:
    return refused(parquet(bars())[:-30], "not a readable Parquet file", suffix="parquet")


@case
def parquet_with_zeros_inside() -> Case:
    content = bytearray(parquet(bars()))
    content[4:300] = bytes(296)
    return refused(bytes(content), "Parquet", suffix="parquet")


@case
def quotation_mark_without_its_pair() -> Case:
    return refused(lines(change={12: line(12, open='"1200.00')}), "row 12", "quotation mark")


@case
def cut_inside_utf_16() -> Case:
    return refused(csv(written(bars()), encoding="utf-16")[:-1], "utf-16")


# ---------------------------------------------------------------- refused: columns


@case
def without_close() -> Case:
    return refused(csv(written(bars()).drop(columns="Close")), "Close is missing", "it has Date, Open")


@case
def without_date() -> Case:
    return refused(csv(written(bars()).drop(columns="Date")), "Date is missing")


@case
def one_value_a_day() -> Case:
    frame = written(bars())[["Date", "Close"]]
    return refused(csv(frame), "Open is missing", "High is missing", "Low is missing")


@case
def close_twice() -> Case:
    return refused(csv(written(bars()).assign(CLOSE="1")), "Close stands 2 times: 'Close', 'CLOSE'")


@case
def decimal_commas_between_commas() -> Case:
    text = lines().decode().splitlines()
    broken = [text[0], *(row.replace(".", ",") for row in text[1:])]
    return refused("\n".join(broken).encode(), "row 2", "has 10 cells where the header has 6")


@case
def a_line_with_a_cell_too_many() -> Case:
    return refused(lines(change={7: line(7) + ",oops"}), "row 7", "'oops' is one too many")


@case
def two_symbols() -> Case:
    both = pd.concat([written(bars()).assign(Symbol=name) for name in ("SPY", "QQQ")])
    return refused(csv(both), "2 symbols (SPY, QQQ)", "--only-symbol SPY")


@case
def two_symbols_side_by_side() -> Case:
    frame = written(bars()).set_index("Date")
    both = pd.concat([frame.add_prefix("SPY."), frame.add_prefix("QQQ.")], axis=1)
    return refused(csv(both, index=True), "2 symbols (SPY, QQQ)")


@case
def two_symbols_in_two_levels() -> Case:
    frame = bars().set_index("Date")
    both = pd.concat({"SPY": frame, "QQQ": frame}, axis=1).swaplevel(axis=1)
    return refused(parquet(both), "2 symbols (SPY, QQQ)", suffix="parquet")


@case
def a_symbol_that_is_not_there() -> Case:
    frame = written(bars()).assign(Symbol="SPY")
    return refused(csv(frame), "holds SPY", options=("--only-symbol", "QQQ"))


@case
def a_symbol_of_a_file_without_symbols() -> Case:
    return refused(lines(), "no column Symbol", options=("--only-symbol", "SPY"))


# ---------------------------------------------------------------- refused: days


@case
def ambiguous_days() -> Case:
    content = csv(written(bars(5), day="%d/%m/%Y"))
    return refused(content, "two ways", "'02/01/2018' is 2018-01-02", "'02/01/2018' is 2018-02-01", "--date-order mdy")


@case
def both_orders_at_once() -> Case:
    frame = written(bars(), day="%d/%m/%Y")
    frame.loc[20, "Date"] = "01/30/2018"
    return refused(csv(frame), "row 22", "'01/30/2018'", "DD/MM/YYYY")


@case
def order_told_wrongly() -> Case:
    content = csv(written(bars(), day="%d/%m/%Y"))
    return refused(content, "row 11", "'15/01/2018'", "MM/DD/YYYY", options=("--date-order", "mdy"))


@case
def two_notations() -> Case:
    return faulty(14, "'18.01.2018', written differently from most rows", date="18.01.2018")


@case
def years_of_two_digits() -> Case:
    return read(csv(written(bars(), day="%m/%d/%y")), "MM/DD/YY", "no other century")


@case
def day_numbers_of_a_spreadsheet() -> Case:
    numbers = (bars()["Date"] - pd.Timestamp("1899-12-30")).dt.days.astype(str)
    return refused(csv(written(bars()).assign(Date=numbers)), "row 2", "spreadsheet's day number")


@case
def seconds_since_1970() -> Case:
    seconds = bars()["Date"].astype("datetime64[s]").astype("int64")
    return read(csv(written(bars()).assign(Date=seconds)), "days as seconds since 1970")


@case
def the_30th_of_february() -> Case:
    return faulty(31, "'2018-02-30'", "no such day", date="2018-02-30")


@case
def a_word_for_a_day() -> Case:
    return faulty(6, "Date is 'holiday'", date="holiday")


@case
def a_missing_day() -> Case:
    return faulty(31, "the date is missing", date="")


@case
def the_far_future() -> Case:
    return faulty(31, "9018-02-12", "it lies after today", date="9018-02-12")


@case
def before_any_exchange() -> Case:
    return faulty(2, "0218-01-02", "it lies before 1600-01-01", date="0218-01-02")


@case
def rows_of_one_day_that_differ() -> Case:
    return refused(lines(add=(line(9, close="1200.01", high="1300.00"),)), "row 32", "contradicts row 9", "Close")


@case
def hours() -> Case:
    frame = written(bars(), day="%Y-%m-%d 09:30")
    later = frame.assign(Date=frame["Date"].str.replace("09:30", "10:30"))
    both = pd.concat([frame, later]).sort_values("Date")
    return refused(csv(both), "several rows a day", "row 2", "09:30", "row 3", "10:30")


@case
def hours_in_a_column_of_their_own() -> Case:
    frame = written(bars())
    both = pd.concat([frame.assign(Time="09:30"), frame.assign(Time="16:00")]).sort_values(["Date", "Time"])
    return refused(csv(both), "several rows a day", "09:30")


@case
def hours_without_a_time() -> Case:
    frame = written(bars())
    other = frame.assign(Volume="5")
    return refused(csv(pd.concat([frame, other]).sort_values("Date")), "several rows a day: 2 on 2018-01-02")


@case
def parquet_of_minutes() -> Case:
    frame = bars().assign(Date=pd.date_range("2018-01-02 09:30", periods=30, freq="min"))
    return refused(parquet(frame), "several rows a day", "09:31", suffix="parquet")


@case
def weeks() -> Case:
    frame = bars().assign(Date=pd.date_range("2018-01-05", periods=30, freq="W-FRI"))
    return refused(csv(written(frame)), "7 days apart", "weekly", "row 2")


@case
def months() -> Case:
    frame = bars().assign(Date=pd.date_range("2015-01-31", periods=30, freq="ME"))
    return refused(csv(written(frame)), "31 days apart", "monthly")


# ---------------------------------------------------------------- refused: numbers


@case
def a_word_for_a_price() -> Case:
    return faulty(8, "(2018-01-10)", "High is 'n.v.', not a number", high="n.v.")


@case
def a_dividend_between_the_rows() -> Case:
    return refused(lines(change={8: "2018-01-10,1.5 Dividend,,,,"}), "row 8", "'1.5 Dividend'")


@case
def a_missing_close() -> Case:
    return faulty(8, "Close is missing", close="")


@case
def a_line_that_ends_too_early() -> Case:
    return refused(lines(add=("2018-02-13,1200.00,12",)), "row 32", "Low is missing", "Close is missing")


@case
def a_negative_price() -> Case:
    return faulty(9, "Low is -3; prices must be positive", low="-3.00")


@case
def a_negative_price_in_brackets() -> Case:
    return faulty(9, "Low is -3; prices must be positive", low="(3.00)")


@case
def a_price_of_zero() -> Case:
    return faulty(9, "Open is 0", open="0.00")


@case
def an_infinite_price() -> Case:
    return faulty(9, "'inf', not a number", high="inf")


@case
def a_price_beyond_all_numbers() -> Case:
    return faulty(9, "High is inf", high="1e999")


@case
def high_below_low() -> Case:
    return faulty(10, "High 1 is below Low", high="1.00")


@case
def close_above_high() -> Case:
    return faulty(10, "is below Close 5000", close="5000.00")


@case
def a_negative_volume() -> Case:
    return faulty(10, "Volume is -5", volume="-5")


@case
def a_missing_volume() -> Case:
    return faulty(10, "Volume is missing", volume="")


@case
def a_volume_with_two_powers_of_ten() -> Case:
    return faulty(10, "Volume is '1e3M', not a number", volume="1e3M")


@case
def trade_without_a_price() -> Case:
    return refused(lines(change={5: "2018-01-05,,,,,1000"}), "row 5", "Open is missing", "Close is missing")


@case
def digits_of_another_script() -> Case:
    return faulty(10, "not a number", close="１２００")


@case
def a_number_of_a_programmer() -> Case:
    return faulty(10, "'1_200.00', not a number", close="1_200.00")


@case
def a_hexadecimal_number() -> Case:
    return faulty(10, "'0x4B0', not a number", close="0x4B0")


@case
def digits_grouped_wrongly() -> Case:
    return faulty(10, "'\"12,00.50\"'".strip("'").replace('"', ""), "not a number where the point", close='"12,00.50"')


@case
def percent_for_a_price() -> Case:
    return faulty(10, "'12%', not a number", close="12%")


@case
def commas_that_could_be_either() -> Case:
    frame = bars().assign(**{c: lambda f, c=c: f[c].round() for c in ("Open", "High", "Low", "Close")})
    content = csv(written(frame, number=lambda v: f"{v:,.0f}"), sep=";")
    return refused(content, "comma or point", "--decimal comma", "--decimal point")


@case
def one_comma_among_points() -> Case:
    frame = written(bars())
    frame.loc[3, "Close"] = "1200,5"
    return refused(csv(frame, sep=";"), "row 5", "Close is '1200,5', not a number where the point is the decimal mark")


@case
def adj_close_of_zero() -> Case:
    frame = bars(adjusted=True)
    frame.loc[4, "Adj Close"] = 0.0
    return refused(csv(written(frame)), "row 6", "Adj Close is 0")


@case
def adj_close_missing_once() -> Case:
    frame = bars(adjusted=True)
    frame.loc[4, "Adj Close"] = np.nan
    return refused(parquet(frame), "row 5", "Adj Close is missing", suffix="parquet")


@case
def parquet_of_truths() -> Case:
    return refused(parquet(bars().assign(Close=True)), "row 1", "Close is 'True'", suffix="parquet")


@case
def parquet_of_lists() -> Case:
    frame = bars().assign(Open=[[1.0, 2.0]] * 30)
    return refused(parquet(frame), "row 1", "not a number", suffix="parquet")


@case
def parquet_of_spans_of_time() -> Case:
    frame = bars().assign(Close=pd.to_timedelta(np.arange(30), unit="D"))
    return refused(parquet(frame), "row 1", "not a number", suffix="parquet")


@case
def parquet_without_rows() -> Case:
    return refused(parquet(bars().iloc[:0]), "no rows", suffix="parquet")


@case
def many_faults() -> Case:
    return refused(
        csv(written(bars()).assign(High="1.00")),
        "30 faults",
        "row 2",
        "and so in 29 more rows (3, 4, 5",
        "--repair range",
    )
