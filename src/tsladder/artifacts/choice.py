"""choice.json: the configuration that the search of a cell chose, and all that later stages read of a search."""

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
    """Architecture and settings of the winner of a search, and its measured parameter counts.

    `n_params`: all parameters; `n_params_blocks`: those of the encoder blocks; `n_params_body`: all but embedding and
    head. `off_budget`: the counts lie outside the rung's tolerance.

    The record holds nothing else, so that a repeated search with the same winner leaves the later stages fresh.
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
    """Read the choice at `path`, or how the search ended without one. Raises FileNotFoundError and WorkFailed."""
    return read_done(Choice, path)


def read_winner(path: Path) -> Choice:
    """Read the choice at `path`. Raises WorkFailed if the search has no winner, FileNotFoundError if there is no
    file."""
    choice = read_choice(path)
    if isinstance(choice, Ending):
        raise WorkFailed(f"{path} holds no winner ({choice.words}): run `tsladder run`")
    return choice


def write_choice(path: Path, choice: Choice | Ending) -> None:
    """Replace the choice at `path`, or the record that there is none."""
    write_record(path, choice)
