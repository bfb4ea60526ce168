"""Read the results of stages that span several cells: the supplementary search and the transfer of winners."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.store import if_there
from tsladder.artifacts.supplementary import SelectedBudgets, read_selection, read_summary
from tsladder.artifacts.transfer import Transfer, read_transfer
from tsladder.places import Places
from tsladder.report.facts import SupplementFacts
from tsladder.vocabulary import Cell


def supplement_facts(places: Places, cells: Sequence[Cell]) -> SupplementFacts | None:
    """Return the results of the second phase of the search; None where there was none."""
    selection = if_there(read_selection)(places.supplementary_selection)
    if not isinstance(selection, SelectedBudgets):
        return None
    chosen = [cell for cell in cells if cell.budget in selection.budgets]
    found = {cell: if_there(read_summary)(places.supplementary_summary(cell)) for cell in chosen}
    return SupplementFacts(reasons=selection.reasons, cells=found)


def transfer_results(places: Places) -> Transfer | None:
    """Return the results of the transfer of winners; None where it was not requested."""
    transfer = if_there(read_transfer)(places.transfer_record)
    return transfer if isinstance(transfer, Transfer) else None
