"""Files of the same kinds, generated: languages, vendors, zones, encodings, notations, shapes and repairs.

Importing this module adds them to the table of odd files.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from tests.ingest.hostile import CASES, COLUMNS, Case, bars, csv, line, lines, parquet, read, refused, written

PRICES = ["Open", "High", "Low", "Close"]


def add(name: str, make: Callable[[], Case]) -> None:
    assert name not in CASES, name
    CASES[name] = make


def comma(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


# ---------------------------------------------------------------- Investing.com in its languages

# Date, last, open, high, low, volume, change.
INVESTING = {
    "english": "Date|Price|Open|High|Low|Vol.|Change %",
    "german": "Datum|Zuletzt|Eröffn.|Hoch|Tief|Vol.|+/- %",
    "french": "Date|Dernier|Ouv.| Plus Haut|Plus Bas|Vol.|Variation %",
    "italian": "Data|Ultimo|Apertura|Massimo|Minimo|Vol.|Var. %",
    "spanish": "Fecha|Último|Apertura|Máximo|Mínimo|Vol.|% var.",
    "portuguese": "Data|Último|Abertura|Máxima|Mínima|Vol.|Var%",
    "dutch": "Datum|Laatste|Open|Hoog|Laag|Vol.|Verschil %",
    "polish": "Data|Ostatnio|Otwarcie|Max.|Min.|Wol.|Zmiana%",
    "russian": "Дата|Цена|Откр.|Макс.|Мин.|Объём|Изм. %",
    "turkish": "Tarih|Şimdi|Açılış|Yüksek|Düşük|Hac.|Fark %",
    "japanese": "日付け|終値|始値|高値|安値|出来高|変化率 %",
    "korean": "날짜|종가|오픈|고가|저가|거래량|변동 %",
    "chinese": "日期|收盘|开盘|高|低|交易量|涨跌幅",
    "chinese_of_hong_kong": "日期|收市|開市|高|低|成交量|更改%",
    "swedish": "Datum|Senaste|Öppen|Högst|Lägst|Volym|+/- %",
    "arabic": "التاريخ|السعر|مفتوح|مرتفع|منخفض|الحجم|التغير %",
    "finnish": "Päivämäärä|Viimeisin|Avaus|Ylin|Alin|Volyymi|Muutos %",
    "danish": "Dato|Sidste|Åbning|Høj|Lav|Vol.|Ændring %",
    "norwegian": "Dato|Siste|Åpning|Høy|Lav|Vol.|Endring %",
    "greek": "Ημερομηνία|Τελευταία|Άνοιγμα|Υψηλό|Χαμηλό|Όγκος|Αλλαγή %",
    "hebrew": "תאריך|אחרון|פתיחה|גבוה|נמוך|נפח|שינוי %",
    "indonesian": "Tanggal|Terakhir|Pembukaan|Tertinggi|Terendah|Vol.|Perubahan%",
    "vietnamese": "Ngày|Lần cuối|Mở|Cao|Thấp|KL|% Thay đổi",
}
CODE_PAGES = {
    "german": "cp1252",
    "french": "latin-1",
    "russian": "cp1251",
    "polish": "cp1250",
    "turkish": "cp1254",
    "chinese": "gbk",
    "chinese_of_hong_kong": "big5",
    "japanese": "cp932",
    "korean": "cp949",
    "swedish": "cp1252",
    "greek": "cp1253",
    "hebrew": "cp1255",
}


def investing(language: str, encoding: str, *options: str, day: str = "%d.%m.%Y") -> Case:
    frame = written(bars(), day=day, number=comma, volume=lambda v: f"{v:.0f}")[::-1].assign(Change="0,10%")
    frame = frame[["Date", "Close", "Open", "High", "Low", "Volume", "Change"]]
    frame.columns = pd.Index(INVESTING[language].split("|"))
    return read(csv(frame, encoding=encoding, quoting=1), options=options)


for language in INVESTING:
    add(f"investing_{language}", lambda language=language: investing(language, "utf-8-sig"))
for language, page in CODE_PAGES.items():
    add(f"investing_{language}_in_{page}", lambda language=language, page=page: investing(language, page))
    add(
        f"investing_{language}_in_{page}_as_told",
        lambda language=language, page=page: investing(language, page, "--encoding", page),
    )
add("investing_chinese_days", lambda: investing("chinese", "utf-8", day="%Y年%m月%d日"))
add("investing_korean_days", lambda: investing("korean", "utf-8", day="%Y- %m- %d"))
add("investing_summary_row", lambda: _investing_summary())


def _investing_summary() -> Case:
    content = investing("english", "utf-8").content
    remark = '"","Highest:1,210.00","Lowest:1,190.00","Difference:20.00","Average:1,200.00","Change %:1.00",""\n'
    return read(content + remark.encode(), "no day below the last day")


# ---------------------------------------------------------------- vendors


def named(names: str, *words: str, adjusted: bool = False, day: str = "%Y-%m-%d", **more: str) -> Case:
    """The plain bars under `names` (Date, Open, High, Low, Close, Volume, Adj Close), with constant columns beside."""
    frame = written(bars(adjusted=adjusted), day=day, number=lambda v: f"{v:.4f}")
    frame.columns = pd.Index(names.split("|"))
    return read(csv(frame.assign(**more)), *words, expected=bars(adjusted=adjusted))


VENDORS: dict[str, Callable[[], Case]] = {
    "bloomberg": lambda: named("Dates|PX_OPEN|PX_HIGH|PX_LOW|PX_LAST|PX_VOLUME", day="%m/%d/%Y"),
    "bloomberg_terminal": lambda: named("Date|Open Price|High Price|Low Price|Last Price|Volume", day="%m/%d/%Y"),
    "refinitiv": lambda: named("Date|OPEN_PRC|HIGH_1|LOW_1|TRDPRC_1|ACVOL_UNS"),
    "refinitiv_workspace": lambda: named("Exchange Date|Open|High|Low|Close|Volume", day="%d-%b-%Y"),
    "refinitiv_fields": lambda: named("Date|Price Open|Price High|Price Low|Price Close|Volume", Instrument="AAPL.O"),
    "crsp_2": lambda: named("DlyCalDt|DlyOpen|DlyHigh|DlyLow|DlyClose|DlyVol", PERMNO="10001", DlyPrc="-1"),
    "compustat": lambda: named("datadate|prcod|High|Low|prccd|cshtrd", day="%Y%m%d", tic="AAPL"),
    "metastock": lambda: named("<DTYYYYMMDD>|<OPEN>|<HIGH>|<LOW>|<CLOSE>|<VOL>", day="%Y%m%d", **{"<TICKER>": "X"}),
    "alpha_vantage_frame": lambda: named("|1. open|2. high|3. low|4. close|5. volume"),
    "alpha_vantage_adjusted_frame": lambda: named(
        "date|1. open|2. high|3. low|4. close|6. volume|5. adjusted close", adjusted=True
    ),
    "akshare": lambda: named("日期|开盘|最高|最低|收盘|成交量", 股票代码="000001", 成交额="1", 振幅="1", 换手率="1"),
    "tushare": lambda: named(
        "trade_date|open|high|low|close|vol", day="%Y%m%d", ts_code="000001.SZ", pre_close="1", amount="1"
    ),
    "netease": lambda: named("日期|开盘价|最高价|最低价|收盘价|成交量", 股票代码="'600000", 名称="X", 前收盘="1"),
    "jquants": lambda: named(
        "Date|Open|High|Low|Close|Volume|AdjustmentClose", adjusted=True, Code="72030", AdjustmentOpen="1"
    ),
    "jquants_2": lambda: named("Date|O|H|L|C|Vo|AdjC", adjusted=True, Code="72030", AdjO="1", Va="1"),
    "nse_index": lambda: named(
        "Date |Open |High |Low |Close |Shares Traded ", day="%d-%b-%Y", **{"Turnover (₹ Cr)": "1"}
    ),
    "nse_bhavcopy": lambda: named(
        "TIMESTAMP|OPEN|HIGH|LOW|CLOSE|TOTTRDQTY", day="%d-%b-%Y", SYMBOL="X", SERIES="EQ", PREVCLOSE="1", LAST="1"
    ),
    "nse_udiff": lambda: named("TradDt|OpnPric|HghPric|LwPric|ClsPric|TtlTradgVol", TckrSymb="X", LastPric="1"),
    "bse": lambda: named(
        "Date|Open Price|High Price|Low Price|Close Price|No.of Shares",
        day="%d-%B-%Y",
        WAP="1",
        **{"No. of Trades": "1"},
    ),
    "quandl_wiki": lambda: named(
        "Date|Open|High|Low|Close|Volume|Adj. Close",
        adjusted=True,
        **{"Adj. Open": "1", "Adj. High": "1", "Adj. Low": "1", "Adj. Volume": "1", "Ex-Dividend": "0"},
    ),
    "sharadar": lambda: named(
        "date|open|high|low|close|volume|closeadj",
        adjusted=True,
        ticker="AAPL",
        closeunadj="1",
        lastupdated="2020-01-01",
    ),
    "tiingo": lambda: named("date|open|high|low|close|volume", day="%Y-%m-%dT00:00:00.000Z", divCash="0", adjOpen="1"),
    "moscow_exchange": lambda: named("TRADEDATE|OPEN|HIGH|LOW|CLOSE|VOLUME", SECID="SBER", WAPRICE="1", VALUE="1"),
    "korea_exchange": lambda: named("일자|시가|고가|저가|종가|거래량", day="%Y/%m/%d", 등락률="1", 거래대금="1"),
    "taiwan_exchange": lambda: named("日期|開盤價|最高價|最低價|收盤價|成交股數", day="%Y/%m/%d", 成交金額="1"),
    "boursorama": lambda: named("date|ouv|haut|bas|clot|vol", day="%d/%m/%Y", devise="EUR"),
    "nordnet": lambda: named(
        "Date|Opening price|High price|Low price|Closing price|Total volume", Bid="1", Ask="1", Turnover="1"
    ),
    "eod_historical": lambda: named("Date|Open|High|Low|Close|Volume|Adjusted_close", adjusted=True),
    "polygon": lambda: named("t|o|h|l|c|v", ticker="SPY"),
    "single_letters": lambda: named("t|o|h|l|c|v", n="1", vw="1"),
    "cryptocompare": lambda: named("time|open|high|low|close|volumefrom", volumeto="1"),
    "warsaw_bulk": lambda: named(
        "<DATE>|<OPEN>|<HIGH>|<LOW>|<CLOSE>|<VOL>", day="%Y%m%d", **{"<TICKER>": "X", "<OPENINT>": "0"}
    ),
    "finam": lambda: named("<DATE>|<OPEN>|<HIGH>|<LOW>|<CLOSE>|<VOL>", day="%Y%m%d", **{"<TIME>": "0", "<PER>": "D"}),
    "euronext": lambda: named("Date|Open|High|Low|Last|Number of Shares", day="%d/%m/%Y"),
    "volume_in_coins": lambda: named(
        "Date|Open|High|Low|Close|Volume BTC", "Volume from 'Volume BTC'", Symbol="BTCUSDT", **{"Volume USDT": "1"}
    ),
    "volume_in_coins_of_two_coins": lambda: named(
        "Date|Open|High|Low|Close|Volume ETH", Symbol="ETH/BTC", **{"Volume BTC": "1"}
    ),
    "volume_in_coins_in_brackets": lambda: named(
        "Date|Open|High|Low|Close|Volume_(BTC)", **{"Volume_(Currency)": "1", "Weighted_Price": "1"}
    ),
    "volume_of_quantity": lambda: named("Date|Open|High|Low|Close|Total Traded Quantity", **{"Turnover Rs.": "1"}),
    "ticks_alone": lambda: named("Date|Open|High|Low|Close|tick_volume", "Volume counts ticks", spread="1"),
    "ticks_beside_zeros": lambda: named(
        "Date|Open|High|Low|Close|tick_volume", "real_volume: is 0 on every day", spread="1", real_volume="0"
    ),
    "ticks_beside_trades": lambda: named(
        "Date|Open|High|Low|Close|real_volume", "tick_volume: Volume is taken from 'real_volume'", tick_volume="7"
    ),
}
for vendor, make in VENDORS.items():
    add(f"vendor_{vendor}", make)


def crsp(name: str) -> Case:
    frame = written(bars(), day="%Y%m%d")
    frame.loc[[3, 9], "Close"] = "-" + frame.loc[[3, 9], "Close"]
    frame.columns = pd.Index(["date", "OPENPRC", "ASKHI", "BIDLO", name, "VOL"])
    return read(csv(frame.assign(PERMNO="10001", RET="0.01")), f"{name} is negative on 2 days (first in row 5)")


add("vendor_crsp_middle_of_bid_and_ask", lambda: crsp("PRC"))
add("negative_close_of_another", lambda: refused(crsp("Close").content, "row 5", "Close is -", "and so in 1 more row"))


# ---------------------------------------------------------------- midnights of other zones

ZONES = (
    "Asia/Tokyo",
    "Asia/Hong_Kong",
    "Australia/Sydney",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Europe/Moscow",
    "Asia/Seoul",
    "Africa/Johannesburg",
    "Europe/Istanbul",
    "Asia/Singapore",
    "Asia/Jakarta",
)


def midnights(zone: str) -> pd.Series:
    """Midnights of `zone` on the days of the bars, as moments of UTC."""
    local = [datetime.datetime.combine(day, datetime.time(), ZoneInfo(zone)) for day in bars()["Date"].dt.date]
    return pd.Series(pd.to_datetime(local, utc=True))


def texts(moments: pd.Series, form: str) -> list[str]:
    if form.startswith("epoch"):
        per = {"epoch_seconds": 1, "epoch_milliseconds": 10**3, "epoch_microseconds": 10**6, "epoch_nanoseconds": 10**9}
        return [str(int(moment.timestamp()) * per[form]) for moment in moments]
    return [moment.strftime(form) for moment in moments]


WRITTEN = {
    "offset": "%Y-%m-%d %H:%M:%S+00:00",
    "z": "%Y-%m-%dT%H:%M:%SZ",
    "naive": "%Y-%m-%d %H:%M:%S",
    "american": "%m/%d/%Y %I:%M:%S %p",
    "seconds": "epoch_seconds",
    "milliseconds": "epoch_milliseconds",
    "microseconds": "epoch_microseconds",
    "nanoseconds": "epoch_nanoseconds",
}


def shifted(zone: str, form: str, *, told: bool) -> Case:
    content = csv(written(bars()).assign(Date=texts(midnights(zone), WRITTEN[form])))
    if told:
        return read(content, f"days are those of {zone}", options=("--zone", zone))
    return refused(content, "2018-01-01", "2018-01-02", "Sunday to Thursday", "Monday to Friday", "--zone", "--days")


for position, zone in enumerate(ZONES):
    for form in WRITTEN if position < 4 else list(WRITTEN)[position % 3 :: 3]:
        slug = f"{zone.rpartition('/')[2].lower()}_{form}"
        add(f"midnights_{slug}_refused", lambda zone=zone, form=form: shifted(zone, form, told=False))
        add(f"midnights_{slug}_told", lambda zone=zone, form=form: shifted(zone, form, told=True))


def zoned_parquet(zone: str, shown_in: str, *options: str) -> Case:
    frame = bars().assign(Date=midnights(zone).dt.tz_convert(shown_in)).set_index("Date")
    return read(parquet(frame), suffix="parquet", options=options)


def as_refused(case: Case, *words: str) -> Case:
    return Case(content=case.content, words=words, suffix=case.suffix, options=case.options)


for zone, shown_in in (("Asia/Tokyo", "America/New_York"), ("Europe/Berlin", "America/New_York"),
                       ("Asia/Tokyo", "UTC"), ("Australia/Sydney", "Europe/London")):  # fmt: skip
    slug = f"parquet_of_{zone}_in_{shown_in}".replace("/", "_").lower()
    add(slug, lambda zone=zone, shown_in=shown_in: zoned_parquet(zone, shown_in, "--zone", zone))
    add(f"{slug}_next_day", lambda zone=zone, shown_in=shown_in: zoned_parquet(zone, shown_in, "--days", "next"))
    add(
        f"{slug}_refused",
        lambda zone=zone, shown_in=shown_in: as_refused(
            zoned_parquet(zone, shown_in), f"--zone {zone}", "Sunday to Thursday"
        ),
    )


def summer_time(form: str, name: str = "Europe/London") -> tuple[pd.DataFrame, list[str]]:
    """Midnights over more than a year, in UTC: London's are 00:00 in winter, 23:00 of the day before in summer."""
    days = pd.bdate_range("2016-11-01", periods=400)
    frame = pd.concat([bars()] * 14).iloc[:400].assign(Date=days).reset_index(drop=True)
    zone = ZoneInfo(name)
    moments = [datetime.datetime.combine(day, datetime.time(), zone).astimezone(datetime.UTC) for day in days.date]
    return frame, [moment.strftime(form) for moment in moments]


def london(form: str, *options: str) -> Case:
    frame, days = summer_time(form)
    # November to July: summer is the smaller part.
    return read(csv(written(frame).assign(Date=days).iloc[:190]), options=options, expected=frame.iloc[:190])


for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
    slug = {"Z": "utc", "S": "naive", "d": "cut_off"}[form[-1]]
    add(f"london_midnights_{slug}_refused", lambda form=form: as_refused(london(form), "--days as-written"))
for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"):
    add(f"london_midnights_{form[-1]}_told", lambda form=form: london(form, "--zone", "Europe/London"))
add("london_midnights_cut_off_told", lambda: london("%Y-%m-%d", "--zone", "Europe/London"))
add(
    "london_midnights_cut_off_of_tokyo",
    lambda: as_refused(london("%Y-%m-%d", "--zone", "Asia/Tokyo"), "in Europe/London", "Monday to Friday"),
)


def over_a_year(form: str, name: str, *options: str) -> Case:
    frame, days = summer_time(form, name)
    return read(csv(written(frame).assign(Date=days)), options=options, expected=frame)


for zone in ("Europe/Berlin", "Australia/Sydney", "Europe/London", "Europe/Lisbon", "Pacific/Auckland"):
    for form in ("%Y-%m-%d %H:%M:%S+00:00", "%m/%d/%Y %H:%M"):
        slug = f"{zone.partition('/')[2].lower()}_{form[1].lower()}"
        add(
            f"summer_time_{slug}_refused",
            lambda zone=zone, form=form: as_refused(
                over_a_year(form, zone),
                "in Europe/" if zone.startswith("Europe") else f"in {zone}",
                "Monday to Friday (--zone",
            ),
        )
        add(f"summer_time_{slug}_told", lambda zone=zone, form=form: over_a_year(form, zone, "--zone", zone))
for zone in ("America/New_York", "America/Los_Angeles", "Africa/Abidjan"):
    add(f"summer_time_{zone.partition('/')[2].lower()}", lambda zone=zone: over_a_year("%Y-%m-%dT%H:%M:%SZ", zone))


def moved(step: int) -> pd.DataFrame:
    return bars().assign(Date=bars()["Date"] + pd.Timedelta(days=step))


def every_day(days: int = 30) -> pd.DataFrame:
    return bars(days).assign(Date=pd.date_range("2018-01-02", periods=days))


def with_sundays() -> pd.DataFrame:
    """FX with a short bar on Sunday evening."""
    frame = pd.concat([bars(), bars(6).assign(Date=pd.date_range("2018-01-07", periods=6, freq="7D"), Volume=9.0)])
    return frame.sort_values("Date").reset_index(drop=True)


add("days_cut_off_in_utc", lambda: refused(csv(written(moved(-1))), "Sunday to Thursday", "--days next"))
add("days_cut_off_told", lambda: read(csv(written(moved(-1))), options=("--days", "next")))
add("days_cut_off_zone", lambda: read(csv(written(moved(-1))), "cut off in UTC", options=("--zone", "Asia/Tokyo")))
add(
    "days_of_tel_aviv",
    lambda: read(csv(written(moved(-1))), "Sunday to Thursday", expected=moved(-1), options=("--days", "as-written")),
)
add(
    "days_of_tel_aviv_by_zone", lambda: refused(csv(written(moved(-1))), "--days", options=("--zone", "Asia/Jerusalem"))
)
add("days_one_late", lambda: refused(csv(written(moved(1))), "Tuesday to Saturday", "--days previous"))
add("days_one_late_told", lambda: read(csv(written(moved(1))), options=("--days", "previous")))
add("bars_of_every_day", lambda: read(csv(written(every_day())), "without weekends", expected=every_day()))
add(
    "bars_on_sundays",
    lambda: read(csv(written(with_sundays())), "6 of 36 days (17%) are Sundays", expected=with_sundays()),
)
add(
    "coins_at_midnight",
    lambda: read(csv(written(every_day(), day="%Y-%m-%dT00:00:00Z")), "all seven days", expected=every_day()),
)
add(
    "coins_at_the_end_of_the_day",
    lambda: read(csv(written(every_day(), day="%Y-%m-%dT23:59:59.999Z")), expected=every_day()),
)
add(
    "coins_at_another_midnight",
    lambda: refused(csv(written(every_day(), day="%Y-%m-%d 16:00:00")), "all seven days", "--zone Asia/Hong_Kong"),
)
add(
    "coins_in_new_york",
    lambda: read(
        parquet(every_day().assign(Date=every_day()["Date"].dt.tz_localize("UTC").dt.tz_convert("America/New_York"))),
        suffix="parquet",
        options=("--zone", "UTC"),
        expected=every_day(),
    ),
)
add(
    "few_rows_at_15_hours",
    lambda: refused(csv(written(bars(2), day="%Y-%m-%d 15:00:00")), "2018-01-02", "2018-01-03", "--zone"),
)
add("opening_times_of_utc", lambda: read(csv(written(bars(), day="%Y-%m-%dT14:30:00Z")), "Monday to Friday"))
add("closing_times_of_utc", lambda: read(csv(written(bars(), day="%Y-%m-%dT21:00:00+00:00")), "Monday to Friday"))
add("zone_of_bare_days", lambda: read(lines(), "dates carry no time", options=("--zone", "America/New_York")))
add(
    "zone_of_naive_midnights",
    lambda: read(
        csv(written(bars(), day="%Y-%m-%d 00:00:00")), "midnights without", options=("--zone", "America/New_York")
    ),
)
add(
    "zone_that_makes_sundays",
    lambda: refused(
        csv(written(bars(), day="%Y-%m-%dT00:00:00Z")), "Sunday to Thursday", options=("--zone", "America/New_York")
    ),
)
add("zone_unknown", lambda: refused(lines(), "--zone must be", options=("--zone", "Mars/Olympus")))
add(
    "zone_as_an_offset",
    lambda: read(
        csv(written(bars()).assign(Date=texts(midnights("Asia/Tokyo"), "%Y-%m-%d %H:%M:%S"))),
        options=("--zone", "+09:00"),
    ),
)
add(
    "times_in_their_own_column_one_day_early",
    lambda: refused(csv(written(moved(-1)).assign(Time="15:00")), "15:00", "--zone Asia/Tokyo"),
)
add(
    "times_in_their_own_column_told",
    lambda: read(csv(written(moved(-1)).assign(Time="15:00")), options=("--zone", "Asia/Tokyo")),
)
add(
    "dukascopy",
    lambda: read(csv(written(bars(), day="%d.%m.%Y 00:00:00.000 GMT+0200").rename(columns={"Date": "Gmt time"}))),
)


# ---------------------------------------------------------------- notations of days

NOTATIONS = {
    "dash_midnight": "%Y.%m.%d-00:00",
    "weekday_before": "%a, %d %b %Y",
    "weekday_in_full": "%A, %B %d, %Y",
    "compact_month": "%d%b%Y",
    "month_between": "%Y-%b-%d",
    "compact_with_clock": "%Y%m%d 000000",
    "chinese": "%Y年%m月%d日",
    "korean": "%Y년 %m월 %d일",
    "log_file": "%d/%b/%Y:00:00:00",
    "spaces": "%Y- %m- %d",
    "iso_basic": "%Y%m%dT000000",
    "two_digits_month_name": "%d-%b-%y",
    "two_digits_american": "%m/%d/%y",
    "two_digits_german": "%d.%m.%y",
    "two_digits_year_first": "%y-%m-%d",
    "two_digits_apostrophe": "%b %d, '%y",
    "two_digits_compact": "%d%b%y",
}
for notation, day in NOTATIONS.items():
    add(f"day_{notation}", lambda day=day: read(csv(written(bars(), day=day), sep=";")))

MONTHS = {
    "german": "1. Januar 2018|2. Februar 2018",
    "french": "1 janvier 2018|2 février 2018",
    "spanish": "1 de enero de 2018|2 de febrero de 2018",
    "polish": "1 stycznia 2018|2 lutego 2018",
    "russian": "1 января 2018|2 февраля 2018",
    "turkish": "1 Ocak 2018|2 Şubat 2018",
    "italian": "1 gen 2018|2 feb 2018",
    "portuguese": "1 de janeiro de 2018|2 de fevereiro de 2018",
    "swedish": "1 januari 2018|2 februari 2018",
    "dutch": "1 jan. 2018|2 feb. 2018",
}


def month_names(sample: str) -> Case:
    january, february = sample.split("|")
    forms = {1: january.replace("1", "{d}", 1), 2: february.replace("2", "{d}", 1)}
    days = [forms[day.month].format(d=day.day) for day in bars()["Date"]]
    return read(csv(written(bars()).assign(Date=days), sep=";"))


for language, sample in MONTHS.items():
    add(f"month_names_{language}", lambda sample=sample: month_names(sample))


def old(start: str) -> pd.DataFrame:
    return bars().assign(Date=pd.bdate_range(start, periods=30))


add(
    "two_digits_of_the_last_century",
    lambda: read(csv(written(old("1987-03-02"), day="%d-%b-%y")), expected=old("1987-03-02")),
)
add(
    "two_digits_over_the_turn",
    lambda: read(csv(written(old("1999-12-15"), day="%d-%b-%y")), expected=old("1999-12-15")),
)
add(
    "two_digits_that_could_be_1919",
    lambda: read(csv(written(old("1919-03-03"), day="%d-%b-%y")), expected=old("1919-03-03")),
)
add(
    "two_digits_told",
    lambda: read(csv(written(every_day(), day="%d-%b-%y")), options=("--century", "20"), expected=every_day()),
)
add(
    "two_digits_of_every_day",
    lambda: refused(csv(written(every_day(), day="%d-%b-%y")), "--century 20", "--century 19"),
)
add("two_digits_of_three_rows", lambda: refused(csv(written(bars(3), day="%d-%b-%y")), "--century"))
add(
    "epoch_midnights",
    lambda: read(csv(written(bars()).assign(Date=[str(int(d.timestamp()) * 1000) for d in bars()["Date"]]))),
)
add(
    "epoch_with_one_that_is_none",
    lambda: refused(
        csv(written(bars()).assign(Date=["oops" if d.day == 9 else str(int(d.timestamp())) for d in bars()["Date"]])),
        "row 7",
        "'oops'",
        "seconds since 1970",
    ),
)
add(
    "epoch_in_parquet",
    lambda: read(parquet(bars().assign(Date=[int(d.timestamp()) for d in bars()["Date"]])), suffix="parquet"),
)


# ---------------------------------------------------------------- shapes


def headerless(*options: str, width: tuple[str, ...] = COLUMNS, sep: str = ",", **how: str) -> bytes:
    return csv(written(bars(), **how)[list(width)], header=False, sep=sep)


def wrapped(content: bytes) -> bytes:
    """Every line in quotation marks as a whole, inner ones doubled."""
    return "\n".join('"' + part.replace('"', '""') + '"' for part in content.decode().splitlines()).encode()


def binance(per: int, sep: str = ",") -> bytes:
    frame = written(bars())
    start = [int(day.timestamp()) * per for day in bars()["Date"]]
    frame = frame.assign(
        Date=start, Close_time=[opened + 86400 * per - 1 for opened in start], q="1", n="2", b="3", t="4", i="0"
    )
    return csv(frame, header=False, sep=sep)


SHAPES: dict[str, Callable[[], Case]] = {
    "units_below_the_header": lambda: read(
        b"\n".join([lines().splitlines()[0], b",USD,USD,USD,USD,shares", *lines().splitlines()[1:]]),
        "no day above the first day (units or a remark) (row 2)",
    ),
    "lines_in_quotation_marks_and_semicolons": lambda: read(
        b"\n".join(part + b";;;" for part in wrapped(lines()).splitlines())
    ),
    "metatrader_4": lambda: read(
        csv(written(bars(), day="%Y.%m.%d").assign(Time="00:00")[["Date", "Time", *COLUMNS[1:]]], header=False),
        "MetaTrader",
    ),
    "binance": lambda: read(binance(1000), "Binance", "milliseconds"),
    "binance_2025": lambda: read(binance(10**6), "Binance", "microseconds"),
    "tradingview_without_header": lambda: read(
        csv(written(bars()).assign(Date=[int(d.timestamp()) for d in bars()["Date"]]), header=False), "TradingView"
    ),
    "histdata": lambda: refused(headerless(sep=";", day="%Y%m%d 000000"), "--header Date,Open,High,Low,Close,Volume"),
    "histdata_told": lambda: read(
        headerless(sep=";", day="%Y%m%d 000000"), "named by --header", options=("--header", ",".join(COLUMNS))
    ),
    "no_header_told": lambda: read(headerless(), options=("--header", "date,open,high,low,close,volume")),
    "no_header_leaving_out": lambda: read(
        headerless(),
        "no Volume",
        options=("--header", "Date,Open,High,Low,Close,-"),
        expected=bars().drop(columns="Volume"),
    ),
    "no_header_of_another_width": lambda: refused(
        headerless(), "--header names 3 columns", "has 6", options=("--header", "a,b,c")
    ),
    "header_replaced": lambda: read(
        csv(written(bars()).rename(columns=lambda name: f"x{len(name)}")),
        "stands above",
        options=("--header", ",".join(COLUMNS)),
    ),
    "no_header_of_unknown_order": lambda: refused(
        headerless(width=("Date", "High", "Close", "Low", "Open")), "--header Date,NAME2,NAME3,NAME4,NAME5"
    ),
    "r_row_names": lambda: read(
        b'"SPY.Open","SPY.High","SPY.Low","SPY.Close","SPY.Volume"\n' + csv(written(bars()), header=False, quoting=2)
    ),
    "r_row_numbers": lambda: read(
        csv(written(bars())).splitlines()[0] + b"\n" + csv(written(bars()), header=False, index=True)
    ),
    "r_write_table": lambda: read(
        b'"Open" "High" "Low" "Close" "Volume"\n' + csv(written(bars()), header=False, sep=" ", quoting=1),
        "blank-separated",
    ),
    "lined_up_by_blanks": lambda: read(written(bars()).to_string(index=False).encode(), "blank-separated"),
    "lines_in_quotation_marks": lambda: read(wrapped(lines())),
    "lines_in_quotation_marks_below_the_header": lambda: read(
        lines().splitlines()[0] + b"\n" + wrapped(b"\n".join(lines().splitlines()[1:]))
    ),
    "quoted_cells_in_quoted_lines": lambda: read(
        wrapped(csv(written(bars(), day="%b %d, %Y", number=lambda v: f"{v:,.2f}"), quoting=1))
    ),
    "footer_with_commas": lambda: read(
        lines(add=("", "Source: an exchange, without warranty, not for resale, see terms, page 2, ltd., etc.")),
        "(row 33)",
    ),
    "footer_with_a_number": lambda: read(lines(add=("30 rows exported",)), "no day below the last day"),
    "footer_of_totals": lambda: read(lines(add=("Total,1,2,3,4,5",)), "no day below the last day"),
    "remarks_above": lambda: read(b"# made up\n# two lines\n" + lines(), "stands above the header (rows 1, 2)"),
    "web_address_above": lambda: read(b"https://example.invalid\n" + lines(), "stands above the header (row 1)"),
    "spreadsheet_error_day": lambda: read(
        lines(change={5: "2018-01-05,#VALUE!,#VALUE!,#VALUE!,#VALUE!,0"}),
        "a day without any price (row 5)",
        expected=bars().drop(index=3).reset_index(drop=True),
    ),
    "spreadsheet_error_cell": lambda: refused(lines(change={5: line(5, high="#REF!")}), "row 5", "High is missing"),
    "zero_volume": lambda: read(
        csv(written(bars().assign(Volume=0.0))), "Volume: is 0 on every day", expected=bars().drop(columns="Volume")
    ),
    "feather": lambda: read(feather(bars()), "feather", suffix="feather"),
    "feather_of_tokyo": lambda: read(
        feather(bars().assign(Date=midnights("Asia/Tokyo"))), suffix="feather", options=("--zone", "Asia/Tokyo")
    ),
    "torn_feather": lambda: refused(feather(bars())[:-40], "Feather", suffix="feather"),
}


def mixed_units() -> bytes:
    """Binance went from milliseconds to microseconds, and people string files together."""
    rows = binance(1000).splitlines()[:15] + binance(10**6).splitlines()[15:]
    return b"\n".join(rows)


def before_1970() -> Case:
    frame = pd.concat([bars()] * 12).iloc[:340].assign(Date=pd.bdate_range("1969-06-02", periods=340))
    frame = pd.concat([frame, bars(700).assign(Date=pd.bdate_range("1975-01-02", periods=700))]).reset_index(drop=True)
    seconds = [int((day - pd.Timestamp("1970-01-01")).total_seconds()) + 52200 for day in frame["Date"]]
    return read(csv(written(frame).assign(Date=seconds).rename(columns={"Date": "time"})), expected=frame)


def barchart() -> Case:
    frame = written(bars(), day="%m/%d/%Y").assign(Symbol="X", Change="1", Pct="0.1%")
    frame = frame.rename(columns={"Date": "Time", "Close": "Last"})
    footer = b'"Downloaded from Barchart.com as of 02-13-2018 04:00pm CST"\n'
    return read(csv(frame[::-1]) + footer, "no day below the last day")


add("epoch_of_two_units", lambda: read(mixed_units(), "microseconds and milliseconds since 1970"))
add("epoch_before_1970", before_1970)
add("vendor_barchart", barchart)
add(
    "vendor_coinmarketcap",
    lambda: read(
        csv(
            written(every_day(), day="%Y-%m-%dT23:59:59.999Z")
            .rename(columns=str.lower)
            .rename(columns={"date": "timestamp"})
            .assign(timeOpen="2018-01-01T00:00:00.000Z", name="2781", marketCap="1"),
            sep=";",
        ),
        expected=every_day(),
    ),
)
add(
    "vendor_coinbase",
    lambda: read(
        csv(
            written(every_day())
            .assign(Date=[int(day.timestamp()) for day in every_day()["Date"]])[
                ["Date", "Low", "High", "Open", "Close", "Volume"]
            ]
            .set_axis(["time", "low", "high", "open", "close", "volume"], axis=1)
        ),
        expected=every_day(),
    ),
)


def feather(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_feather(buffer)
    return buffer.getvalue()


for shape, make in SHAPES.items():
    add(f"shape_{shape}", make)


# ---------------------------------------------------------------- roles that are told

STRANGE = ["Quand", "Debut", "Pic", "Creux", "Cloture finale", "Titres"]
ROLES = [f"--column={role}={name}" for role, name in zip(COLUMNS, STRANGE, strict=True)]


def strange() -> bytes:
    return csv(written(bars()).set_axis(STRANGE, axis=1))


TOLD: dict[str, Callable[[], Case]] = {
    "all": lambda: read(strange(), "Close from 'Cloture finale'", options=tuple(ROLES)),
    "a_volume_of_another_name": lambda: read(
        csv(written(bars()).rename(columns={"Volume": "Shares sold"})),
        "say --column 'Volume=Shares sold'",
        expected=bars().drop(columns="Volume"),
    ),
    "not_at_all": lambda: refused(strange(), "--column Date=NAME"),
    "one_of_two": lambda: read(
        csv(written(bars()).assign(Settle="1").rename(columns={"Close": "Last"})), options=("--column", "close=Last")
    ),
    "one_of_two_open": lambda: refused(
        csv(written(bars()).assign(Settle="1").rename(columns={"Close": "Last"})),
        "Close stands 2 times",
        "--column Close=Last",
    ),
    "instead_of_the_usual": lambda: read(
        csv(written(bars()).assign(Official=written(bars())["Close"], Close="7")),
        "as told",
        options=("--column", "CLOSE=Official"),
    ),
    "no_volume": lambda: read(
        lines(), "left out, as told", options=("--column", "Volume="), expected=bars().drop(columns="Volume")
    ),
    "no_close": lambda: refused(lines(), "every file of daily bars needs it", options=("--column", "Close=")),
    "a_name_that_is_not_there": lambda: refused(
        lines(), "no column of that name", "'Open'", options=("--column", "Close=Schluss")
    ),
    "a_role_that_is_none": lambda: refused(lines(), "--column must be ROLE=NAME", options=("--column", "Klose=Close")),
    "a_column_twice": lambda: refused(
        lines(),
        "another --column assigns that column to Open",
        options=("--column", "Open=Open", "--column", "Close=Open"),
    ),
    "a_role_twice": lambda: refused(
        lines(), "given twice", options=("--column", "Open=Open", "--column", "open=Close")
    ),
    "an_encoding_that_is_none": lambda: refused(lines(), "--encoding must be", options=("--encoding", "klingon")),
    "an_encoding_that_is_wrong": lambda: refused(
        investing("chinese", "gbk").content, "as --encoding says", options=("--encoding", "utf-8")
    ),
    "from_and_to": lambda: read(
        lines(),
        "outside --from and --to",
        options=("--from", "2018-01-10", "--to", "2018-01-31"),
        expected=bars().iloc[6:22].reset_index(drop=True),
    ),
    "from_cuts_faults_off": lambda: read(
        lines(change={3: line(3, close="oops"), 4: line(4, high="1.00")}),
        options=("--from", "2018-01-05"),
        expected=bars().iloc[3:].reset_index(drop=True),
    ),
    "to_before_all": lambda: refused(
        lines(), "no row between", "2018-01-02 to 2018-02-12", options=("--to", "2000-01-01")
    ),
    "from_after_to": lambda: refused(lines(), "lies after", options=("--from", "2018-02-01", "--to", "2018-01-01")),
}
for told, make in TOLD.items():
    add(f"told_{told}", make)


# ---------------------------------------------------------------- repairs


def outside() -> bytes:
    """A High below the Close in line 6, a Low above the Open in line 9."""
    frame = bars()
    return lines(
        change={6: line(6, high=f"{frame['Close'][4] - 0.5:.2f}"), 9: line(9, low=f"{frame['Open'][7] + 0.5:.2f}")}
    )


def widened() -> pd.DataFrame:
    frame = bars()
    frame.loc[4, "High"] = max(frame["Open"][4], frame["Close"][4])
    frame.loc[7, "Low"] = min(frame["Open"][7], frame["Close"][7])
    return frame


def without(*rows: int) -> pd.DataFrame:
    return bars().drop(index=list(rows)).reset_index(drop=True)


def holidays() -> bytes:
    return lines(change={5: line(5, volume=""), 11: line(11, volume="-")})


DROP = ("--drop-faulty-rows",)
REPAIRS: dict[str, Callable[[], Case]] = {
    "range": lambda: read(outside(), "widened", "on 2 days", options=("--repair", "range"), expected=widened()),
    "range_not_asked": lambda: refused(
        outside(), "row 6", "row 9", "--repair range", "--drop-faulty-rows leaves out these 2 rows"
    ),
    "range_that_needs_none": lambda: read(lines(), options=("--repair", "range")),
    "range_with_a_price_of_zero": lambda: refused(
        lines(change={6: line(6, low="0.00")}), "row 6", "Low is 0", options=("--repair", "range")
    ),
    "volume_zero": lambda: read(
        holidays(),
        "2 days without a volume taken as 0",
        options=("--missing-volume", "zero"),
        expected=bars().assign(Volume=lambda f: f["Volume"].where(~f.index.isin([3, 9]), 0.0)),
    ),
    "volume_drop": lambda: read(
        holidays(), "2 days without a volume left out", options=("--missing-volume", "drop"), expected=without(3, 9)
    ),
    "volume_not_asked": lambda: refused(
        holidays(), "row 5", "and so in 1 more row (11)", "--missing-volume zero or drop"
    ),
    "volume_of_none": lambda: refused(
        csv(written(bars().drop(columns="Volume"))), "no volume at all", options=("--missing-volume", "zero")
    ),
    "drop_words": lambda: read(
        lines(change={8: line(8, close="oops")}), "1 faulty row", options=DROP, expected=without(6)
    ),
    "drop_laws": lambda: read(outside(), "2 faulty rows", options=DROP, expected=without(4, 7)),
    "drop_days": lambda: read(
        lines(change={8: line(8, date="2018-02-30"), 20: line(20, date="soon")}),
        "2 faulty rows",
        options=DROP,
        expected=without(6, 18),
    ),
    "drop_wide_rows": lambda: read(
        lines(change={7: line(7) + ",oops"}), "1 faulty row", options=DROP, expected=without(5)
    ),
    "drop_at_every_step": lambda: read(
        lines(change={3: line(3, date="soon"), 4: line(4, open="x"), 5: line(5, high="1.00"), 6: line(6, close="")}),
        "4 faulty rows",
        options=DROP,
        expected=without(1, 2, 3, 4),
    ),
    "drop_contradictions": lambda: read(
        lines(add=(line(9, close="1200.01", high="1300.00"),)), "2 faulty rows", options=DROP, expected=without(7)
    ),
    "drop_dividends": lambda: read(
        lines(change={8: "2018-01-10,1.5 Dividend,,,,"}), "1 faulty row", options=DROP, expected=without(6)
    ),
    "drop_most": lambda: refused(
        csv(written(bars()).assign(High="1.00")), "would leave out 30 of 30 rows", options=DROP
    ),
    "drop_the_future": lambda: read(
        lines(change={31: line(31, date="9018-02-12")}), "1 faulty row", options=DROP, expected=without(29)
    ),
    "all_three": lambda: read(
        lines(change={6: line(6, high="1.00"), 9: line(9, volume=""), 12: line(12, low="oops")}),
        "widened",
        "taken as 0",
        "1 faulty row",
        options=(*DROP, "--repair", "range", "--missing-volume", "zero"),
        expected=without(10).assign(
            High=lambda f: f["High"].where(f.index != 4, np.maximum(f["Open"], f["Close"])),
            Volume=lambda f: f["Volume"].where(f.index != 7, 0.0),
        ),
    ),
}
for repair, make in REPAIRS.items():
    add(f"repair_{repair}", make)
