"""Membership of an index by day, laid on the rows of a panel, and what it tells of stocks that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.panel.joined import Joined

FOREVER = np.datetime64("9999-12-31", "D")
"""Last day of a membership that goes on."""
_NAMED = 1000
_SHOWN = 5
# So many of those that left have to have prices for a panel that holds delisted stocks; tickers change hands and names.
_ENOUGH_OF_THE_LEAVERS = 0.95


@dataclass(frozen=True, kw_only=True, slots=True)
class Spell:
    """Days of a membership, both included."""

    first: np.datetime64
    last: np.datetime64


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """Members of an index by day.

    `spells`: symbol -> its memberships. `known_from`: the first day with members, None for a source that knows every
    day. `sectors`: symbol -> its sector; `sectors_of`: whose these are, in words.
    """

    source: str
    spells: Mapping[str, tuple[Spell, ...]]
    known_from: np.datetime64 | None
    sectors: Mapping[str, str]
    sectors_of: str
    notes: tuple[str, ...] = ()


class MemberSource(Protocol):
    """Source that membership is read from."""

    def between(self, first: np.datetime64, last: np.datetime64) -> Membership:
        """Return the memberships, at least those that reach into these days. Raises BadInput where none is known."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberAccount:
    """Counts of the members on the sessions of a panel, and of their prices.

    `members` are symbols of the source with a membership on one of them, `without_price` those of them that have no
    price then. `never_members` are stocks of the panel that are no member on any. `left`: members whose last membership
    ends before the last session, `left_with_price` those of them with a price then. `member_days`: sessions of all
    members; `priced_days`: those with a price. `before`: sessions before the first that the source tells of.
    `with_sector`: stocks of the panel whose sector is from the source, None where it is from the files or nowhere.
    """

    source: str
    known_from: str | None
    members: int
    without_price: tuple[str, ...]
    never_members: tuple[str, ...]
    left: int
    left_with_price: int
    member_days: int
    priced_days: int
    before: int
    with_sector: int | None
    sectors_of: str
    notes: tuple[str, ...]

    @property
    def holds_the_leavers(self) -> bool:
        """Check whether (nearly) all members that left have prices."""
        return self.left > 0 and self.left_with_price >= _ENOUGH_OF_THE_LEAVERS * self.left

    def bias(self, *, left_early: int) -> tuple[str, ...]:
        """Return a sentence for each way the stocks mislead. `left_early`: stocks without a price on the last day."""
        words = []
        if self.left == 0:
            words.append(f"nobody leaves {self.source} in these days: a list of one day is not that of each day")
        elif not self.holds_the_leavers:
            words.append(
                f"{self.left - self.left_with_price} of {self.left} members that left {self.source} in these days have "
                "no price: those that stayed did better"
            )
        elif self.without_price:
            words.append(f"{len(self.without_price)} of {self.members} members of {self.source} have no price")
        if self.left and not left_early:
            words.append("no stock has its last price before the last day, as delisted ones have")
        if self.with_sector:
            words.append(self.sectors_of)
        return tuple(words)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "known_from": self.known_from,
            "members": self.members,
            "members_without_a_price_count": len(self.without_price),
            "members_without_a_price": list(self.without_price[:_NAMED]),
            "stocks_never_a_member_count": len(self.never_members),
            "stocks_never_a_member": list(self.never_members[:_NAMED]),
            "members_that_left": self.left,
            "members_that_left_with_a_price": self.left_with_price,
            "member_days": self.member_days,
            "member_days_with_a_price": self.priced_days,
            "days_before_the_first_known": self.before,
            "stocks_with_its_sector": self.with_sector,
            "notes": list(self.notes),
        }


def with_members(
    table: Joined, traded_R: NDArray[np.bool_], sessions_T: NDArray[np.datetime64], source: MemberSource
) -> tuple[Joined, MemberAccount]:
    """Fill in `members_R`, and `sectors_R` where `table` has none and the source has. `traded_R`: rows with a price.

    Raises BadInput where the files say who is a member, and where no stock is one.
    """
    if table.members_R is not None:
        raise BadInput("--members: the files have a column of members themselves; leave it out with --column Member=")
    told = source.between(sessions_T[0], sessions_T[-1])
    in_source = _same_symbols(table.symbols_S, told.spells)
    members_R = np.zeros(len(table.days_R), dtype=np.bool_)
    bounds = np.append(np.flatnonzero(table.starts_R), len(table.days_R))
    for stock, symbol in enumerate(table.symbols_S):
        days = table.days_R[bounds[stock] : bounds[stock + 1]]
        for spell in told.spells.get(in_source.get(symbol, ""), ()):
            first, after = np.searchsorted(days, spell.first), np.searchsorted(days, spell.last, side="right")
            members_R[bounds[stock] + first : bounds[stock] + after] = True
    priced_R = members_R & traded_R
    if not priced_R.any():
        raise BadInput(
            f"--members {told.source}: none of {_some(table.symbols_S)} is a member from {sessions_T[0]} to "
            f"{sessions_T[-1]}, where members are {_some(sorted(told.spells))}: the symbols have to be the same"
        )
    priced_S = np.bincount(table.stocks_R[priced_R], minlength=len(table.symbols_S)) > 0
    with_price = {in_source[symbol] for symbol, priced in zip(table.symbols_S, priced_S, strict=True) if priced}
    counts = {symbol: _sessions_of(spells, sessions_T) for symbol, spells in told.spells.items()}
    members = [symbol for symbol, count in counts.items() if count]
    left = [symbol for symbol in members if max(spell.last for spell in told.spells[symbol]) < sessions_T[-1]]
    sectors_R, with_sector = table.sectors_R, None
    if sectors_R is None and told.sectors:
        sectors_S = np.array([told.sectors.get(in_source.get(symbol, ""), "") for symbol in table.symbols_S], object)
        sectors_R, with_sector = sectors_S[table.stocks_R], int((sectors_S != "").sum())
    account = MemberAccount(
        source=told.source,
        known_from=None if told.known_from is None else str(told.known_from),
        members=len(members),
        without_price=tuple(sorted(set(members) - with_price)),
        never_members=tuple(symbol for symbol in table.symbols_S if in_source.get(symbol) not in with_price),
        left=len(left),
        left_with_price=len(with_price.intersection(left)),
        member_days=sum(counts.values()),
        priced_days=int(priced_R.sum()),
        before=0 if told.known_from is None else int((sessions_T < told.known_from).sum()),
        with_sector=with_sector,
        sectors_of=told.sectors_of,
        notes=told.notes,
    )
    return replace(table, members_R=members_R, sectors_R=sectors_R), account


def _sessions_of(spells: Iterable[Spell], sessions_T: NDArray[np.datetime64]) -> int:
    """Count the sessions within the spells, which do not overlap."""
    return sum(
        int(np.searchsorted(sessions_T, spell.last, side="right") - np.searchsorted(sessions_T, spell.first))
        for spell in spells
    )


def _same_symbols(symbols_S: Iterable[str], told: Iterable[str]) -> dict[str, str]:
    """Map each symbol of the panel to that of the source: the same one, or else the only one that differs from it
    in its marks alone, as BRK.B, BRK-B and BRK/B do."""
    exact = set(told)
    plain: dict[str, list[str]] = {}
    for symbol in sorted(exact):
        plain.setdefault(_plain(symbol), []).append(symbol)
    found = {}
    for symbol in symbols_S:
        alike = [symbol] if symbol in exact else plain.get(_plain(symbol), [])
        if len(alike) == 1:
            found[symbol] = alike[0]
    return found


def _plain(symbol: str) -> str:
    return "".join("." if letter in "-/_ " else letter for letter in symbol.upper())


def joined_spells(spells: Iterable[Spell]) -> tuple[Spell, ...]:
    """Merge spells that overlap or touch; return them in order of time."""
    out: list[Spell] = []
    for spell in sorted(spells, key=lambda spell: (spell.first, spell.last)):
        if out and spell.first <= out[-1].last + np.timedelta64(1, "D"):
            out[-1] = replace(out[-1], last=max(out[-1].last, spell.last))
        else:
            out.append(spell)
    return tuple(out)


def spells_of_lists(lists: Mapping[np.datetime64, set[str]]) -> dict[str, tuple[Spell, ...]]:
    """Turn the lists of members into spells. A list holds until the day of the next one, the last one for ever."""
    days = sorted(lists)
    open_since: dict[str, np.datetime64] = {}
    found: dict[str, list[Spell]] = {}
    for day in days:
        for symbol in sorted(set(open_since) - lists[day]):
            spell = Spell(first=open_since.pop(symbol), last=day - np.timedelta64(1, "D"))
            found.setdefault(symbol, []).append(spell)
        for symbol in lists[day] - set(open_since):
            open_since[symbol] = day
    for symbol, since in open_since.items():
        found.setdefault(symbol, []).append(Spell(first=since, last=FOREVER))
    return {symbol: tuple(spells) for symbol, spells in sorted(found.items())}


def _some(symbols: Iterable[str]) -> str:
    names = list(symbols)
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
