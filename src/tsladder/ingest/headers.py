"""Which column is which: the names that vendors give to the columns of daily bars."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tsladder.errors import BadInput
from tsladder.ingest.sheet import Heading


class Role(StrEnum):
    DATE = "Date"
    TIME = "Time"
    OPEN = "Open"
    HIGH = "High"
    LOW = "Low"
    CLOSE = "Close"
    VOLUME = "Volume"
    ADJ_CLOSE = "Adj Close"
    SYMBOL = "Symbol"


PRICES = (Role.OPEN, Role.HIGH, Role.LOW, Role.CLOSE)
NEEDED = (Role.DATE, *PRICES)
PER_SYMBOL = (*PRICES, Role.VOLUME, Role.ADJ_CLOSE)

# Names without case, spaces and signs. Of several names that a file has, the one further left counts.
_NAMES: Mapping[Role, Sequence[Sequence[str]]] = {
    Role.DATE: (
        ("date", "datum", "data", "fecha", "day", "tag", "tradedate", "tradingdate", "tradingday", "quotedate"),
        ("datetime", "timestamp", "dateandtime", "datetimeutc", "dateutc", "localtime", "gmttime"),
        ("time",),
    ),
    Role.TIME: (("time", "uhrzeit", "zeit", "hora"),),
    Role.OPEN: (
        ("open", "openprice", "opening", "openingprice", "eröffnung", "eröffnungskurs", "otwarcie", "apertura"),
        ("erster", "first"),
    ),
    Role.HIGH: (
        ("high", "highprice", "max", "hoch", "höchst", "höchstkurs", "tageshoch", "najwyzszy", "najwyższy", "máximo"),
    ),
    Role.LOW: (
        ("low", "lowprice", "min", "tief", "tiefst", "tiefstkurs", "tagestief", "najnizszy", "najniższy", "mínimo"),
    ),
    Role.CLOSE: (
        ("close", "closeprice", "closing", "closingprice", "closelast", "schluss", "schlusskurs", "zamkniecie",
         "zamknięcie", "cierre"),
        ("last", "lastprice", "settle", "settlement"),
        ("price", "kurs", "último"),
    ),
    Role.VOLUME: (
        ("volume", "vol", "stücke", "stuecke", "sharevolume", "tradedvolume", "totaltradedquantity"),
        ("volumen", "wolumen", "umsatz", "volumeshares"),
        ("tickvol", "tickvolume"),
    ),
    Role.ADJ_CLOSE: (
        ("adjclose", "adjustedclose", "adjcloseprice", "closeadjusted", "closeadj", "adjusted"),
    ),
    Role.SYMBOL: (("symbol", "ticker", "tickersymbol", "instrument", "tic"), ("name", "isin")),
}  # fmt: skip
_RANKS = {
    name: [(role, rank) for role, ranks in _NAMES.items() for rank, names in enumerate(ranks) if name in names]
    for name in {name for ranks in _NAMES.values() for names in ranks for name in names}
}
_UNNAMED = re.compile(r"(unnamed: ?\d+|index|)(_level_\d+)?")
# R's quantmod writes SPY.Open, SPY.High, ...
_LEAST_PREFIXED = 4
_TITLES_SHOWN = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Role -> place of its column; and what the columns left aside are, by their headings."""

    places: Mapping[Role, int]
    ignored: Mapping[str, str]


def bare(name: str) -> str:
    """A column's name without case, spaces, signs and a unit in brackets."""
    text = unicodedata.normalize("NFKC", name).casefold()
    text = re.sub(r"\(.*?\)|\[.*?\]", "", text)
    return "".join(letter for letter in text if letter.isalnum())


def is_known(name: str) -> bool:
    return bare(name) in _RANKS


def count_known(names: Sequence[str]) -> int:
    """How many different columns of daily bars `names` seems to name."""
    return len({_RANKS[bare(heading.name)][0][0] for heading in split_prefixes(names) if is_known(heading.name)})


def split_prefixes(names: Sequence[str]) -> tuple[Heading, ...]:
    """`SPY.Open` is the Open of SPY where at least four names share the prefix."""
    parts = [name.strip().rpartition(".") for name in names]
    prefixed = [
        bool(prefix) and is_known(field) and not is_known(name)
        for name, (prefix, _, field) in zip(names, parts, strict=True)
    ]
    shared = Counter(prefix for is_prefixed, (prefix, _, _) in zip(prefixed, parts, strict=True) if is_prefixed)
    return tuple(
        Heading(name=field, symbol=prefix)
        if is_prefixed and shared[prefix] >= _LEAST_PREFIXED
        else Heading(name=name.strip())
        for name, is_prefixed, (prefix, _, field) in zip(names, prefixed, parts, strict=True)
    )


def symbols_of(headings: Sequence[Heading]) -> tuple[str, ...]:
    """The symbols whose columns the header names, each once, in its order."""
    named = (heading.symbol for heading in headings if is_known(heading.name))
    return tuple(dict.fromkeys(symbol for symbol in named if symbol is not None))


def find_columns(headings: Sequence[Heading], source: str, *, symbol: str | None) -> Columns:
    """Raises BadInput that names every column that is missing or stands twice.

    Of columns that belong to symbols, those of `symbol` count.
    """
    ignored: dict[str, str] = {}
    claims: dict[Role, dict[int, list[int]]] = {}
    for place, heading in enumerate(headings):
        if heading.symbol is not None and heading.symbol != symbol:
            ignored[str(heading)] = "belongs to another symbol"
            continue
        for role, rank in _RANKS.get(bare(heading.name), []):
            claims.setdefault(role, {}).setdefault(rank, []).append(place)
    _resolve_time(claims)
    faults = []
    places: dict[Role, int] = {}
    for role, ranks in claims.items():
        best = ranks[min(ranks)]
        if len(best) > 1:
            titles = ", ".join(repr(headings[place].name) for place in best)
            faults.append(f"{role} stands {len(best)} times: {titles}; keep one of them")
        places[role] = best[0]
        for rank, others in ranks.items():
            if rank != min(ranks):
                ignored |= {
                    str(headings[place]): f"{role} is taken from {headings[best[0]].name!r}" for place in others
                }
    if Role.DATE not in places and headings and _UNNAMED.fullmatch(headings[0].name.strip().lower()):
        places[Role.DATE] = 0
    titles = ", ".join(str(heading) or "(no name)" for heading in headings[:_TITLES_SHOWN])
    titles += f" and {len(headings) - _TITLES_SHOWN} more" if len(headings) > _TITLES_SHOWN else ""
    faults += [f"{role} is missing" for role in NEEDED if role not in places]
    if faults:
        raise BadInput(
            f"{source} lacks the columns of daily bars (Date, Open, High, Low, Close, and Volume where there is one); "
            f"it has {titles}:",
            faults,
        )
    for place, heading in enumerate(headings):
        if place not in places.values() and str(heading) not in ignored:
            unnamed = _UNNAMED.fullmatch(heading.name.strip().lower())
            ignored[str(heading) or f"column {place + 1}"] = (
                "the index" if unnamed and place == 0 else "not of the bars"
            )
    return Columns(places=places, ignored=ignored)


def _resolve_time(claims: dict[Role, dict[int, list[int]]]) -> None:
    """A column `time` is the date where no other is; elsewhere it is the time of day."""
    dates, times = claims.get(Role.DATE, {}), claims.get(Role.TIME, {})
    shared = {place for places in dates.values() for place in places}.intersection(*times.values() or [()])
    if not shared:
        return
    if min(dates) == len(_NAMES[Role.DATE]) - 1:
        del claims[Role.TIME]
    else:
        del dates[len(_NAMES[Role.DATE]) - 1]
