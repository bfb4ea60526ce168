"""Refresh the state of a study at intervals, and tolerate files that cannot be read meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tsladder.errors import BadInput, WorkFailed
from tsladder.places import Places
from tsladder.status.study_state import StudyReader, StudyState

_SHARE = 0.1
"""Largest share of a CPU core for refreshing: training needs the rest."""

_LONGEST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class View:
    """The last state that was read, and why there is no newer one. Both are None before the first read."""

    state: StudyState | None
    fault: str | None


class StudyView:
    """Reader of the state of a study, at most once every `interval` seconds."""

    def __init__(self, places: Places, *, interval: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = StudyReader(places)
        self._root = places.root
        self._interval = interval
        self._clock = clock
        self._next = clock()
        self._view = View(None, None)

    def refresh(self) -> View:
        """Return the current state, or the last one within the interval. A file that cannot be read is a fault of the
        view and does not end it, since it may be readable again in a moment."""
        began = self._clock()
        if began >= self._next:
            try:
                self._view = View(self._reader.read(), None)
            except (BadInput, WorkFailed) as refusal:
                # Short enough for a line of the terminal.
                self._view = View(self._view.state, str(refusal).replace(f"{self._root}/", ""))
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                # Half written, written by another version, or removed meanwhile.
                self._view = View(self._view.state, f"a file of the study cannot be read now: {error!r}")
            ended = self._clock()
            self._next = ended + max(self._interval, min(_LONGEST_SECONDS, (ended - began) / _SHARE))
        return self._view
