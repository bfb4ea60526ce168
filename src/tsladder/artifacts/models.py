"""status.json of a cell's models: which training seeds of its winner were trained, or why none was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.errors import WorkFailed
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelsStatus:
    """Training seeds of a cell's winner. `seeds`: numbers of the seeds whose models lie beside the file."""

    cell: str
    status: CellStatus = CellStatus.DONE
    seeds: tuple[int, ...]


def read_models_status(path: Path) -> ModelsStatus | Ending:
    """Read the status of a cell's models, or how the retraining ended without one. Raises FileNotFoundError and
    WorkFailed."""
    return read_done(ModelsStatus, path)


def read_trained_seeds(path: Path) -> tuple[int, ...]:
    """Read the numbers of the trained seeds. Raises WorkFailed if there are none, FileNotFoundError if there is no
    file."""
    status = read_models_status(path)
    if isinstance(status, Ending):
        raise WorkFailed(f"{path} names no trained seed ({status.words}): run `tsladder run`")
    return status.seeds


def write_models_status(path: Path, status: ModelsStatus | Ending) -> None:
    """Replace the status of a cell's models at `path`."""
    write_record(path, status)
