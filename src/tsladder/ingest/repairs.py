"""Repair of faults that occur in vendors' files: rows are corrected or left out as the user chooses, and each one is
recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.errors import BadInput
from tsladder.ingest.choices import Choices, MissingVolume
from tsladder.ingest.headers import PRICES
from tsladder.ingest.names import Role
from tsladder.ingest.sheet import Fault, Sheet, refusal

_MOST_FAULTY = 0.5
_ROUNDING = 1e-9  # as `data.bars` allows High and Low

Values = dict[Role, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """One kind of repair. `details` has one entry per row, with its day and the reason or the change."""

    kind: str
    words: str
    details: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "count": len(self.details),
            "words": self.words,
            "rows": list(map(dict, self.details)),
        }


def widen_range(sheet: Sheet, days_R: NDArray[np.datetime64], values: Values) -> tuple[Values, tuple[Repair, ...]]:
    """Widen High and Low to include Open and Close.

    Rows without a price, or with one that is not positive, stay as they are.
    """
    table = np.stack([values[role] for role in PRICES])
    sound_R = (np.isfinite(table) & (table > 0)).all(axis=0)
    top_R, bottom_R = (
        np.where(sound_R, edge(values[Role.OPEN], values[Role.CLOSE]), np.nan) for edge in (np.maximum, np.minimum)
    )
    slack_R = _ROUNDING * values[Role.CLOSE]
    up_R = sound_R & (values[Role.HIGH] < top_R - slack_R)
    down_R = sound_R & (values[Role.LOW] > bottom_R + slack_R)
    changed = np.flatnonzero(up_R | down_R)
    if len(changed) == 0:
        return values, ()
    high_R = np.where(up_R, top_R, values[Role.HIGH])
    low_R = np.where(down_R, bottom_R, values[Role.LOW])
    step_R = np.maximum(high_R / values[Role.HIGH], values[Role.LOW] / low_R) - 1.0
    details = tuple(
        {
            "row": int(sheet.rows_R[place]),
            "day": str(days_R[place]),
            "high": [float(values[Role.HIGH][place]), float(high_R[place])],
            "low": [float(values[Role.LOW][place]), float(low_R[place])],
        }
        for place in changed.tolist()
    )
    worst = changed[int(step_R[changed].argmax())]
    words = (
        f"High and Low widened to Open and Close on {_count(len(changed), 'day')}, by {step_R[worst]:.2%} at most "
        f"({days_R[worst]}, row {sheet.rows_R[worst]})"
    )
    repair = Repair(kind="range", words=words, details=details)
    return {**values, Role.HIGH: high_R, Role.LOW: low_R}, (repair,)


def without_volume(values: Mapping[Role, NDArray[np.float64]]) -> NDArray[np.int64]:
    """Return the places of the rows that have prices but no volume; empty if no row has a volume."""
    if Role.VOLUME not in values:
        return np.empty(0, dtype=np.int64)
    priced_R = ~np.isnan(np.stack([values[role] for role in PRICES])).all(axis=0)
    return np.flatnonzero(np.isnan(values[Role.VOLUME]) & priced_R)


def missing_volume_repair(
    sheet: Sheet, days_R: NDArray[np.datetime64], places: NDArray[np.int64], choice: MissingVolume
) -> Repair:
    done = "taken as 0" if choice is MissingVolume.ZERO else "left out"
    details = tuple(
        {"row": int(sheet.rows_R[place]), "day": str(days_R[place]), "why": f"Volume is missing: {done}"}
        for place in places.tolist()
    )
    return Repair(kind="missing-volume", words=f"{_count(len(places), 'day')} without a volume {done}", details=details)


def sound_rows(
    sheet: Sheet,
    faults: Sequence[Fault],
    days_R: NDArray[np.datetime64] | None,
    choices: Choices,
    symbols: Sequence[str] | None = None,
) -> tuple[NDArray[np.bool_], tuple[Repair, ...]]:
    """Return a mask of the rows without a fault, and the record of the rows that are left out.

    Raises BadInput with every cause if `choices` do not allow dropping rows, or if more than half of the rows are
    faulty, since the file is then read wrongly.
    """
    kept_R = np.ones(len(sheet.rows_R), dtype=np.bool_)
    if not faults:
        return kept_R, ()
    kept_R[[place for place, _ in faults]] = False
    dropped = int((~kept_R).sum())
    if not choices.drop_faulty_rows:
        raise refusal(sheet, faults, days_R, ways=_ways(faults, choices, dropped, len(kept_R)), symbols=symbols)
    if dropped > _MOST_FAULTY * len(kept_R):
        way = (
            f"--drop-faulty-rows would leave out {dropped} of {len(kept_R)} rows: the file is read wrongly, or is none"
        )
        raise refusal(sheet, faults, days_R, ways=(way,), symbols=symbols)
    reasons: dict[int, list[str]] = {}
    for place, words in faults:
        reasons.setdefault(place, []).append(words)
    details = tuple(
        {
            "row": int(sheet.rows_R[place]),
            "day": None if days_R is None or np.isnat(days_R[place]) else str(days_R[place]),
            "why": "; ".join(reasons[place]),
        }
        for place in sorted(reasons)
    )
    return kept_R, (
        Repair(kind="drop-faulty-rows", words=f"{_count(dropped, 'faulty row')} left out", details=details),
    )


def _ways(faults: Sequence[Fault], choices: Choices, dropped: int, rows: int) -> tuple[str, ...]:
    """Return the options with which the file would be accepted."""
    ways = []
    words = [said for _, said in faults]
    if not choices.repair_range and any(
        said.startswith(("High ", "Low ")) and " is " in said and _is_order(said) for said in words
    ):
        ways.append("--repair range widens High and Low to Open and Close")
    if choices.missing_volume is None and any(said.startswith("Volume is missing") for said in words):
        ways.append("--missing-volume zero or drop decides of days without a volume")
    if dropped <= _MOST_FAULTY * rows:
        ways.append(f"--drop-faulty-rows leaves out {'this row' if dropped == 1 else f'these {dropped} rows'}")
    return tuple(ways)


def _is_order(said: str) -> bool:
    return " is below " in said or " is above " in said


def merged(repairs: Sequence[Repair]) -> tuple[Repair, ...]:
    """Merge the repairs of each kind into one record, since rows may be left out in several steps."""
    kinds: dict[str, list[Repair]] = {}
    for repair in repairs:
        kinds.setdefault(repair.kind, []).append(repair)
    return tuple(_together(alike) for alike in kinds.values())


def _together(alike: Sequence[Repair]) -> Repair:
    if len(alike) == 1:
        return alike[0]
    details = tuple(sorted((entry for repair in alike for entry in repair.details), key=lambda entry: entry["row"]))
    return replace(alike[0], words=f"{_count(len(details), 'faulty row')} left out", details=details)


def require_volume(choices: Choices, source: str, values: Mapping[Role, NDArray[np.float64]]) -> None:
    """Raise BadInput if the user set `--missing-volume` for a file without any volume."""
    if choices.missing_volume is not None and Role.VOLUME not in values:
        raise BadInput(
            f"--missing-volume {choices.missing_volume}: {source} has no volume at all; leave the option out"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
