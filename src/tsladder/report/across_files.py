"""What the stages across cells left: the supplementary search and the transfer of winners."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.places import Places
from tsladder.report.facts import SupplementedCell, SupplementFacts, TransferFacts, TransferredWinner
from tsladder.results.stored import Record, interval_of, read_if_there
from tsladder.vocabulary import Cell, CellStatus


def read_supplement(places: Places, cells: Sequence[Cell]) -> SupplementFacts | None:
    """None where there was no second phase."""
    selection = read_if_there(places.supplementary / "selection.json")
    if selection.get("status") != CellStatus.DONE:
        return None
    chosen = [cell for cell in cells if cell.budget in selection.get("budgets", ())]
    found = [_supplemented(cell, read_if_there(places.supplementary / str(cell) / "summary.json")) for cell in chosen]
    return SupplementFacts(reasons=selection.get("reasons", {}), cells=tuple(found))


def _supplemented(cell: Cell, summary: Record) -> SupplementedCell:
    return SupplementedCell(
        cell=str(cell),
        reason=summary.get("reason"),
        objective=summary.get("objective"),
        trials_done=summary.get("trials_done"),
        trials_total=summary.get("trials_total"),
        winner_score=summary.get("winner_score"),
        best_score=summary.get("best_score"),
        standard_error=summary.get("standard_error"),
        best=summary.get("best") or {},
    )


def read_transfer(places: Places) -> TransferFacts | None:
    """None where it was not asked for."""
    record = read_if_there(places.transfer / "transfer.json")
    if record.get("status") != CellStatus.DONE:
        return None
    return TransferFacts(
        verdict=record["verdict"],
        reason=record.get("reason", ""),
        margin=record.get("margin"),
        region=record.get("region"),
        winners=tuple(_winner(item) for item in record.get("regrets", [])),
    )


def _winner(item: Record) -> TransferredWinner:
    return TransferredWinner(
        budget=item["budget"],
        horizon=item["horizon"],
        source=item["source"],
        relative=item.get("relative"),
        relative_ci=interval_of(item.get("low"), item.get("high")),
        p_above=item.get("p_above"),
        same=item.get("same", False),
        reason=item.get("reason"),
    )
