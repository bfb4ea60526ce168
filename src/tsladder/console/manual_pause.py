"""Pause all training by hand: a lock, which ends with the process that holds it, however that ends."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tsladder.errors import WorkFailed
from tsladder.locks import sole_owner
from tsladder.places import Places


class HandPause:
    """Not asked for at first, nor after its block."""

    def __init__(self, places: Places) -> None:
        self._folder = places.pause
        self._held: ExitStack | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def is_asked(self) -> bool:
        return self._held is not None

    def toggle(self) -> str | None:
        """Ask for it, or release it. Why it cannot be asked for, where another process has paused already."""
        if self._held is not None:
            self.release()
            return None
        held = ExitStack()
        try:
            held.enter_context(sole_owner(self._folder, "the pause of all training"))
        except WorkFailed as refusal:
            return str(refusal)
        self._held = held
        return None

    def release(self) -> None:
        """Training goes on within a second."""
        held, self._held = self._held, None
        if held is not None:
            held.close()
