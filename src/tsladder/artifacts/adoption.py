"""adopted.json in the live record of a search: the trials of an earlier search that it began with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record

ADOPTED = "adopted.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """Draws of the first trials by number, and the live record (`folder`) whose search made them.

    Draws: name -> value in the units of the sampler.
    """

    folder: str
    draws: Mapping[int, Mapping[str, int | float]]


def read_adoption(path: Path) -> Adoption:
    """Read what a search adopted. Raises FileNotFoundError where it adopted nothing, WorkFailed if the file is damaged
    or of another version."""
    return read_record(Adoption, path)


def write_adoption(path: Path, adoption: Adoption) -> None:
    """Replace the adoption at `path`."""
    write_record(path, adoption)
