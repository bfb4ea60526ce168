"""Ending of a stage, of one cell or across cells: the `status` field of each of its files, and the reason of a
failure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from tsladder.artifacts.record import OmitNone, Record, read_record, record_of, write_record
from tsladder.artifacts.store import read_json
from tsladder.vocabulary import Cell, CellStatus, StopReason

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """Record of a stage that ended without a result. The files of all stages begin with these fields.

    `stop_reason`: THERMAL if the stage was stopped for heat, so that the next run resumes it. `search_key`: identity of
    the search that failed.
    """

    status: CellStatus
    cell: Annotated[str | None, OmitNone()] = None
    budget: Annotated[str | None, OmitNone()] = None
    horizon: Annotated[int | None, OmitNone()] = None
    reason: Annotated[str | None, OmitNone()] = None
    stop_reason: Annotated[StopReason | None, OmitNone()] = None
    search_key: Annotated[str | None, OmitNone()] = None

    @classmethod
    def of(
        cls,
        cell: Cell,
        status: CellStatus,
        reason: str | None = None,
        *,
        stop_reason: StopReason | None = None,
        search_key: str | None = None,
    ) -> Ending:
        return cls(
            cell=str(cell),
            budget=cell.budget,
            horizon=cell.horizon,
            status=status,
            reason=reason,
            stop_reason=stop_reason,
            search_key=search_key,
        )

    @property
    def failed(self) -> bool:
        return self.status is CellStatus.FAILED

    @property
    def by_heat(self) -> bool:
        """True for a failure for heat, which the next run resumes."""
        return self.failed and self.stop_reason is StopReason.THERMAL

    @property
    def words(self) -> str:
        """Reason why there is no result."""
        return self.reason or str(self.status).replace("_", " ")


def read_ending(path: Path) -> Ending:
    """Read how the stage that wrote `path` ended; the other fields of the file are ignored."""
    return read_record(Ending, path)


def read_done(kind: type[R], path: Path) -> R | Ending:
    """Read the record at `path` of a stage that has a result, else how the stage ended.

    Raises FileNotFoundError and WorkFailed.
    """
    value = read_json(path)
    ending = record_of(Ending, value, source=str(path))
    return record_of(kind, value, source=str(path)) if ending.status is CellStatus.DONE else ending


def write_ending(path: Path, ending: Ending) -> None:
    """Replace the file `path` of a stage by the record that it ended without a result."""
    write_record(path, ending)
