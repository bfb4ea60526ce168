"""From a sheet to clean bars and the account of how they came about. Nothing is written here."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.dates import DateOrder, Days, read_days
from tsladder.ingest.headers import PER_SYMBOL, Columns, Role
from tsladder.ingest.inspection import inspect_bars
from tsladder.ingest.numbers import Decimal, Numbers, read_numbers
from tsladder.ingest.record import Account
from tsladder.ingest.rows import arrange, choose_symbol, drop_summary
from tsladder.ingest.schema import schema_faults
from tsladder.ingest.sheet import Fault, Sheet, refusal
from tsladder.market.bars import Bars, bar_faults

if TYPE_CHECKING:
    import pandas as pd

_LATE_HOUR = 18


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the user says of a file where it does not say so itself; None: it has to."""

    only_symbol: str | None = None
    date_order: DateOrder | None = None
    decimal: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CleanBars:
    frame: pd.DataFrame
    account: Account


def clean_bars(sheet: Sheet, symbol: str, reading: Reading, *, today: datetime.date) -> CleanBars:
    """The bars of `sheet` as they are to be stored: Date, Open, High, Low, Close, and Volume and Adj Close where there
    are. Raises BadInput that names every row that cannot be one, and why."""
    rows_read = len(sheet.rows_R) + sum(len(dropped.rows) for dropped in sheet.dropped)
    sheet, columns = choose_symbol(sheet, reading.only_symbol)
    sheet = drop_summary(sheet, columns)
    if len(sheet.rows_R) == 0:
        raise BadInput(f"{sheet.source} holds no rows below its header: daily bars of {symbol} are needed")
    days, numbers = _read(sheet, columns, reading)
    values, emptied = _without_empty_columns(numbers.values)
    arranged = arrange(sheet, days.days_R, days.times, values)
    rows_T, dates_T = sheet.rows_R[arranged.places], days.days_R[arranged.places]
    values = {role: column[arranged.places] for role, column in values.items()}
    bars, frame = _bars(symbol, dates_T, values), _frame(dates_T, values)
    _check(sheet, arranged.places, days.days_R, bars, frame, today=today)
    adjusted_T = values.get(Role.ADJ_CLOSE)
    account = Account(
        source=sheet.source,
        symbol=symbol,
        form=sheet.form,
        date_notation=days.notation,
        decimal=numbers.decimal,
        rows_read=rows_read,
        rows_kept=len(frame),
        first_day=str(dates_T[0]),
        last_day=str(dates_T[-1]),
        columns={
            str(role): str(sheet.headings[place]) or f"column {place + 1}"
            for role, place in sorted(columns.places.items(), key=lambda item: list(Role).index(item[0]))
            if role is Role.DATE or role in values
        },
        ignored=_ignored(sheet, columns, emptied),
        dropped=(*sheet.dropped, *arranged.dropped),
        notes=(*_clock_notes(days), *numbers.notes, *arranged.notes),
        inspection=inspect_bars(bars, adjusted_T, rows_T, sheet.source),
    )
    return CleanBars(frame=frame, account=account)


def _read(sheet: Sheet, columns: Columns, reading: Reading) -> tuple[Days, Numbers]:
    days = read_days(sheet.columns[columns.places[Role.DATE]], sheet.source, order=reading.date_order)
    if Role.TIME in columns.places:
        column = sheet.columns[columns.places[Role.TIME]]
        times = tuple(column if isinstance(column, list) else map(str, column.tolist()))
        days = Days(days_R=days.days_R, times=times, zones=days.zones, notation=days.notation, faults=days.faults)
    written = {role: sheet.columns[columns.places[role]] for role in PER_SYMBOL if role in columns.places}
    numbers = read_numbers(written, sheet.source, decimal=reading.decimal)
    faults: list[Fault] = [*days.faults, *numbers.faults]
    if faults:
        raise refusal(sheet, faults, days.days_R)
    return days, numbers


def _without_empty_columns(
    values: Mapping[Role, NDArray[np.float64]],
) -> tuple[dict[Role, NDArray[np.float64]], tuple[Role, ...]]:
    """An index has no volume, and some exports give it an empty column."""
    emptied = tuple(role for role in (Role.VOLUME, Role.ADJ_CLOSE) if role in values and np.isnan(values[role]).all())
    return {role: column for role, column in values.items() if role not in emptied}, emptied


def _bars(symbol: str, dates_T: NDArray[np.datetime64], values: Mapping[Role, NDArray[np.float64]]) -> Bars:
    return Bars(
        symbol=symbol,
        dates_T=dates_T,
        open_T=values[Role.OPEN],
        high_T=values[Role.HIGH],
        low_T=values[Role.LOW],
        close_T=values[Role.CLOSE],
        volume_T=values.get(Role.VOLUME, np.full(len(dates_T), np.nan)),
    )


def _frame(dates_T: NDArray[np.datetime64], values: Mapping[Role, NDArray[np.float64]]) -> pd.DataFrame:
    import pandas as pd

    columns = {str(role): values[role] for role in PER_SYMBOL if role in values}
    return pd.DataFrame({"Date": dates_T.astype("datetime64[ms]"), **columns})


def _check(
    sheet: Sheet,
    places: NDArray[np.int64],
    days_R: NDArray[np.datetime64],
    bars: Bars,
    frame: pd.DataFrame,
    *,
    today: datetime.date,
) -> None:
    faults = schema_faults(frame, today=today)
    named = {row for row, _ in faults}
    # The last word: what is stored must be what `read_bars` takes.
    faults += [fault for fault in bar_faults(bars) if fault[0] not in named]
    if faults:
        raise refusal(sheet, [(int(places[row]), words) for row, words in faults], days_R)


def _ignored(sheet: Sheet, columns: Columns, emptied: tuple[Role, ...]) -> dict[str, str]:
    used = {Role.TIME: "the time of day", Role.SYMBOL: "names the symbol"}
    ignored = dict(columns.ignored)
    ignored |= {str(sheet.headings[columns.places[role]]): why for role, why in used.items() if role in columns.places}
    ignored |= {str(sheet.headings[columns.places[role]]): "holds no value" for role in emptied}
    return ignored


def _clock_notes(days: Days) -> tuple[str, ...]:
    if not days.zones:
        return ()
    zones = ", ".join(days.zones[:3]) + (", ..." if len(days.zones) > 3 else "")
    notes = [f"times carry the zone {zones}: a day is the one that is written, the local one"]
    hours = {time.partition(":")[0] for time in days.times if ":" in time}
    if days.zones in (("Z",), ("UTC",), ("+00:00",)) and hours and min(map(int, hours)) >= _LATE_HOUR:
        notes.append(
            f"every time is {min(hours)}:00 UTC or later: if that is midnight at the exchange, days are one early"
        )
    return tuple(notes)
