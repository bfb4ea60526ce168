"""Build clean bars from a sheet, and the account of how they were made. Writes no file."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.data.bars import Bars, bar_faults
from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, MissingVolume
from tsladder.ingest.clocks import clock_seconds
from tsladder.ingest.dates import Stamps, read_days
from tsladder.ingest.headers import PER_SYMBOL, Columns
from tsladder.ingest.inspection import inspect_bars
from tsladder.ingest.names import Role
from tsladder.ingest.numbers import read_numbers
from tsladder.ingest.record import Account
from tsladder.ingest.repairs import (
    Repair,
    Values,
    merged,
    missing_volume_repair,
    require_volume,
    sound_rows,
    widen_range,
    without_volume,
)
from tsladder.ingest.rows import Arranged, arrange, choose_symbol, drop_summary
from tsladder.ingest.schema import schema_faults
from tsladder.ingest.sheet import Fault, Sheet
from tsladder.ingest.volumes import possible_volume, traded_volume, without_crsp_signs
from tsladder.ingest.zones import ExchangeDays, settle_days

if TYPE_CHECKING:
    import pandas as pd

_READ = (*PER_SYMBOL, Role.TICK_VOLUME)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CleanBars:
    frame: pd.DataFrame
    account: Account


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Read:
    """Rows of a sheet with their days and numbers, some of which were repaired or left out on the way."""

    sheet: Sheet
    days_R: NDArray[np.datetime64]
    times: tuple[str, ...]
    values: Values
    repairs: tuple[Repair, ...]

    def keep(self, kept_R: NDArray[np.bool_], repairs: Sequence[Repair]) -> _Read:
        """Leave out the rows that are False in `kept_R`; `repairs` records them."""
        if kept_R.all():
            return self
        return _Read(
            sheet=self.sheet.keep(kept_R, repairs[0].words if repairs else "left out"),
            days_R=self.days_R[kept_R],
            times=tuple(itertools.compress(self.times, kept_R.tolist())),
            values={role: column[kept_R] for role, column in self.values.items()},
            repairs=(*self.repairs, *repairs),
        )


def clean_bars(sheet: Sheet, symbol: str, choices: Choices, *, today: datetime.date) -> CleanBars:
    """Build the bars of `sheet` as they are to be stored: Date, Open, High, Low, Close, and Volume and Adj Close if the
    sheet has them.

    Raises BadInput that names every reason for which a row is not a valid bar.
    """
    rows_read = len(sheet.rows_R) + sum(len(dropped.rows) for dropped in sheet.dropped)
    sheet, columns = choose_symbol(sheet, choices)
    sheet = drop_summary(sheet, columns)
    _refuse_nothing(sheet, symbol)
    stamps, settled, sheet, repairs = _settled_days(sheet, columns, choices, today)
    read, notes, decimal, left_aside = _numbers(sheet, columns, stamps, settled, choices, repairs)
    arranged, bars, frame, read = _laws(read, symbol, choices, today)
    rows_T, dates_T = read.sheet.rows_R[arranged.places], read.days_R[arranged.places]
    origin = _origin(sheet, columns, read.values)
    account = Account(
        source=sheet.source,
        symbol=symbol,
        form=sheet.form,
        date_notation=stamps.notation,
        decimal=decimal,
        zone=settled.zone,
        days=None if settled.shift is None else str(settled.shift),
        rows_read=rows_read,
        rows_kept=len(frame),
        first_day=str(dates_T[0]),
        last_day=str(dates_T[-1]),
        columns=origin,
        ignored=_ignored(sheet, columns, origin, left_aside),
        dropped=(*read.sheet.dropped, *arranged.dropped),
        notes=(*sheet.notes, *stamps.notes, *settled.notes, *notes, *arranged.notes),
        repairs=merged(read.repairs),
        inspection=inspect_bars(bars, read.values.get(Role.ADJ_CLOSE, np.empty(0))[arranged.places]
                                if Role.ADJ_CLOSE in read.values else None, rows_T, sheet.source),
    )  # fmt: skip
    return CleanBars(frame=frame, account=account)


def _refuse_nothing(sheet: Sheet, symbol: str) -> None:
    if len(sheet.rows_R) == 0:
        raise BadInput(f"{sheet.source} holds no rows below its header: daily bars of {symbol} are needed")


def _settled_days(
    sheet: Sheet, columns: Columns, choices: Choices, today: datetime.date
) -> tuple[Stamps, ExchangeDays, Sheet, tuple[Repair, ...]]:
    """Determine the days of the exchange, and keep the rows from `choices.first_day` to `last_day` whose day can be
    read."""
    stamps = read_days(sheet.columns[columns.places[Role.DATE]], sheet.source, choices, today=today)
    if Role.TIME in columns.places:
        stamps = _with_times(stamps, sheet, columns.places[Role.TIME])
    settled = settle_days(stamps, sheet.rows_R, sheet.source, choices)
    within_R = _within(settled.days_R, choices)
    outside = int((~within_R).sum())
    faults = [fault for fault in (*sheet.faults, *stamps.faults) if within_R[fault[0]]]
    sound_R, repairs = sound_rows(sheet, faults, settled.days_R, choices)
    kept_R = within_R & sound_R
    if outside:
        sheet_within = sheet.keep(within_R, "outside --from and --to")
        if len(sheet_within.rows_R) == 0:
            known = settled.days_R[~np.isnat(settled.days_R)]
            raise BadInput(
                f"{sheet.source} has no row between --from {choices.first_day or '(open)'} and --to "
                f"{choices.last_day or '(open)'}: its days run from {known.min()} to {known.max()}"
            )
        sheet = sheet_within.keep(sound_R[within_R], repairs[0].words if repairs else "")
    else:
        sheet = sheet.keep(sound_R, repairs[0].words if repairs else "")
    if kept_R.all():
        return stamps, settled, sheet, repairs
    times = tuple(itertools.compress(stamps.times, kept_R.tolist()))
    return replace(stamps, times=times), replace(settled, days_R=settled.days_R[kept_R]), sheet, repairs


def _with_times(stamps: Stamps, sheet: Sheet, place: int) -> Stamps:
    """Add the times of the day that stand in a column of their own."""
    column = sheet.columns[place]
    times = tuple(
        column if isinstance(column, list) else (f"{value:.0f}" if value == value else "" for value in column)
    )
    clock_texts = times if any(map(str.strip, times)) else stamps.times
    return replace(stamps, times=clock_texts, clock_R=clock_seconds(clock_texts))


def _within(days_R: NDArray[np.datetime64], choices: Choices) -> NDArray[np.bool_]:
    """Mark the rows from `choices.first_day` to `last_day`. Rows whose day is unknown are kept, to be reported as
    faults."""
    within_R = np.ones(len(days_R), dtype=np.bool_)
    if choices.first_day is not None:
        within_R &= ~(days_R < np.datetime64(choices.first_day))
    if choices.last_day is not None:
        within_R &= ~(days_R > np.datetime64(choices.last_day))
    return within_R


def _numbers(
    sheet: Sheet,
    columns: Columns,
    stamps: Stamps,
    settled: ExchangeDays,
    choices: Choices,
    repairs: tuple[Repair, ...],
) -> tuple[_Read, tuple[str, ...], str | None, dict[str, str]]:
    """Read the numbers of the rows and leave out faulty rows.

    Returns the rows, the notes, the decimal mark, and the columns that were left aside because of their content, with
    the reason.
    """
    written = {role: sheet.columns[columns.places[role]] for role in _READ if role in columns.places}
    numbers = read_numbers(written, sheet.source, decimal=choices.decimal)
    read = _Read(sheet=sheet, days_R=settled.days_R, times=stamps.times, values=dict(numbers.values), repairs=repairs)
    kept_R, dropped = sound_rows(sheet, numbers.faults, settled.days_R, choices)
    read = read.keep(kept_R, dropped)
    values, sign_note = without_crsp_signs(read.sheet, str(sheet.headings[columns.places[Role.CLOSE]]), read.values)
    values, why_not, volume_note = traded_volume(values)
    left_aside = {}
    if why_not is not None:
        left_aside[str(sheet.headings[columns.places[Role.VOLUME]])] = why_not
    if Role.ADJ_CLOSE in values and np.isnan(values[Role.ADJ_CLOSE]).all():
        del values[Role.ADJ_CLOSE]
        left_aside[str(sheet.headings[columns.places[Role.ADJ_CLOSE]])] = "holds no value"
    require_volume(choices, sheet.source, values)
    read = replace(read, values=values)
    read = _volume_filled(read, choices.missing_volume)
    if choices.repair_range:
        widened, widening = widen_range(read.sheet, read.days_R, read.values)
        read = replace(read, values=widened, repairs=(*read.repairs, *widening))
    if Role.VOLUME not in values and Role.VOLUME not in columns.places and Role.VOLUME not in choices.columns:
        volume_note = possible_volume(columns)
    notes = tuple(note for note in (sign_note, volume_note) if note is not None)
    return read, (*numbers.notes, *notes), numbers.decimal, left_aside


def _volume_filled(read: _Read, choice: MissingVolume | None) -> _Read:
    places = without_volume(read.values)
    if choice is None or len(places) == 0:
        return read
    repair = missing_volume_repair(read.sheet, read.days_R, places, choice)
    if choice is MissingVolume.DROP:
        kept_R = np.ones(len(read.days_R), dtype=np.bool_)
        kept_R[places] = False
        return read.keep(kept_R, (repair,))
    volume_R = read.values[Role.VOLUME].copy()
    volume_R[places] = 0.0
    return replace(read, values={**read.values, Role.VOLUME: volume_R}, repairs=(*read.repairs, repair))


def _laws(
    read: _Read, symbol: str, choices: Choices, today: datetime.date
) -> tuple[Arranged, Bars, pd.DataFrame, _Read]:
    """Arrange the rows in time order, one row per day, so that they satisfy all constraints on bars.

    A row that violates a constraint is left out, or BadInput is raised, as `choices` say.
    """
    while True:
        _refuse_nothing(read.sheet, symbol)
        arranged = arrange(read.sheet, read.days_R, read.times, read.values)
        faults: list[Fault] = list(arranged.faults)
        dates_T = read.days_R[arranged.places]
        values = {role: column[arranged.places] for role, column in read.values.items()}
        bars, frame = _bars(symbol, dates_T, values), _frame(dates_T, values)
        if not faults:
            faults = [(int(arranged.places[row]), words) for row, words in _broken(bars, frame, today)]
        if not faults:
            return arranged, bars, frame, read
        kept_R, dropped = sound_rows(read.sheet, faults, read.days_R, choices)
        read = read.keep(kept_R, dropped)


def _broken(bars: Bars, frame: pd.DataFrame, today: datetime.date) -> list[Fault]:
    faults = schema_faults(frame, today=today)
    named = {row for row, _ in faults}
    # The last word: what is stored must be what `read_bars` takes.
    return faults + [fault for fault in bar_faults(bars) if fault[0] not in named]


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


def _title(sheet: Sheet, place: int) -> str:
    return str(sheet.headings[place]) or f"column {place + 1}"


def _origin(sheet: Sheet, columns: Columns, values: Mapping[Role, NDArray[np.float64]]) -> dict[str, str]:
    """Map each stored column to the heading that it was taken from."""
    places = {role: place for role, place in columns.places.items() if role is Role.DATE or role in values}
    if Role.VOLUME in values and Role.TICK_VOLUME in columns.places:
        volume = columns.places.get(Role.VOLUME)
        real = None if volume is None else sheet.columns[volume]
        if real is None or _is_nothing(real):
            places[Role.VOLUME] = columns.places[Role.TICK_VOLUME]
    return {str(role): _title(sheet, places[role]) for role in Role if role in places}


def _is_nothing(column: Sequence[str] | NDArray[np.float64]) -> bool:
    """Check whether a volume is empty or 0 throughout."""
    if isinstance(column, np.ndarray):
        return not bool((np.nan_to_num(column) > 0).any())
    return not any(set(cell) & set("123456789") for cell in column)


def _ignored(
    sheet: Sheet, columns: Columns, origin: Mapping[str, str], left_aside: Mapping[str, str]
) -> dict[str, str]:
    used = {Role.TIME: "the time of day", Role.SYMBOL: "names the symbol"}
    ignored = dict(columns.ignored)
    ignored |= {str(sheet.headings[columns.places[role]]): why for role, why in used.items() if role in columns.places}
    if Role.TICK_VOLUME in columns.places:
        title = _title(sheet, columns.places[Role.TICK_VOLUME])
        if origin.get("Volume") != title:
            taken = f"Volume is taken from {origin['Volume']!r}" if "Volume" in origin else "holds no volume"
            ignored[title] = taken
    return ignored | dict(left_aside)
