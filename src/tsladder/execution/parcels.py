"""Samples packed to be sent to another machine: windows of a series as they are, days of a panel as a reference.

The days of a panel are rows of a cube, which is a large file. What is sent names that file by its key; a place that
does not have it is sent the file itself, so that every place trains on the same bytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tsladder.artifacts.store import digest
from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows, Windows
from tsladder.panel.cube import Cube
from tsladder.panel.dataset import CellDays, DayFold
from tsladder.panel.day_batches import DaySamples


@dataclass(frozen=True, kw_only=True, slots=True)
class CubeReference:
    """Cube of a panel by its key. `path`: its file on the machine that sends it, `size` bytes long."""

    path: Path
    key: str
    size: int


class Parcel(Protocol):
    """Folds to be sent. `key`: hash of all that they hold. `cube`: the cube that they are days of; None: of none."""

    @property
    def key(self) -> str: ...

    @property
    def cube(self) -> CubeReference | None: ...

    def folds(self, cube: Cube | None) -> tuple[Fold, ...]:
        """Return the folds, on `cube` where they are days of one."""


def packed(folds: Sequence[Fold]) -> Parcel:
    """Pack `folds` for another machine. Raises TypeError for samples of a kind that is not known."""
    windows = [fold for fold in folds if isinstance(fold, FoldWindows)]
    days = [fold for fold in folds if isinstance(fold, DayFold)]
    if len(windows) == len(folds):
        return WindowsParcel(key=_windows_key(windows), windows=tuple(windows))
    if len(days) == len(folds):
        return _days_parcel(days)
    raise TypeError(f"cannot pack samples of {', '.join(sorted({type(fold).__name__ for fold in folds}))}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WindowsParcel:
    """Folds of windows of a series, with their arrays; those that share an array share it after they were sent."""

    key: str
    windows: tuple[FoldWindows, ...]

    @property
    def cube(self) -> None:
        return None

    def folds(self, cube: Cube | None) -> tuple[Fold, ...]:
        return self.windows


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _SentDays:
    """Days of one region without their cube: `samples` are the fields of DaySamples, `others` those of CellDays."""

    samples: Mapping[str, Any]
    others: Mapping[str, Any]

    @classmethod
    def of(cls, days: CellDays) -> _SentDays:
        return cls(samples=_fields(days.days, without="cube"), others=_fields(days, without="days"))

    def on(self, cube: Cube) -> CellDays:
        return CellDays(days=DaySamples(cube=cube, **self.samples), **self.others)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DaysParcel:
    """Folds of days of a panel: rows of a cube, which is sent apart."""

    key: str
    cube: CubeReference
    days: tuple[tuple[_SentDays, _SentDays], ...]

    def folds(self, cube: Cube | None) -> tuple[Fold, ...]:
        if cube is None or cube.key != self.cube.key:
            raise ValueError(f"days of the cube {self.cube.key} are asked for on another one")
        return tuple(DayFold(train=train.on(cube), validation=validation.on(cube)) for train, validation in self.days)


def _days_parcel(folds: Sequence[DayFold]) -> DaysParcel:
    cube = folds[0].train.days.cube
    if any(region.days.cube is not cube for fold in folds for region in (fold.train, fold.validation)):
        raise ValueError("the folds of a cell are days of different cubes")
    prints = [region.fingerprint() for fold in folds for region in (fold.train, fold.validation)]
    others = [
        (region.entry_lag, region.horizon, region.cost_bps)
        for fold in folds
        for region in (fold.train, fold.validation)
    ]
    return DaysParcel(
        key=digest("days", prints, others),
        cube=CubeReference(path=cube.path, key=cube.key, size=cube.size),
        days=tuple((_SentDays.of(fold.train), _SentDays.of(fold.validation)) for fold in folds),
    )


def _fields(value: Any, *, without: str) -> dict[str, Any]:
    names = (field.name for field in dataclasses.fields(value))
    return {name: getattr(value, name) for name in names if name != without}


def _windows_key(folds: Sequence[FoldWindows]) -> str:
    """Return the hash of every array of `folds`. Arrays that several regions share are read once."""
    hashes: dict[int, str] = {}

    def of_array(array: Any) -> str:
        if id(array) not in hashes:
            content = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
            content.update(array.tobytes())
            hashes[id(array)] = content.hexdigest()
        return hashes[id(array)]

    def of_windows(windows: Windows) -> list[object]:
        values = _fields(windows, without="symbols")
        arrays = {name: value for name, value in values.items() if hasattr(value, "dtype")}
        rest = {name: value for name, value in values.items() if name not in arrays}
        return [{name: of_array(array) for name, array in arrays.items()}, rest, list(windows.symbols)]

    return digest("windows", [[of_windows(fold.train), of_windows(fold.validation)] for fold in folds])
