"""Layouts of files without a header, known because the programs that write them always use the same columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsladder.ingest.dates import looks_like_a_day
from tsladder.ingest.epochs import epoch_unit
from tsladder.ingest.sheet import is_number_like

_ROWS_LOOKED_AT = 200
_SOUND_SHARE = 0.9
_BARS = ("Open", "High", "Low", "Close")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Columns of the files of one program.

    `names`: names of the columns, "" for those that bars do not need; `fits`: check of one row with that many cells.
    """

    program: str
    names: tuple[str, ...]
    fits: Callable[[Sequence[str]], bool]


def _is_clock(cell: str) -> bool:
    return re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", cell) is not None


_LAYOUTS = (
    Layout(
        program="MetaTrader",
        names=("Date", "Time", *_BARS, "Volume"),
        fits=lambda row: re.fullmatch(r"[0-9]{4}\.[0-9]{2}\.[0-9]{2}", row[0]) is not None and _is_clock(row[1]),
    ),
    Layout(
        program="Binance",
        names=("Open time", *_BARS, "Volume", "Close time", "Quote volume", "Trades", "", "", ""),
        fits=lambda row: epoch_unit(row[0]) is not None and epoch_unit(row[6]) is not None,
    ),
    Layout(
        program="Metastock",
        names=("Ticker", "Per", "Date", "Time", *_BARS, "Volume", "Openint"),
        fits=lambda row: row[1].upper() in ("D", "1440", "DAILY") and looks_like_a_day(row[2]),
    ),
    Layout(
        program="TradingView",
        names=("time", *_BARS, "Volume"),
        fits=lambda row: epoch_unit(row[0]) == "seconds",
    ),
    Layout(program="TradingView", names=("time", *_BARS), fits=lambda row: epoch_unit(row[0]) == "seconds"),
)  # fmt: skip


def known_layout(rows: Sequence[Sequence[str]]) -> Layout | None:
    """Return the layout that all `rows` fit and under which Highs and Lows are plausible; None if there is none."""
    looked_at = [[cell.strip() for cell in row] for row in rows[:_ROWS_LOOKED_AT] if any(map(str.strip, row))]
    for layout in _LAYOUTS:
        if looked_at and all(len(row) == len(layout.names) and layout.fits(row) for row in looked_at):
            places = [layout.names.index(name) for name in _BARS]
            if _are_bars([[row[place] for place in places] for row in looked_at]):
                return layout
    return None


def proposed_header(row: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Propose a `--header` for a file without one: Open, High, Low and Close if the numbers allow them, Volume last."""
    cells = [cell.strip() for cell in row]
    first = 1 + next((place for place, cell in enumerate(cells) if looks_like_a_day(cell)), 0)
    names = ["-"] * len(cells)
    names[first - 1] = "Date"
    if first < len(cells) and _is_clock(cells[first]):
        names[first], first = "Time", first + 1
    if len(cells) >= first + 4:
        bars = [[cell.strip() for cell in row[first : first + 4]] for row in rows if len(row) >= first + 4]
        names[first : first + 4] = (
            _BARS if _are_bars(bars) else [f"NAME{place + 1}" for place in range(first, first + 4)]
        )
        if len(cells) > first + 4:
            names[first + 4] = "Volume"
    return ",".join(names)


def _are_bars(rows: Sequence[Sequence[str]]) -> bool:
    """Check whether nearly all rows, read as Open, High, Low, Close, satisfy Low <= Open, Close <= High."""
    sound = 0
    for row in rows:
        if not all(map(is_number_like, row)):
            continue
        try:
            open_, high, low, close = (float(cell.replace(",", ".")) for cell in row)
        except ValueError:
            continue
        sound += low <= min(open_, close) and max(open_, close) <= high
    return bool(rows) and sound >= _SOUND_SHARE * len(rows)
