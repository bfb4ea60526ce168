"""From cells to numbers: what is a decimal mark and what groups the digits is decided over the whole file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.headers import Role
from tsladder.ingest.sheet import Cells, Fault, missing, shown


class Decimal(StrEnum):
    """The mark before the fraction; the other one may group the digits."""

    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Numbers:
    values: Mapping[Role, NDArray[np.float64]]
    decimal: Decimal | None
    """None: nothing in the file is written as text."""
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_THREE_AFTER_POINT = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_SPACES = "\u0020\u00a0\u202f\u2009\u2007'’"
_BLANKS = str.maketrans(dict.fromkeys(_SPACES))
_SIGNS = "$€£¥₹₽₩₺"
_CURRENCY = re.compile(rf"[{_SIGNS}]|\b(?:USD|EUR|GBP|GBX|CHF|JPY|PLN|CAD|AUD|INR|US\$)\b|zł", re.IGNORECASE)
_SUFFIXES = {"k": "e3", "m": "e6", "b": "e9", "bn": "e9", "t": "e12"}
_SUFFIXED = re.compile(r"(.*[0-9.,])(k|m|bn|b|t)", re.IGNORECASE)
_GROUPED = r"[0-9]{1,3}(?:M[0-9]{3})+|[0-9]{1,3}(?:M[0-9]{2})+M[0-9]{3}"  # 1,234,567 and, in India, 12,34,567
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,3})?"
_FORMS = {
    decimal: re.compile(
        rf"(?P<whole>{_GROUPED.replace('M', group)}|[0-9]*)(?:{mark}(?P<fraction>[0-9]*))?(?P<power>{_EXPONENT})"
    )
    for decimal, mark, group in ((Decimal.POINT, r"\.", ","), (Decimal.COMMA, ",", r"\."))
}


def read_numbers(columns: Mapping[Role, Cells], source: str, *, decimal: Decimal | None) -> Numbers:
    """Values by role, NaN where nothing stands. Raises BadInput when the decimal mark cannot be told."""
    written = {role: column for role, column in columns.items() if isinstance(column, list)}
    values = {role: column for role, column in columns.items() if not isinstance(column, list)}
    if not written:
        return Numbers(values=values, decimal=None, faults=(), notes=())
    absent = {role: missing(column) for role, column in written.items()}
    plain = decimal is not Decimal.COMMA and all(
        gone or _PLAIN.fullmatch(cell)
        for role, column in written.items()
        for cell, gone in zip(column, absent[role].tolist(), strict=True)
    )
    faults: list[Fault] = []
    if plain:
        mark = Decimal.POINT
        for role, column in written.items():
            gone = absent[role].tolist()
            values[role] = np.array(
                [np.nan if no else float(cell) for cell, no in zip(column, gone, strict=True)], dtype=np.float64
            )
    else:
        bare = {role: [_bare(cell) for cell in column] for role, column in written.items()}
        mark = decimal or _decide(bare, source)
        for role, column in written.items():
            values[role] = np.full(len(column), np.nan)
            for place, cell in enumerate(column):
                if absent[role][place]:
                    continue
                number = _number(bare[role][place], mark, shortened=role is Role.VOLUME)
                if number is None:
                    faults.append((place, f"{role} is {shown(cell)}, not a number{_why_not(cell, mark)}"))
                else:
                    values[role][place] = number
    notes = _thousandths(written, absent) if decimal is None and mark is Decimal.POINT else ()
    return Numbers(values=values, decimal=mark, faults=tuple(faults), notes=notes)


def _bare(cell: str) -> str:
    """Without currency, blanks and apostrophes that group digits; a minus sign is `-`, brackets are one."""
    text = _CURRENCY.sub("", cell).strip(_SPACES).replace("−", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if re.search(rf"[0-9][{_SPACES}](?![0-9]{{3}}(?![0-9]))", text):
        return text
    return text.translate(_BLANKS)


def _decide(bare: Mapping[Role, list[str]], source: str) -> Decimal:
    votes = {Decimal.POINT: 0, Decimal.COMMA: 0}
    doubtful: list[str] = []
    for column in bare.values():
        for cell in column:
            vote = _vote(cell)
            if vote is not None:
                votes[vote] += 1
            if vote is not None or re.fullmatch(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", cell):
                doubtful.append(cell)
    if votes[Decimal.POINT] != votes[Decimal.COMMA]:
        return max(votes, key=lambda mark: votes[mark])
    if not doubtful:
        return Decimal.POINT
    readings = {mark: _number(doubtful[0], mark, shortened=True) for mark in Decimal}
    faults = [
        f"as a decimal {mark}: {doubtful[0]} is {'no number' if value is None else value} (--decimal {mark})"
        for mark, value in readings.items()
    ]
    raise BadInput(f"{source}: nothing tells whether the comma or the point is the decimal mark; say which:", faults)


def _vote(cell: str) -> Decimal | None:
    """What the marks of one number say by themselves; None for 1,234 and for none at all."""
    points, commas = cell.count("."), cell.count(",")
    if points and commas:
        return Decimal.POINT if cell.rindex(".") > cell.rindex(",") else Decimal.COMMA
    if points + commas == 0:
        return None
    mark, other = (Decimal.POINT, Decimal.COMMA) if points else (Decimal.COMMA, Decimal.POINT)
    if points + commas > 1:
        return other
    before, _, after = cell.lstrip("+-").partition("." if points else ",")
    after_digits = re.match(r"[0-9]*", after)
    grouped = re.fullmatch(r"[1-9][0-9]{0,2}", before) and after_digits is not None and len(after_digits[0]) == 3
    if not grouped:
        return mark
    # A lone point is a decimal one unless something else speaks: programs write it so.
    return None


def _number(text: str, mark: Decimal, *, shortened: bool) -> float | None:
    sign = ""
    if text[:1] in ("+", "-"):
        sign, text = text[0], text[1:]
    power = ""
    if shortened and (suffixed := _SUFFIXED.fullmatch(text)):
        text, power = suffixed[1], _SUFFIXES[suffixed[2].lower()]
    found = _FORMS[mark].fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]) or (power and found["power"]):
        return None
    whole = found["whole"].replace("," if mark is Decimal.POINT else ".", "")
    return float(f"{sign}{whole or '0'}.{found['fraction'] or '0'}{power or found['power']}")


def _why_not(cell: str, mark: Decimal) -> str:
    if re.fullmatch(r"[-+]?[0-9.,]+", cell):
        return f" where the {mark} is the decimal mark, as in most of the file"
    return ""


def _thousandths(written: Mapping[Role, list[str]], absent: Mapping[Role, NDArray[np.bool_]]) -> tuple[str, ...]:
    """A file whose every price has exactly three digits after the point could mean thousands."""
    prices = [
        cell
        for role, column in written.items()
        if role is not Role.VOLUME
        for cell, gone in zip(column, absent[role].tolist(), strict=True)
        if not gone
    ]
    if not prices or not all(map(_THREE_AFTER_POINT.fullmatch, prices)):
        return ()
    seen = f"every price has three digits after the point, like {prices[0]}: read as a fraction"
    return (f"{seen}; where the point groups thousands, say --decimal comma",)
