"""One copy of the windows in memory for all training processes of a cell.

The arrays are written to a file that has no name any more; each process maps it. Pages are shared until somebody
writes to them, and the last process to end frees them, however it ends.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsladder.market.windows import Windows

_ALIGNMENT = 64

_ARRAYS = ("series_TF", "ends_N", "scale_NF", "shift_NF", "y_N", "dates_N")


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where an array lies in the file."""

    dtype: str
    shape: tuple[int, ...]
    offset: int


class SharedWindows:
    """The training and validation windows of one cell; sent to a process it costs a file descriptor, not a copy."""

    def __init__(self, train: Windows, validation: Windows) -> None:
        self.train = train
        self.validation = validation
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._slots: dict[str, dict[str, _Slot]] = {}
        written: dict[int, _Slot] = {}
        for region, windows in (("train", train), ("validation", validation)):
            slots = {}
            for name in _ARRAYS:
                array = getattr(windows, name)
                # The regions of one horizon share their series.
                slots[name] = written.get(id(array)) or self._append(array)
                written[id(array)] = slots[name]
            self._slots[region] = slots
        self._file.flush()

    def close(self) -> None:
        """Give this process's file descriptor back; processes that have mapped the file keep their windows."""
        self._file.close()

    def _append(self, array: NDArray[Any]) -> _Slot:
        offset = -(-self._file.tell() // _ALIGNMENT) * _ALIGNMENT
        self._file.seek(offset)
        self._file.write(np.ascontiguousarray(array).tobytes())
        return _Slot(array.dtype.str, array.shape, offset)

    def __reduce__(self) -> tuple[Any, ...]:
        rest = {
            region: {"context_length": windows.context_length, "symbols": windows.symbols}
            for region, windows in (("train", self.train), ("validation", self.validation))
        }
        return _mapped, (reduction.DupFd(self._file.fileno()), self._slots, rest)


@dataclass(frozen=True, slots=True)
class _Mapped:
    train: Windows
    validation: Windows


def _mapped(descriptor: Any, slots: dict[str, dict[str, _Slot]], rest: dict[str, dict[str, Any]]) -> _Mapped:
    number = descriptor.detach()
    try:
        # Private pages: torch wants writable arrays, and nobody may change what the others see.
        memory = mmap.mmap(number, 0, access=mmap.ACCESS_COPY)
    finally:
        os.close(number)
    regions = {}
    for region, places in slots.items():
        arrays: dict[str, Any] = {
            name: np.ndarray(slot.shape, np.dtype(slot.dtype), buffer=memory, offset=slot.offset)
            for name, slot in places.items()
        }
        regions[region] = Windows(**arrays, **rest[region])
    return _Mapped(**regions)
