"""transfer.json: the regret of each cell's winner on the other horizons of its rung."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Regret:
    """Regret of the winner of horizon `source` on horizon `horizon`: its loss minus that of the horizon's own winner,
    on one rung.

    `value` is in units of the loss, `relative` is divided by the own winner's loss, and `low` and `high` are the
    interval of `relative`. `p_above` is the one-sided p-value of no regret, Holm-corrected over all pairs once they are
    judged together. Figures are None if they are unknown, and `reason` says why; `same` if both winners are one
    configuration.
    """

    budget: str
    horizon: int
    source: int
    value: float | None = None
    relative: float | None = None
    low: float | None = None
    high: float | None = None
    p_above: float | None = None
    same: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    """Regrets of all winners, and the verdict on them.

    `region`: the region on whose days regret was measured, with `seeds` seeds. `margin`: the relative regret from which
    on settings would distort a law.
    """

    status: CellStatus = CellStatus.DONE
    region: str
    confidence: float
    seeds: int
    verdict: Literal["separate_searches_needed", "settings_transfer", "undecided"]
    reason: str
    margin: float
    regrets: tuple[Regret, ...]


def read_transfer(path: Path) -> Transfer | Ending:
    """Read the regrets of all winners, or how the stage ended without any. Raises FileNotFoundError and WorkFailed."""
    return read_done(Transfer, path)


def write_transfer(path: Path, transfer: Transfer | Ending) -> None:
    """Replace the regrets of all winners at `path`, or the record that there are none."""
    write_record(path, transfer)
