"""The two ways a command of tsladder refuses: bad input (exit code 2) and failed work (exit code 1).

Everything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class BadInput(Exception):
    """The user's input breaks a law. Nothing has been written when this is raised.

    The message says the law, what came, where it came from and what to do. Several faults of one
    input are reported together, one line each.
    """

    exit_code = 2

    def __init__(self, headline: str, faults: Sequence[str] = ()) -> None:
        self.headline = headline
        self.faults = tuple(faults)
        super().__init__("\n".join([headline, *(f"  - {fault}" for fault in self.faults)]))


class WorkFailed(Exception):
    """The input was fine and the work could not be done (a lock held elsewhere, a broken file of ours)."""

    exit_code = 1
