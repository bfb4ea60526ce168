"""Symbols of stocks: text, exactly as in the file. A code that was read as a number has lost its leading zeros."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from tsladder.errors import BadInput
from tsladder.ingest.names import bare
from tsladder.ingest.sheet import Sheet, is_missing

# Identifiers that their vendors define as whole numbers, without leading zeros.
_NUMBERS = frozenset(("permno", "secid", "sid"))
_POINTED = re.compile(r"[0-9]+\.0")
LOST = "codes such as 0050 lose their leading zeros as numbers; give the column as text"


def refuse_numbers(sheet: Sheet, place: int) -> None:
    """Raise BadInput for a column of codes that holds numbers, or text that was written from numbers."""
    name = sheet.headings[place].name
    if bare(name) in _NUMBERS:
        return
    column = sheet.columns[place]
    if isinstance(column, np.ndarray):
        raise BadInput(f"{sheet.source}: {name} must hold text, got numbers ({_first(column)}): {LOST} (str in pandas)")
    if name in sheet.number_columns:
        raise BadInput(
            f"{sheet.source}: {name} must hold text, got numbers in the workbook: {LOST} (format the cells as text)"
        )
    codes = [cell for cell in set(column) if not is_missing(cell)]
    if codes and all(map(_POINTED.fullmatch, codes)):
        raise BadInput(
            f"{sheet.source}: {name} was a number when the file was written ({min(codes)}): {LOST} before writing it"
        )


def _first(column: np.ndarray) -> str:
    known = column[~np.isnan(column)]
    return f"{known[0]:.15g}" if len(known) else "none"


def symbols_in(sheet: Sheet, place: int) -> list[str]:
    """Return the symbol of each row, "" for an empty cell."""
    column = sheet.columns[place]
    if isinstance(column, np.ndarray):
        return [f"{value:.0f}" if value == value else "" for value in column.tolist()]
    pointed = bare(sheet.headings[place].name) in _NUMBERS
    meant = {cell: "" if cell == "" else cell.removesuffix(".0") if pointed else cell for cell in set(column)}
    return [meant[cell] for cell in column]


def uneven_codes(symbols: Collection[str]) -> str | None:
    """Return a note on codes of digits that differ in length, as leading zeros may be lost; None if there is none."""
    digits = [symbol for symbol in symbols if symbol.isdigit()]
    lengths = {len(symbol) for symbol in digits}
    if len(digits) < len(symbols) or len(lengths) < 2:
        return None
    short = min(digits, key=lambda symbol: (len(symbol), symbol))
    return (
        f"codes have {min(lengths)} to {max(lengths)} digits ({short}, ...): did some lose zeros before they got here?"
    )
