"""transfer.json: what each cell's winner loses on the other horizons of its rung."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tsladder.artifacts.ending import Ending, read_done
from tsladder.artifacts.record import write_record
from tsladder.vocabulary import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Regret:
    """What the winner of horizon `source` loses on horizon `horizon` against that horizon's own winner, one rung.

    `value` in units of the loss, `relative` to the own winner's loss, `low` and `high` the interval of `relative`.
    `p_above` is the one-sided p that it loses nothing, corrected by Holm over all pairs once they are judged together.
    None: unknown, and `reason` says why; `same` where both winners are one configuration.
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
    """`region`: on which days regret was measured, with `seeds` seeds. `margin`: the relative regret from which on
    settings would distort a law."""

    status: CellStatus = CellStatus.DONE
    region: str
    confidence: float
    seeds: int
    verdict: Literal["separate_searches_needed", "settings_transfer", "undecided"]
    reason: str
    margin: float
    regrets: tuple[Regret, ...]


def read_transfer(path: Path) -> Transfer | Ending:
    """Raises FileNotFoundError and WorkFailed."""
    return read_done(Transfer, path)


def write_transfer(path: Path, transfer: Transfer | Ending) -> None:
    """Replace `path`."""
    write_record(path, transfer)
