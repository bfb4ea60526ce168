"""Names of the columns of daily bars, as vendors write them, in many languages.

Sources: the export pages of the vendors, and those of Investing.com in the languages it is offered in.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum


class Role(StrEnum):
    DATE = "Date"
    TIME = "Time"
    OPEN = "Open"
    HIGH = "High"
    LOW = "Low"
    CLOSE = "Close"
    VOLUME = "Volume"
    TICK_VOLUME = "Tick Volume"
    ADJ_CLOSE = "Adj Close"
    SYMBOL = "Symbol"
    # The rest is read for a panel of stocks only.
    ADJ_OPEN = "Adj Open"
    ADJ_HIGH = "Adj High"
    ADJ_LOW = "Adj Low"
    ADJ_VOLUME = "Adj Volume"
    TURNOVER = "Turnover"
    FACTOR = "Factor"
    DELISTING = "Delisting"
    SECTOR = "Sector"
    MEMBER = "Member"


# One string a rank, names separated by "/". Of several names that a file has, the one of the lowest rank counts, and
# within a rank no one does: the user has to say. Case, spaces, accents, signs and brackets do not count.
NAMES: Mapping[Role, Sequence[str]] = {
    Role.DATE: (
        ("date/dates/day/trade date/trading date/trading day/quote date/dlycaldt/caldt/datadate/dtyyyymmdd"
        "/dtyymmdd/bizdt/traddt/exchange date/session date/price date/as of date/datum/tag/data/fecha/dato"
        "/tarih/дата/日付/日付け/年月日/날짜/일자/日期/交易日期/التاريخ/تاريخ/pvm/päivämäärä/ημερομηνία/תאריך"
        "/tanggal/ngày/วันที่/วันเดือนปี/fecha de negociación"),
        ("datetime/timestamp/date and time/datetime utc/date utc/local time/gmt time/tarih saat/日期时间/時間"
        "/시간"),
        "unix/unix timestamp/epoch/open time/window start/time open/start/candle begin time",
        "time",
        "t",
    ),
    Role.TIME: (
        "time/uhrzeit/zeit/hora/heure/ora/время/时间",
    ),
    Role.OPEN: (
        ("open/open price/price open/opening/opening price/px open/open prc/dlyopen/opnpric/prcod/open rate"
        "/stock open/eröffnung/eröffn/eröffnungskurs/ouv/ouverture/ouvert/apertura/aper/abertura/abert/abe"
        "/otwarcie/otw/откр/открытие/цена открытия/açılış/始値/오픈/시가/开盘/开盘价/開市/開盤/開盤價/今开"
        "/öppen/öppning/öppningskurs/åpning/åbning/åpen/åben/avaus/aloitus/مفتوح/الافتتاح/افتتاح/سعر الافتتاح"
        "/άνοιγμα/פתיחה/שער פתיחה/pembukaan/terbuka/buka/mở/mở cửa/เปิด/deschidere/nyitó/otevření"
        "/prezzo apertura/prezzo di apertura/cours d ouverture"),
        "erster/first/primo/premier",
        "o",
    ),
    Role.HIGH: (
        ("high/high price/price high/px high/high prc/askhi/dlyhigh/hghpric/high 1/day high/highest/daily high"
        "/trade high/max/maximum/hoch/höchst/höchstkurs/tageshoch/plus haut/haut/massimo/max price/máximo"
        "/máxima/maxim/hoog/hoogste/najwyższy/максимум/макс/максимальная/цена максимум/yüksek/en yüksek/高値"
        "/고가/高/最高/最高价/最高價/högst/högsta/hög/høy/høj/høyeste/høyest/ylin/korkein/أعلى/مرتفع/الأعلى"
        "/أعلى سعر/υψηλό/υψηλότερη/גבוה/tertinggi/cao/cao nhất/สูง/สูงสุด/nejvyšší/prezzo massimo"),
        "h",
    ),
    Role.LOW: (
        ("low/low price/price low/px low/low prc/bidlo/dlylow/lwpric/low 1/day low/lowest/daily low/trade low"
        "/min/minimum/tief/tiefst/tiefstkurs/tagestief/plus bas/bas/minimo/mínima/minim/laag/laagste"
        "/najniższy/минимум/мин/минимальная/цена минимум/düşük/en düşük/安値/저가/低/最低/最低价/最低價/lägst"
        "/lägsta/låg/lav/lavest/laveste/alin/matalin/أدنى/منخفض/الأدنى/أدنى سعر/χαμηλό/χαμηλότερη/נמוך"
        "/terendah/thấp/thấp nhất/ต่ำ/ต่ำสุด/nejnižší/prezzo minimo"),
        "l",
    ),
    Role.CLOSE: (
        ("close/close price/price close/closing/closing price/close last/px close/dlyclose/clspric/close prc"
        "/hst close/day close/prccd/close rate/schluss/schlusskurs/clôture/fermeture/chiusura/cierre"
        "/fechamento/fecho/slot/slotkoers/zamkniecie/kurs zamknięcia/закр/закрытие/цена закрытия/kapanış/終値"
        "/종가/收盘/收盘价/收市/收盤/收盤價/stängning/stängningskurs/slutkurs/senast betalt/sluttkurs"
        "/lukukurssi/päätös/إغلاق/الإغلاق/سعر الإغلاق/κλείσιμο/סגירה/שער סגירה/נעילה/penutupan/đóng cửa/ปิด"
        "/záró/închidere/uzavření/clot/prezzo chiusura/prezzo di chiusura"),
        "last/last price/px last/settle/settlement/px settle/trdprc 1/prc/dlyprc/lastpric",
        ("price/kurs/zuletzt/letzter/dernier/ultimo/laatste/ostatnio/ostatni/цена/son/şimdi/現在値/最新/最新价"
        "/senaste/siste/sidste/viimeisin/السعر/الأخير/آخر/τελευταία/אחרון/שער/terakhir/lần cuối/ล่าสุด"
        "/ultimul/utolsó/prezzo/precio/preço/prix/koers"),
        "c",
    ),
    Role.VOLUME: (
        ("volume/vol/px volume/dlyvol/acvol uns/acvol 1/ttltradgvol/share volume/traded volume/trade volume"
        "/real volume/stücke/stuecke/total traded quantity/tottrdqty/total trade quantity/traded quantity"
        "/shares traded/no of shares/number of shares/volume shares/volume traded/base volume/volumefrom"
        "/volume base/quantity/qty/cshtrd/trading volume/volym/volume totale/quantité/quantità/объём/hac"
        "/hacim/出来高/거래량/成交量/交易量/成交量股/vaihto/volyymi/الحجم/حجم/حجم التداول/كمية/όγκος/נפח"
        "/מחזור/volume perdagangan/kl/khối lượng/ปริมาณ/forgalom/omsatt/omsetning antall/vo"
        "/total volume/成交股數/成交股数/成交數量/成交数量/volumi/titres échangés"),
        "volumen/wolumen/wol/umsatz",
        "v",
    ),
    Role.TICK_VOLUME: (
        "tickvol/tick volume/ticks/tick count",
    ),
    Role.ADJ_CLOSE: (
        ("adj close/adjusted close/adj close price/close adjusted/close adj/adjusted/adjustment close"
        "/dlyadjclose/adjusted closing price/adj closing price/adjusted price/adj last/后复权收盘价"
        "/調整後終値/修正後終値/수정종가/düzeltilmiş kapanış/adjc"),
    ),
    Role.SYMBOL: (
        ("symbol/ticker/ticker symbol/instrument/tic/tckrsymb/ric/act symbol/stock symbol/currency pair/pair"
        "/security"),
        "ts code/stock code/code/local code/股票代码/证券代码/代码/銘柄コード/종목코드",
        "name/isin/permno/security name/名称/股票名称",
    ),
}  # fmt: skip

# Names that count in a panel of stocks, beside those above. An identity that its vendor never gives to another stock
# stands before a ticker, which may be given away.
PANEL_NAMES: Mapping[Role, Sequence[str]] = {
    **NAMES,
    Role.SYMBOL: (
        "permno",
        NAMES[Role.SYMBOL][0],
        NAMES[Role.SYMBOL][1],
        "secid/sid/isin/cusip/gvkey",
        "name/security name/名称/股票名称",
    ),
    Role.ADJ_CLOSE: (*NAMES[Role.ADJ_CLOSE], "adjcp"),
    Role.ADJ_OPEN: ("adj open/adjusted open/open adjusted/adjustment open/adjo",),
    Role.ADJ_HIGH: ("adj high/adjusted high/high adjusted/adjustment high/adjh",),
    Role.ADJ_LOW: ("adj low/adjusted low/low adjusted/adjustment low/adjl",),
    Role.ADJ_VOLUME: ("adj volume/adjusted volume/volume adjusted/adjustment volume/adjvo",),
    Role.TURNOVER: (
        "turnover value/va/dollar volume/traded value/trading value/value traded/total traded value/売買代金/거래대금",
        "turnover/amount/成交额/成交金额/成交金額",
        "value",
    ),
    Role.FACTOR: ("adjustment factor/adjfactor/cfacpr/dlycfacpr",),
    Role.DELISTING: ("dlret/delisting return",),
    Role.SECTOR: (
        "sector/gics sector",
        "sector33codename/sector33name/s33nm",
        "sector33code/s33",
        "sector17codename/sector17name/s17nm",
        "sector17code/s17",
        "industry/gics industry",
    ),
    Role.MEMBER: ("member/in index/index member/universe",),
}

_ORDINAL = re.compile(r"^\s*\d+[a-z]?[.)]\s*")
_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|（.*?）")


@functools.lru_cache(maxsize=4096)
def bare(name: str) -> str:
    """Normalise a column's name: remove case, spaces, punctuation, accents, a leading number and a unit in brackets."""
    text = unicodedata.normalize("NFKD", _ORDINAL.sub("", name)).casefold()
    text = _BRACKETS.sub("", text)
    return "".join(letter for letter in text if letter.isalnum())


def ranks_of(names_of: Mapping[Role, Sequence[str]]) -> dict[str, list[tuple[Role, int]]]:
    """A bare name -> the roles that it may have, with the rank of the name in each."""
    found: dict[str, list[tuple[Role, int]]] = {}
    for role, ranks in names_of.items():
        for rank, names in enumerate(ranks):
            for name in names.split("/"):
                places = found.setdefault(bare(name), [])
                if all(known is not role for known, _ in places):
                    places.append((role, rank))
    return found


RANKS: Mapping[str, Sequence[tuple[Role, int]]] = ranks_of(NAMES)
"""Normalised name -> the roles that it may have, with the rank of the name in each."""
PANEL_RANKS: Mapping[str, Sequence[tuple[Role, int]]] = ranks_of(PANEL_NAMES)

# Coins and money in which a volume may be told: `Volume BTC`, `Volume USDT`, `Volume_(Currency)`.
MONEY = frozenset(
    ("usd", "eur", "gbp", "jpy", "krw", "cny", "chf", "cad", "aud", "inr", "rub", "try", "brl", "pln", "usdt", "usdc",
     "busd", "tusd", "dai", "ust", "currency", "quote", "money", "value")
)  # fmt: skip
_VOLUME_UNIT = re.compile(r"(?:base |quote )?vol(?:ume)?[ _.(\[-]+([A-Za-z]{2,10})[)\]]?", re.IGNORECASE)


def volume_unit(name: str) -> str | None:
    """Return the unit in the name of a volume, `btc` for `Volume BTC`; None for a name that is not a volume with a
    unit."""
    match = _VOLUME_UNIT.fullmatch(name.strip())
    return None if match is None or match[1].lower() in ("shares", "share", "contracts", "ma") else match[1].lower()
