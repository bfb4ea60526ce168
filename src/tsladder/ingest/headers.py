"""Assignment of the columns of a sheet to their roles, by their headings and by the choices of the user."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tsladder.errors import BadInput
from tsladder.ingest.names import MONEY, NAMES, PANEL_NAMES, PANEL_RANKS, RANKS, Role, bare, volume_unit
from tsladder.ingest.sheet import Heading

PRICES = (Role.OPEN, Role.HIGH, Role.LOW, Role.CLOSE)
PER_SYMBOL = (*PRICES, Role.VOLUME, Role.ADJ_CLOSE)
NOT_OF_THE_BARS = "not of the bars"

_TIME_AS_DATE = next(rank for rank, names in enumerate(NAMES[Role.DATE]) if names == "time")
_UNNAMED = re.compile(r"(unnamed: ?\d+|index|)(_level_\d+)?")
# R's quantmod writes SPY.Open, SPY.High, ...
_LEAST_PREFIXED = 4
_NO_TICKERS = frozenset(("adj", "adjusted", "unadj", "unadjusted", "prev", "previous", "day", "ex", "avg", "pre"))
_TITLES_SHOWN = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The roles that columns of a kind of table may have.

    `ranks` are as `names.RANKS`; of each tuple of `needed` one role must be there; `words` name the columns in a
    refusal, `without` says what a missing role means where there is more to say.
    """

    ranks: Mapping[str, Sequence[tuple[Role, int]]]
    roles: tuple[Role, ...]
    needed: tuple[tuple[Role, ...], ...]
    words: str
    without: Mapping[Role, str]

    def may_be_left_out(self, role: Role) -> bool:
        return role in self.roles and (role,) not in self.needed


BARS = Vocabulary(
    ranks=RANKS,
    roles=tuple(NAMES),
    needed=tuple((role,) for role in (Role.DATE, *PRICES)),
    words="the columns of daily bars (Date, Open, High, Low, Close, and Volume where there is one)",
    without={},
)
STOCKS = Vocabulary(
    ranks=PANEL_RANKS,
    roles=tuple(PANEL_NAMES),
    needed=((Role.DATE,), (Role.CLOSE, Role.ADJ_CLOSE)),
    words="the columns of daily rows of stocks (Date, Close, a Symbol where a file has several stocks, and others)",
    without={Role.DATE: "rows without dates cannot be split by date"},
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Roles of the columns of a sheet.

    `places`: role -> index of its column; `ignored`: heading of a column that is left aside -> why.
    """

    places: Mapping[Role, int]
    ignored: Mapping[str, str]


def is_known(name: str) -> bool:
    return bare(name) in RANKS


def count_known(names: Sequence[str]) -> int:
    """Count the different columns of daily bars that `names` seems to name."""
    return len({RANKS[bare(heading.name)][0][0] for heading in split_prefixes(names) if is_known(heading.name)})


def split_prefixes(names: Sequence[str]) -> tuple[Heading, ...]:
    """Convert names to headings; split off a symbol, as in `SPY.Open`, if at least four names share the prefix."""
    parts = [name.strip().rpartition(".") for name in names]
    prefixed = [
        bool(prefix) and bare(prefix) not in _NO_TICKERS and is_known(field) and not is_known(name)
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
    """Return the symbols whose columns the header names, each once, in its order."""
    named = (heading.symbol for heading in headings if is_known(heading.name))
    return tuple(dict.fromkeys(symbol for symbol in named if symbol is not None))


def find_columns(
    headings: Sequence[Heading],
    source: str,
    *,
    symbol: str | None,
    told: Mapping[Role, str] | None = None,
    traded: str | None = None,
    vocabulary: Vocabulary = BARS,
) -> Columns:
    """Assign the columns of a sheet to their roles.

    If columns belong to symbols, only those of `symbol` count. `told`: role -> heading chosen by the user, "" for none.
    `traded`: the file's name of the instrument, to tell `Volume BTC` from `Volume ETH`.

    Raises BadInput that names every column that is missing or ambiguous.
    """
    told = told or {}
    ignored: dict[str, str] = {}
    own = [place for place, heading in enumerate(headings) if heading.symbol is None or heading.symbol == symbol]
    ignored |= {str(headings[place]): "belongs to another symbol" for place in set(range(len(headings))) - set(own)}
    places = _told_places(headings, own, source, told, vocabulary)
    claims: dict[Role, dict[int, list[int]]] = {}
    for place in own:
        if place in places.values():
            continue
        for role, rank in vocabulary.ranks.get(bare(headings[place].name), []):
            claims.setdefault(role, {}).setdefault(rank, []).append(place)
    _resolve_time(claims)
    _resolve_volumes(claims, headings, [place for place in own if place not in places.values()], traded)
    faults = []
    for role, ranks in claims.items():
        others = [place for rank, found in ranks.items() if rank != min(ranks) for place in found]
        if role in told:
            why = f"{role} is {f'taken from {told[role]!r}' if told[role] else 'left out'}, as told"
            ignored |= {str(headings[place]): why for place in (*ranks[min(ranks)], *others)}
            continue
        best = ranks[min(ranks)]
        if len(best) > 1 and role not in (Role.SYMBOL, Role.TIME):
            titles = ", ".join(repr(headings[place].name) for place in best)
            faults.append(
                f"{role} stands {len(best)} times: {titles}; say which with --column {_option(role, headings[best[0]])}"
            )
        places[role] = best[0]
        ignored |= {str(headings[place]): f"{role} is taken from {headings[best[0]].name!r}" for place in others}
    if Role.DATE not in places and headings and _UNNAMED.fullmatch(headings[0].name.strip().lower()):
        places[Role.DATE] = 0
    missing = [roles[0] for roles in vocabulary.needed if not any(role in places for role in roles)]
    faults += [_missing(role, vocabulary) for role in missing]
    if faults:
        raise BadInput(_lacking(headings, source, next(iter(missing), None), vocabulary), faults)
    for place, heading in enumerate(headings):
        if place not in places.values() and str(heading) not in ignored:
            unnamed = _UNNAMED.fullmatch(heading.name.strip().lower())
            ignored[str(heading) or f"column {place + 1}"] = "the index" if unnamed and place == 0 else NOT_OF_THE_BARS
    return Columns(places=places, ignored=ignored)


def _option(role: Role, heading: Heading) -> str:
    text = f"{role}={heading.name}"
    return text if re.fullmatch(r"[A-Za-z0-9_.=-]+", text) else f"'{text}'"


def _missing(role: Role, vocabulary: Vocabulary) -> str:
    more = f": {vocabulary.without[role]}" if role in vocabulary.without else ""
    return f"{role} is missing{more}"


def _lacking(headings: Sequence[Heading], source: str, missing: Role | None, vocabulary: Vocabulary) -> str:
    titles = ", ".join(str(heading) or "(no name)" for heading in headings[:_TITLES_SHOWN])
    titles += f" and {len(headings) - _TITLES_SHOWN} more" if len(headings) > _TITLES_SHOWN else ""
    if missing is None:
        return f"{source} does not say which of its columns are the bars; it has {titles}:"
    way = f"; where it is there under another name, say --column {missing}=NAME"
    return f"{source} lacks {vocabulary.words}; it has {titles}{way}:"


def _told_places(
    headings: Sequence[Heading], own: Sequence[int], source: str, told: Mapping[Role, str], vocabulary: Vocabulary
) -> dict[Role, int]:
    """Find the columns that the user chose. Raises BadInput for a heading that does not exist or is ambiguous."""
    places: dict[Role, int] = {}
    for role, name in told.items():
        if not name:
            if not vocabulary.may_be_left_out(role):
                raise BadInput(f"--column {role}=: every file of daily bars needs it; name the column it is in")
            continue
        same = [place for place in own if headings[place].name == name] or [
            place for place in own if headings[place].name.casefold() == name.strip().casefold()
        ]
        same = same or [place for place in own if bare(name) and bare(headings[place].name) == bare(name)]
        if len(same) != 1:
            titles = ", ".join(repr(headings[place].name) for place in own[:_TITLES_SHOWN])
            found = "no column of that name" if not same else f"{len(same)} columns of that name"
            raise BadInput(f"--column {role}={name}: {source} has {found}; it has {titles}")
        if same[0] in places.values():
            other = next(known for known, place in places.items() if place == same[0])
            raise BadInput(f"--column {role}={name}: another --column assigns that column to {other}")
        places[role] = same[0]
    return places


def _resolve_time(claims: dict[Role, dict[int, list[int]]]) -> None:
    """Decide the role of a column `time`: it is the date if there is no other one, else the time of day."""
    dates, times = claims.get(Role.DATE, {}), claims.get(Role.TIME, {})
    shared = {place for places in dates.values() for place in places}.intersection(*times.values() or [()])
    if not shared:
        return
    if min(dates) == _TIME_AS_DATE:
        del claims[Role.TIME]
    else:
        del dates[_TIME_AS_DATE]


def _resolve_volumes(
    claims: dict[Role, dict[int, list[int]]], headings: Sequence[Heading], free: Sequence[int], traded: str | None
) -> None:
    """Choose among volumes in several units the one in units of the traded instrument: `Volume BTC` before `Volume
    USDT`."""
    units = {place: unit for place in free if (unit := volume_unit(headings[place].name)) is not None}
    volumes = claims.setdefault(Role.VOLUME, {})
    for rank in list(volumes):
        volumes[rank] = [place for place in volumes[rank] if place not in units]
        if not volumes[rank]:
            del volumes[rank]
    if units:
        first = [place for place, unit in units.items() if traded and traded.lower().startswith(unit)]
        coins = [place for place, unit in units.items() if unit not in MONEY]
        chosen = first if len(first) == 1 else coins or list(units)
        volumes.setdefault(0, chosen)
        others = [place for place in units if place not in volumes[0]]
        if others:
            volumes[len(NAMES[Role.VOLUME])] = others
    if not volumes:
        del claims[Role.VOLUME]
