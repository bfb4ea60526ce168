"""Manual pause of all training, by a lock that ends with the process that holds it, however that process ends."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tsladder.errors import WorkFailed
from tsladder.locks import exclusive_lock
from tsladder.places import Places


class ManualPause:
    """Manual pause of all training; inactive at first, and again after its block."""

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
    def is_active(self) -> bool:
        return self._held is not None

    def toggle(self) -> str | None:
        """Start or end the pause. Returns why it cannot start, where another process has paused already; otherwise
        None."""
        if self._held is not None:
            self.release()
            return None
        held = ExitStack()
        try:
            held.enter_context(exclusive_lock(self._folder, "the pause of all training"))
        except WorkFailed as refusal:
            return str(refusal)
        self._held = held
        return None

    def release(self) -> None:
        """End the pause; training continues within a second."""
        held, self._held = self._held, None
        if held is not None:
            held.close()
