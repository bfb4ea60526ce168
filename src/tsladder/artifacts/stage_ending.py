"""artifacts/endings/: a flag that a stage ended without a result. No code reads the files back: DVC compares them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import write_record


@dataclass(frozen=True, kw_only=True, slots=True)
class StageEnding:
    without_result: bool


def write_stage_ending(path: Path, ending: StageEnding, *, durable: bool = True) -> None:
    """Replace the stage ending at `path`."""
    write_record(path, ending, durable=durable)
