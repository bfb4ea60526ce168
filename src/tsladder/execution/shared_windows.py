"""Samples shared by all training processes of a cell; windows of a series lie in memory once for all of them.

The arrays are written to an unlinked file that each process maps. Pages are shared until a process writes to them, and
the last process to end frees them, however it ends.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from tsladder.data.samples import Fold
from tsladder.data.windows import FoldWindows, Windows

_ALIGNMENT = 64

_ARRAYS = ("series_TF", "ends_N", "scale_NF", "shift_NF", "y_N", "dates_N")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Position of an array in the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Positions of the arrays of one set of windows."""

    slots: dict[str, _Slot]
    context_length: int
    symbols: tuple[str, ...]


class SharedFolds(Protocol):
    """Folds that a cell trains on: one, or several in walk-forward training. Sending them to a process copies no
    array."""

    @property
    def folds(self) -> tuple[Fold, ...]: ...

    def close(self) -> None:
        """Release what this process holds for the others; processes that have the samples keep them."""


def shared(folds: Sequence[Fold]) -> SharedFolds:
    """Return `folds` in a form that costs little to send to a process."""
    if all(isinstance(fold, FoldWindows) for fold in folds):
        return SharedWindows(cast(Sequence[FoldWindows], folds))
    return SentFolds(tuple(folds))


@dataclass(frozen=True, slots=True)
class SentFolds:
    """Folds whose samples are sent as they are, since they hold only where their data lie in a file that every process
    maps."""

    folds: tuple[Fold, ...]

    def close(self) -> None:
        """Do nothing: no resource is held."""


class SharedWindows:
    """Folds of windows of a series.

    Sending them to a process costs a file descriptor, not a copy.
    """

    def __init__(self, folds: Sequence[FoldWindows]) -> None:
        self.folds = tuple(folds)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        written: dict[int, _Slot] = {}
        self._slots = [
            tuple(self._layout_of(windows, written) for windows in (fold.train, fold.validation)) for fold in self.folds
        ]
        self._file.flush()

    def close(self) -> None:
        """Close this process's file descriptor; processes that have mapped the file keep their windows."""
        self._file.close()

    def _layout_of(self, windows: Windows, written: dict[int, _Slot]) -> _Layout:
        slots = {}
        for name in _ARRAYS:
            array = getattr(windows, name)
            # The regions and folds of one horizon share their series.
            slots[name] = written.get(id(array)) or self._append(array)
            written[id(array)] = slots[name]
        return _Layout(slots, windows.context_length, windows.symbols)

    def _append(self, array: NDArray[Any]) -> _Slot:
        offset = -(-self._file.tell() // _ALIGNMENT) * _ALIGNMENT
        self._file.seek(offset)
        self._file.write(np.ascontiguousarray(array).tobytes())
        return _Slot(array.dtype.str, array.shape, offset)

    def __reduce__(self) -> tuple[Any, ...]:
        return _mapped, (reduction.DupFd(self._file.fileno()), self._slots)


@dataclass(frozen=True, slots=True)
class _Mapped:
    folds: tuple[FoldWindows, ...]


def _mapped(descriptor: Any, slots: Sequence[tuple[_Layout, _Layout]]) -> _Mapped:
    number = descriptor.detach()
    try:
        # Private pages: torch needs writable arrays, and no process may change those of another.
        memory = mmap.mmap(number, 0, access=mmap.ACCESS_COPY)
    finally:
        os.close(number)
    folds = []
    for train, validation in slots:
        folds.append(FoldWindows(train=_windows(memory, train), validation=_windows(memory, validation)))
    return _Mapped(tuple(folds))


def _windows(memory: mmap.mmap, place: _Layout) -> Windows:
    arrays: dict[str, Any] = {
        name: np.ndarray(slot.shape, np.dtype(slot.dtype), buffer=memory, offset=slot.offset)
        for name, slot in place.slots.items()
    }
    return Windows(**arrays, context_length=place.context_length, symbols=place.symbols)
