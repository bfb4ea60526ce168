"""The two exceptions by which a tsladder command refuses: bad input (exit code 2) and failed work (exit code 1).

Any other exception that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class BadInput(Exception):
    """Violation of a rule by the user's input. Nothing has been written when this is raised.

    The message states the rule, the value received, where it came from and what to do. Several faults of one input are
    reported together, one per line.
    """

    exit_code = 2

    def __init__(self, headline: str, faults: Sequence[str] = ()) -> None:
        self.headline = headline
        self.faults = tuple(faults)
        super().__init__("\n".join([headline, *(f"  - {fault}" for fault in self.faults)]))


class WorkFailed(Exception):
    """Failure of the work on valid input, for example because of a lock held elsewhere or a damaged file."""

    exit_code = 1
