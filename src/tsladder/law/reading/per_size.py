"""Rows of one size that are not replicates, such as a sweep of a setting or the checkpoints of a run.

Rows are replicates of a rung only where nothing but chance tells them apart. A further column that differs within a
size (at one amount of data, in one group) may be a setting, and the mean over its values is the loss of no single
configuration: such rows are refused until the user says which of them counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tsladder.errors import BadInput
from tsladder.law.points import size_in_words
from tsladder.law.reading.row import Row

_SHOWN = 3
_ROW_NAMES = re.compile(r"|index|unnamed: ?\d+|id|_?(?:row|run|job|trial)[ _-]?id", re.IGNORECASE)
_LABEL = re.compile("run|rep|trial|seed|init|fold|version|number", re.IGNORECASE)
_REMARKS = frozenset(("comment", "comments", "note", "notes", "remark", "remarks", "description"))


class Take(StrEnum):
    BEST = "best"
    LAST = "last"
    MEAN = "mean"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """A choice among the rows of a size, or of each seed of it: the row of lowest loss, the rows of highest value in
    `column` (None: the only column that differs), or the mean of all."""

    take: Take
    column: str | None = None

    def __str__(self) -> str:
        return self.take if self.column is None else f"{self.take}:{self.column}"


def parse_per_size(text: str) -> tuple[Pick, ...]:
    """Parse "best", "mean", "last:step", or several in turn, "last:step,best". Raises BadInput."""
    picks = []
    for part in text.split(","):
        take, colon, column = (word.strip() for word in part.partition(":"))
        if take not in tuple(Take) or (colon and (take != Take.LAST or not column)):
            raise BadInput(
                f"--per-size must be best, mean or last:COLUMN, or several in turn (last:step,best), got {text!r}"
            )
        picks.append(Pick(take=Take(take), column=column or None))
    return tuple(picks)


def settings_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the further columns that may be a setting: neither remarks nor names of runs.

    A column names runs if its values differ in every row and are not numbers, or if it holds numbers under the heading
    of an index.
    """
    names = dict.fromkeys(name for row in rows for name in row.further)
    found = []
    for name in names:
        values = [row.further[name] for row in rows if name in row.further]
        numeric = all(isinstance(value, float) for value in values)
        is_name = len(set(values)) == len(values) if not numeric else _ROW_NAMES.fullmatch(name) is not None
        if not is_name and name.casefold() not in _REMARKS:
            found.append(name)
    return tuple(found)


def differing(rows: Sequence[Row]) -> dict[str, list[list[Row]]]:
    """Return setting -> the sizes, as lists of rows, within which it has several values."""
    told: dict[str, list[list[Row]]] = {}
    settings = settings_of(rows)
    for same in _sizes(rows):
        for name in settings:
            if len({row.further[name] for row in same if name in row.further}) > 1:
                told.setdefault(name, []).append(same)
    return told


def not_replicates(rows: Sequence[Row], settled: Sequence[str] = ()) -> tuple[list[str], str]:
    """Return a fault for every column that differs within a size, and the ways out; ([], "") where rows are replicates.

    `settled`: columns for which the choice of values has already been made.
    """
    found = {name: groups for name, groups in differing(rows).items() if name not in settled}
    if not found:
        return [], ""
    sizes = len([same for same in _sizes(rows) if len(same) > 1])
    faults = [
        f"{name} differs within {len(groups)} of {sizes} sizes that have several rows, so these are no replicates of a "
        f"rung, for example {_example(name, groups[0])}"
        for name, groups in found.items()
    ]
    return faults, _ways_out(found)


def _ways_out(found: Mapping[str, Sequence[Sequence[Row]]]) -> str:
    names, first = ",".join(found), next(iter(found))
    ways = [("--per-size best", "the lowest loss of each size counts")]
    if numeric := [name for name, groups in found.items() if _is_numeric(name, groups)]:
        name = _likely(numeric)
        ways.append((f"--per-size last:{name}", f"the row with the highest {name} counts"))
    ways.append(("--per-size mean", "all count, as if they were replicates"))
    ways.append((f"--ignore {names}", "results or remarks, no settings: the rows are replicates"))
    if labels := [name for name in found if _LABEL.search(name)]:
        ways.append((f"--columns seed={labels[0]}", "it tells replicates apart"))
    ways.append((f"--columns group={first}", "a law for each of its values"))
    width = max(len(option) for option, _ in ways)
    return "\n      ".join(["say what they are:", *(f"{option.ljust(width)}  {what}" for option, what in ways)])


def choose(rows: Sequence[Row], picks: Sequence[Pick]) -> tuple[tuple[Row, ...], dict[str, tuple[str, ...]]]:
    """Return the rows that count, and notes on the choice by group. Raises BadInput where a pick cannot be made.

    Every pick applies within a size (one amount of data, one group), and within each of its seeds where there are
    seeds.
    """
    notes: dict[str, tuple[str, ...]] = {}
    kept, settled = tuple(rows), []
    for pick in picks:
        before, told = kept, differing(kept)
        if pick.take is Take.LAST:
            column = _column_of(pick, before)
            pick = replace(pick, column=column)
            settled.append(column)
        kept = _TAKES[pick.take](before, pick)
        for group in dict.fromkeys(row.group for row in rows):
            of_group = tuple(row for row in before if row.group == group)
            left = tuple(row for row in kept if row.group == group)
            notes[group] = (*notes.get(group, ()), *_told(pick, of_group, left, list(told)))
    if picks and picks[-1].take is Take.LAST:
        faults, ways = not_replicates(kept, settled)
        if faults:
            asked = ",".join(map(str, picks))
            raise BadInput(
                f"--per-size {asked} leaves rows that still differ; --per-size {asked},best takes the best of them:",
                [*faults, ways],
            )
    return kept, notes


def _sizes(rows: Iterable[Row], *, by_seed: bool = False) -> list[list[Row]]:
    found: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        key = (row.group, row.n_params, row.n_data, row.seed if by_seed else None)
        found.setdefault(key, []).append(row)
    return list(found.values())


def _column_of(pick: Pick, rows: Sequence[Row]) -> str:
    """Return the column of a `last` pick in the table's spelling. Raises BadInput where it is ambiguous or has no
    numbers."""
    several = [row for same in _sizes(rows, by_seed=True) if len(same) > 1 for row in same]
    if pick.column is None:
        numeric = [name for name, groups in differing(rows).items() if _is_numeric(name, groups)]
        if len(numeric) == 1:
            return numeric[0]
        ways = " or ".join(f"--per-size last:{name}" for name in numeric)
        told = f"several columns differ within a size; say which: {ways}" if numeric else "no column of numbers differs"
        raise BadInput(f"--per-size last takes the row with the highest value of one column, and {told}")
    names = dict.fromkeys(name for row in rows for name in row.further)
    name = next((name for name in names if name.casefold() == pick.column.casefold()), None)
    if name is None:
        had = ", ".join(names) or "none"
        raise BadInput(f"--per-size {pick}: there is no further column {pick.column!r}; there are: {had}")
    bad = [row for row in several if not isinstance(row.further.get(name), float)]
    if bad:
        raise BadInput(
            f"--per-size {pick} needs a number in {name} for every row of a size with several:",
            [f"{row.place}: {name} is {row.further.get(name, 'missing')}" for row in bad],
        )
    return name


def _best(rows: Sequence[Row], _pick: Pick) -> tuple[Row, ...]:
    return tuple(min(same, key=lambda row: (row.loss, row.se or 0.0)) for same in _sizes(rows, by_seed=True))


def _last(rows: Sequence[Row], pick: Pick) -> tuple[Row, ...]:
    kept: list[Row] = []
    for same in _sizes(rows, by_seed=True):
        values = [row.further.get(pick.column or "") for row in same]
        highest = max((value for value in values if isinstance(value, float)), default=None)
        kept += [row for row, value in zip(same, values, strict=True) if len(same) == 1 or value == highest]
    return tuple(kept)


def _mean(rows: Sequence[Row], _pick: Pick) -> tuple[Row, ...]:
    """Average the rows of each seed, which are one run; rows without a seed are runs of their own and stay."""
    kept: list[Row] = []
    for same in _sizes(rows, by_seed=True):
        if same[0].seed is None or len(same) == 1:
            kept += same
        else:
            kept.append(replace(same[0], loss=float(np.mean(sorted(row.loss for row in same))), se=None))
    return tuple(kept)


_TAKES: Mapping[Take, Callable[[Sequence[Row], Pick], tuple[Row, ...]]] = {
    Take.BEST: _best,
    Take.LAST: _last,
    Take.MEAN: _mean,
}


def _told(pick: Pick, before: Sequence[Row], kept: Sequence[Row], differed: Sequence[str]) -> list[str]:
    counts = sorted({len(same) for same in _sizes(before, by_seed=True)})
    if not counts or counts[-1] == 1:
        return []
    many = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    of = "each seed of a size" if any(row.seed is not None for row in before) else "a size"
    settings = f", which differ in {', '.join(differed)}" if differed else ""
    if pick.take is Take.MEAN:
        return [f"all rows of {of} ({many}{settings}) count as replicates, as --per-size mean asks"]
    if pick.take is Take.LAST:
        ends = sorted({value for row in kept if isinstance(value := row.further.get(pick.column or ""), float)})
        at = f"{ends[0]:g}" if len(ends) == 1 else f"{ends[0]:g} to {ends[-1]:g}"
        left_out = f"{len(before) - len(kept)} of {len(before)} rows are left out"
        return [
            f"of {of} ({many} rows) that with the highest {pick.column} counts ({at}), as --per-size {pick} asks; "
            + left_out
        ]
    told = [f"the loss of {of} is the lowest of its {many} rows{settings}, as --per-size best asks"]
    if len(counts) > 1:
        told.append(
            f"sizes have from {counts[0]} to {counts[-1]} rows, and the lowest of many is lower by luck alone: the "
            "exponent leans to the sizes with more rows"
        )
    return told


def _is_numeric(name: str, groups: Sequence[Sequence[Row]]) -> bool:
    return all(isinstance(row.further.get(name, 0.0), float) for same in groups for row in same)


def _likely(numeric: Sequence[str]) -> str:
    """Return the column along which a run proceeds, by its name, else the first column."""
    return next((name for name in numeric if re.search("step|epoch|iter|token|time", name, re.IGNORECASE)), numeric[0])


def _example(name: str, same: Sequence[Row]) -> str:
    told: dict[object, Row] = {}
    for row in same:
        if name in row.further:
            told.setdefault(row.further[name], row)
    shown = [f"{row.place} ({_value(value)})" for value, row in list(told.items())[:_SHOWN]]
    return f"{', '.join(shown)} of {size_in_words(same[0].n_params)}"


def _value(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:40]
