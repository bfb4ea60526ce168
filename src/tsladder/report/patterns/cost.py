"""Estimate the cost of training every winner on the other horizons of its rung, from the time that its own seeds took.
Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.report.facts import CellFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferCost:
    """Cost of a transfer of winners. `pairs`: combinations of a winner and another horizon of its rung, without those
    whose own winner is the same configuration; `trainings`: pairs times seeds. `seconds`: training time summed over
    workers; None where the time of some winner is not known. `spent`: the time, summed likewise, that the searches and
    retrainings of these cells took."""

    pairs: int
    trainings: int
    seconds: float | None
    spent: float | None

    @property
    def share(self) -> float | None:
        return None if self.seconds is None or not self.spent else self.seconds / self.spent


def transfer_cost(cells: Sequence[CellFacts], seeds: int) -> TransferCost:
    """Estimate the transfer cost of the planned `cells`. A winner takes as long on another horizon as on its own: both
    have about as many windows."""
    chosen = [cell for cell in cells if cell.winner is not None]
    pairs = [
        source
        for source in chosen
        for other in chosen
        if other.cell.budget == source.cell.budget
        and other.cell.horizon != source.cell.horizon
        and not _same(source, other)
    ]
    seconds_by_pair = [_seconds_of_a_seed(source) for source in pairs]
    known = [seconds for seconds in seconds_by_pair if seconds is not None]
    spent = [seconds for cell in cells for seconds in (cell.search.seconds, cell.retraining.seconds) if seconds]
    return TransferCost(
        pairs=len(pairs),
        trainings=len(pairs) * seeds,
        seconds=seeds * math.fsum(known) if len(known) == len(pairs) else None,
        spent=math.fsum(spent) if spent else None,
    )


def _same(one: CellFacts, other: CellFacts) -> bool:
    if one.winner is None or other.winner is None:
        return False
    return (one.winner.architecture, one.winner.settings) == (other.winner.architecture, other.winner.settings)


def _seconds_of_a_seed(cell: CellFacts) -> float | None:
    seeds = len(cell.retraining.train_losses)
    return cell.retraining.seconds / seeds if cell.retraining.seconds is not None and seeds else None
