"""Probe `truncated_future`: a feature's value on a day does not change when the days after it are removed.

The stored table is compared with features recomputed from bars that end on each of several days, on every day up to
there and in every column, raw prices included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of, rounded
from tsladder.audit.subject import Subject
from tsladder.data.bars import Bars, bars_until
from tsladder.data.features import FeatureTable
from tsladder.errors import BadInput
from tsladder.vocabulary import Region

TOLERANCE = 1e-9
"""Largest change that counts as rounding, in standard deviations of the column: finer than the precision of 32-bit
inputs."""

_RAW = ("open", "high", "low", "close")
_DAYS_OF_A_WEEK = 5
_RANDOM_CUTS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Differences between stored and recomputed features. `largest`: the largest change of each column, in standard
    deviations. `faults`: what could not be compared at all."""

    cuts: int
    largest: Mapping[str, float]
    faults: Sequence[str]

    @property
    def changed(self) -> list[str]:
        """Columns that know the future, worst first."""
        columns = [name for name, change in self.largest.items() if not change <= TOLERANCE]
        return sorted(columns, key=lambda name: (-self.largest[name], name))


def truncated_future(subject: Subject) -> Finding:
    compared = _every_symbol(subject)
    worst = max(compared.largest.values(), default=0.0)
    columns = len(subject.table.columns)
    needs = None
    if compared.faults:
        words = f"Features could not be made again from shorter bars: {listed(list(compared.faults), 1)}."
    elif compared.changed:
        words = (
            f"{listed(compared.changed)} changed, by up to {worst:.2g} standard deviations, when the days after were "
            "cut off: such a feature knows the future."
        )
    elif compared.cuts == 0:
        words = "There was no day after which to cut the bars off."
        needs = f"features of two days at least; this study has {len(subject.table.dates_T)}"
    else:
        words = (
            f"All {columns} features kept every value when the bars were cut off after each of {compared.cuts} days."
        )
    numbers = {
        "columns": columns,
        "cuts": compared.cuts,
        "columns_changed": len(compared.changed),
        "largest_change_sd": rounded(worst),
        "tolerance_sd": TOLERANCE,
    }
    leak = bool(compared.faults or compared.changed)
    return Finding(
        name="truncated_future",
        outcome=outcome_of(leak=leak, inconclusive=compared.cuts == 0),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def _every_symbol(subject: Subject) -> Comparison:
    """Return the comparison over all symbols, with the largest change of each column on any of them."""
    tables = subject.table.by_symbol()
    found = [
        compare_truncated(bars, table, subject.pipeline.features, cut_rows(subject, table))
        for bars, table in zip((subject.bars, *subject.further_bars), tables, strict=True)
    ]
    return Comparison(
        cuts=sum(one.cuts for one in found),
        largest={name: max(one.largest[name] for one in found) for name in found[0].largest},
        faults=[
            fault if len(tables) == 1 else f"{table.symbol}: {fault}"
            for one, table in zip(found, tables, strict=True)
            for fault in one.faults
        ],
    )


def compare_truncated(
    bars: Bars, table: FeatureTable, features: Callable[[Bars], FeatureTable], rows: Sequence[int]
) -> Comparison:
    """Compare `table` with what `features` computes from `bars` that end on each of its `rows`."""
    stored_TX = _with_raw(table)
    spread_X = stored_TX.std(axis=0)
    spread_X[spread_X == 0.0] = 1.0
    largest_X = np.zeros(stored_TX.shape[1])
    faults: list[str] = []
    for row in rows:
        day = table.dates_T[row]
        try:
            again = features(bars_until(bars, day))
        except BadInput as refusal:
            faults.append(f"bars until {day} were refused ({refusal.headline})")
            continue
        if again.names != table.names or not np.array_equal(again.dates_T, table.dates_T[: row + 1]):
            faults.append(f"bars until {day} give other columns or days")
            continue
        change_X = np.abs(_with_raw(again) - stored_TX[: row + 1]).max(axis=0) / spread_X
        largest_X = np.maximum(largest_X, np.where(np.isnan(change_X), np.inf, change_X))
    names = (*table.names, *(f"raw {name}" for name in _RAW))
    return Comparison(cuts=len(rows), largest=dict(zip(names, largest_X.tolist(), strict=True)), faults=faults)


def cut_rows(subject: Subject, table: FeatureTable) -> list[int]:
    """Return the rows of `table`, which holds one symbol, after which to truncate: the days on which regions end, every
    day of two weeks (for weekly features), the last day, and some random days."""
    days = len(table.dates_T)
    rows = {days - 1}
    for horizon in subject.horizons:
        for region in Region:
            segments = subject.splits(horizon).region(region).segments
            ends = [subject.table.dates_T[segments[place].last] for place in (0, -1) if segments]
            rows.update((np.searchsorted(table.dates_T, ends, side="right") - 1).tolist())
    for middle in (days // 3, 2 * days // 3):
        rows.update(range(middle, middle + _DAYS_OF_A_WEEK))
    rows.update(subject.random("truncation", *_stream(subject, table)).integers(1, days, _RANDOM_CUTS).tolist())
    return sorted(row for row in rows if 0 < row < days)


def _stream(subject: Subject, table: FeatureTable) -> tuple[str, ...]:
    return () if table.symbol == subject.table.symbol else (table.symbol,)


def _with_raw(table: FeatureTable) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    raw = [getattr(table, f"{name}_T") for name in _RAW]
    return np.column_stack([table.values_TF, *raw])
