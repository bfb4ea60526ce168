"""Heartbeat of a live record: `progress.json`, which says what is training now and is replaced once a second.

With a thousand trainings under way a write takes tens of milliseconds, so what happens within a second is written
together. The file is for display only: nothing is read back from it, and it changes no number.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.progress import NOTHING_RUNS, PROGRESS, LiveProgress, RunningTrial, write_progress

WRITE_EVERY_SECONDS = 1.0
"""Interval between two writes, whether nothing happens or a thousand things do: a much older file means that the
supervisor hangs or is gone. A pause does not wait for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VitalSigns:
    """Vital signs of a worker: seconds since its last message, pauses not counted, and its resident memory (None: not
    read yet)."""

    silent_seconds: float
    resident_gib: float | None


NO_HEARTBEAT = VitalSigns(silent_seconds=0.0, resident_gib=None)


class Heartbeat:
    """Writer of the heartbeat of the live record in `folder`. `done` returns how many of the `total` trainings of this
    `phase` have ended."""

    def __init__(
        self,
        folder: Path,
        *,
        phase: str,
        total: int,
        done: Callable[[], int],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = folder / PROGRESS
        self._phase = phase
        self._total = total
        self._done = done
        self._clock = clock
        self._running: dict[int, RunningTrial] = {}
        self._paused: str | None = None
        self._written = -math.inf

    def started(self, number: int, *, epochs: int) -> None:
        """Note that training `number` starts."""
        self._running[number] = RunningTrial(number=number, epoch=0, epochs=epochs, started=self._clock())

    def restarted(self, number: int) -> None:
        """Note that training `number` starts again from its first epoch."""
        self._running[number] = dataclasses.replace(self._running[number], epoch=0, val_loss=None, phase=None)

    def epoch_ended(self, number: int, *, epoch: int, val_loss: float, phase: str | None = None) -> None:
        """Note that training `number` completed epoch `epoch`, counted from 1; `phase` says where in its phase that
        is."""
        loss = val_loss if math.isfinite(val_loss) else None
        self._running[number] = dataclasses.replace(self._running[number], epoch=epoch, val_loss=loss, phase=phase)

    def ended(self, number: int) -> None:
        """Note that training `number` has ended."""
        del self._running[number]

    def beat(
        self,
        signs: Mapping[int, VitalSigns],
        *,
        paused: str | None,
        celsius: float | None,
        every_seconds: float = WRITE_EVERY_SECONDS,
    ) -> None:
        """Write the file if the last write is `every_seconds` ago, or if a pause has begun or ended. To be called
        several times a second."""
        now = self._clock()
        # A clock that was set back must not stop the heartbeat.
        fresh = 0.0 <= now - self._written < every_seconds
        if fresh and paused == self._paused:
            return
        self._paused, self._written = paused, now
        running = [self._with_vital_signs(number, signs.get(number, NO_HEARTBEAT)) for number in sorted(self._running)]
        write_progress(
            self._path,
            LiveProgress(
                running=tuple(running),
                at=now,
                phase=self._phase,
                done=self._done(),
                total=self._total,
                paused=paused,
                celsius=celsius,
            ),
        )

    def stop(self) -> None:
        """Write that nothing trains in this live record any more."""
        write_progress(self._path, NOTHING_RUNS)

    def _with_vital_signs(self, number: int, signs: VitalSigns) -> RunningTrial:
        return dataclasses.replace(
            self._running[number], silent_seconds=signs.silent_seconds, resident_gib=signs.resident_gib
        )
