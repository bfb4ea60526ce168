"""Choice of slots for the jobs of a cell, and the free slots of a crew while they are offered to many cells."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tsladder.execution.crew import Crew, Slot
from tsladder.messages import ignore_message

MOST_WORKERS = 1024
"""Number of jobs that could share a place at the very most: a place with a slot of this size has room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotChoice:
    """Choice of the slots of a cell.

    `one_kind`: all jobs of a cell run in slots of one kind, that of its first job, so that all of its losses are
    computed alike. Where none of that kind has been free for `patience` seconds of `clock` while others were, it takes
    another, which `say` reports. `least_gib`: memory of the machine of the smallest place to use.
    """

    one_kind: bool = True
    least_gib: float = 0.0
    patience: float = 600.0
    say: Callable[[str], None] = ignore_message
    clock: Callable[[], float] = time.monotonic


class FreeSlots:
    """Free slots of `crew` while it is offered to many sources in turn, asked for no more often than needed: of a
    thousand places that takes a while. Nothing is offered at the places `closed`."""

    def __init__(self, crew: Crew, choice: SlotChoice, closed: Iterable[str] = ()) -> None:
        self._crew = crew
        self._choice = choice
        self._kept = set(closed)
        self._known: dict[int, dict[str, deque[Slot]]] = {}

    def first(self, workers: int, kind: str | None = None, *, alone: bool = False) -> Slot | None:
        """Return a free slot of the size at which `workers` fit one place, of the kind `kind`, or of the kind of which
        most are free; None where there is none. `alone`: at a place where nothing runs."""
        if alone:
            whole = self.first(1, kind)
            if whole is None:
                return None
            return next(slot for slot in self._by_kind(workers)[whole.kind] if slot.place == whole.place)
        found = self._by_kind(workers)
        if kind is None or not self._choice.one_kind:
            kind = max(found, key=lambda name: len(found[name]), default=None)
        known = deque[Slot]() if kind is None else found.get(kind, deque())
        return known[0] if known else None

    def take(self, slot: Slot, *, alone: bool = False) -> None:
        """Take a slot in which a job has been started: slots of other sizes are looked for again. `alone`: nothing else
        is offered at its place."""
        self._known = {slot.workers: self._known[slot.workers]}
        self._known[slot.workers][slot.kind].remove(slot)
        if alone:
            self._kept.add(slot.place)

    def keep_place(self, kind: str | None) -> None:
        """Offer the first place that has room no more."""
        slot = self.first(MOST_WORKERS, kind)
        if slot is not None:
            self._kept.add(slot.place)

    def _by_kind(self, workers: int) -> dict[str, deque[Slot]]:
        if workers not in self._known:
            found: dict[str, deque[Slot]] = {}
            for slot in self._crew.free(workers):
                if slot.machine.memory_gib >= self._choice.least_gib:
                    found.setdefault(slot.kind, deque()).append(slot)
            self._known[workers] = found
        for slots in self._known[workers].values():
            while slots and slots[0].place in self._kept:
                slots.popleft()
        return self._known[workers]
