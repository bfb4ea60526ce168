"""The rungs of a ladder, formed from the rows of a table.

A rung is a size: rows of one size, and of one amount of data, are its replicates. Sizes within 10 % of each other are
one size where their amounts of data are the same: over so short a step no exponent of interest moves a loss by as much
as two runs differ, and counted separately they would suggest rungs that the ladder does not have. The same holds where
data grow in step with size (`tsladder.law.design`): all rows of a size are then its replicates, whatever their amounts
of data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsladder.evaluation.skill import standard_error
from tsladder.law.design import Kind, design_of
from tsladder.law.points import RungPoint, size_in_words
from tsladder.law.reading.row import Row

ONE_RUNG = 1.1
"""Largest ratio of a rung's sizes to its smallest one."""

ONE_AMOUNT = 1.01
"""Largest ratio of amounts of data that are equal but for rounding."""

_ROUNDING = 1e-9
_SHOWN = 8

_Key = tuple[float, float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rungs:
    """The points of a ladder. `notes`: sentences on sizes and amounts of data that were merged into one."""

    points: tuple[RungPoint, ...]
    notes: tuple[str, ...]


def rungs_of(rows: Sequence[Row]) -> Rungs:
    """Form one point for each rung from the `rows` of one group, named by size and, where it varies, by amount of
    data."""
    notes: list[str] = []
    amounts = sorted({row.n_data for row in rows if row.n_data is not None})
    if len(amounts) > 1 and amounts[-1] <= amounts[0] * ONE_AMOUNT:
        notes.append(
            f"the amounts of data lie within 1 % of each other ({amounts[0]:.6g} to {amounts[-1]:.6g}) and are taken "
            "for one"
        )
        amounts = [_geometric_mean([row.n_data for row in rows if row.n_data is not None])]
    only = amounts[0] if len(amounts) == 1 else None
    runs: dict[_Key, list[Row]] = {}
    in_step = len(amounts) > 1 and _in_step(rows)
    if len(amounts) > 1 and not in_step:
        for row in rows:
            runs.setdefault((row.n_params, row.n_data), []).append(row)
    else:
        for same in _near(rows):
            amount = _geometric_mean([row.n_data for row in same if row.n_data is not None]) if in_step else only
            runs[_geometric_mean([row.n_params for row in same]), amount] = same
    names = _names(list(runs))
    notes += [_merged(names[key], same) for key, same in runs.items() if len({row.n_params for row in same}) > 1]
    if in_step and any(len({row.n_data for row in same}) > 1 for same in runs.values()):
        notes.append("n_data moves in step with n_params, so rows of one size are replicates though their data differ")
    points = tuple(_rung(names[key], key, sorted(found, key=_order)) for key, found in runs.items())
    return Rungs(points=points, notes=tuple(notes))


def _in_step(rows: Sequence[Row]) -> bool:
    known = [(row.n_params, row.n_data) for row in rows if row.n_data is not None]
    return len(known) == len(rows) and design_of(*zip(*known, strict=True)).kind is Kind.IN_STEP


def _near(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows by size greedily from the smallest: a rung begins above ONE_RUNG times the first size of the one
    before."""
    found: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: row.n_params):
        if found and row.n_params <= found[-1][0].n_params * ONE_RUNG * (1.0 + _ROUNDING):
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _merged(name: str, rows: Sequence[Row]) -> str:
    sizes = sorted({row.n_params for row in rows})
    listed = [f"{size:.10g}" for size in sizes]
    if len(listed) > _SHOWN:
        listed = [*listed[:2], f"{len(listed) - 3} more", listed[-1]]
    told = f"the sizes {', '.join(listed[:-1])} and {listed[-1]} lie within 10 % of each other: replicates of one rung"
    names = dict.fromkeys(column for row in rows for column in row.further)
    settings = [
        column
        for column in names
        if len({value for row in rows if isinstance(value := row.further.get(column), float)}) > 1
    ]
    return f"{told}, {name}" + (f"; they differ in {', '.join(settings)}, too" if settings else "")


def _rung(name: str, key: _Key, rows: Sequence[Row]) -> RungPoint:
    losses = [row.loss for row in rows]
    labelled = len(rows) > 1 or rows[0].seed is not None
    return RungPoint(
        cell=name,
        n_params=key[0],
        n_data=key[1],
        loss=float(np.mean(losses)),
        se=rows[0].se if len(rows) == 1 else standard_error(losses),
        seeds=tuple(zip(_seeds(rows), losses, strict=True)) if labelled else (),
        loss_step=max((row.loss_step for row in rows if row.loss_step is not None), default=None),
    )


def _geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean, exact where all values are equal and independent of their order."""
    if len(set(values)) == 1:
        return values[0]
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def _order(row: Row) -> tuple[float, str, float]:
    try:
        number = float(row.seed) if row.seed is not None else 0.0
    except ValueError:
        number = 0.0
    return (number if math.isfinite(number) else 0.0), row.seed or "", row.loss


def _seeds(rows: Sequence[Row]) -> list[int]:
    """Return the seeds of the table where they are distinct whole numbers, else 1, 2, ..."""
    texts = [row.seed or "" for row in rows]
    if all(text.isdecimal() for text in texts) and len({int(text) for text in texts}) == len(rows):
        return [int(text) for text in texts]
    return list(range(1, len(rows) + 1))


def _names(keys: Sequence[_Key]) -> dict[_Key, str]:
    """Name the rungs, with short numbers where those differ and exact ones elsewhere."""
    sizes, amounts = _short([n for n, _ in keys]), _short([d for _, d in keys if d is not None])
    varying = len(amounts) > 1
    return {(n, d): sizes[n] + (f" on {amounts[d]}" if varying and d is not None else "") for n, d in keys}


def _short(values: Sequence[float]) -> dict[float, str]:
    distinct = sorted(set(values))
    words = [size_in_words(value) for value in distinct]
    return {
        value: word if words.count(word) == 1 else f"{value:.17g}" for value, word in zip(distinct, words, strict=True)
    }
