"""choice.json: the configuration that the search of a cell chose. It is what the later stages read of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.errors import WorkFailed
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Architecture and settings of the winner, and its measured parameter counts: all, those of the encoder blocks, all
    but embedding and head. `off_budget`: the counts lie outside the rung's tolerance.

    Nothing else stands here, so that the same winner found again leaves the later stages fresh.
    """

    cell: str
    budget: str
    horizon: int
    status: CellStatus = CellStatus.DONE
    architecture: Mapping[str, int]
    settings: Mapping[str, float]
    n_params: int
    n_params_blocks: int
    n_params_body: int
    off_budget: bool


def read_choice(path: Path) -> Choice | Ending:
    """The choice at `path`, or how the search ended without one. Raises FileNotFoundError and WorkFailed."""
    return read_done(Choice, path)


def read_winner(path: Path) -> Choice:
    """The choice at `path`. Raises WorkFailed where the search has none, FileNotFoundError."""
    choice = read_choice(path)
    if isinstance(choice, Ending):
        raise WorkFailed(f"{path} holds no winner ({choice.words}): run `tsladder run`")
    return choice


def write_choice(path: Path, choice: Choice | Ending) -> None:
    """Replace `path`."""
    write_record(path, choice)
