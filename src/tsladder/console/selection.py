"""Select the cells that a run builds, and the DVC targets for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tsladder.errors import BadInput
from tsladder.params import AnyParams
from tsladder.params.cells import known_cell
from tsladder.suggestions import similar
from tsladder.vocabulary import Cell


@dataclass(frozen=True, kw_only=True, slots=True)
class CellSelection:
    """Selected cells, in the order of the study. `whole`: the law and the report are built as well."""

    cells: tuple[Cell, ...]
    whole: bool

    @property
    def targets(self) -> tuple[str, ...]:
        """Stages of DVC to build; a cell's evaluation pulls in its search and its training. Empty for all stages."""
        return () if self.whole else tuple(f"evaluate@{cell.budget}-{cell.horizon}" for cell in self.cells)


def select_cells(
    params: AnyParams, *, first: str | None = None, only: Sequence[str] = (), retry_failed: bool = False
) -> CellSelection:
    """Select all cells, none of a panel study without a top rung; or `first` and all that follow it in ladder x
    horizons; or the cells named in `only`.

    Raises BadInput for a name that is not a cell of the study, for a cell above its top rung, where both are given, and
    where cells are chosen or to be retried in a study without any.
    """
    if params.budget is None:
        if first is not None or only or retry_failed:
            raise BadInput(
                "--retry-failed, --from and --only choose cells of models, and with `budget: null` in params.yaml this "
                f"study has none: run it whole, or set budget to the top rung to build, such as {params.ladder[0]}"
            )
        return CellSelection(cells=(), whole=True)
    if first is not None and only:
        raise BadInput("--from and --only exclude each other: --from CELL builds it and all that follow it")
    if first is not None:
        known = _planned_cell(params, first)
        after = params.cells[params.cells.index(known) :]
        return CellSelection(cells=tuple(cell for cell in after if params.is_planned(cell)), whole=False)
    if only:
        named = {_planned_cell(params, name) for name in only}
        return CellSelection(cells=tuple(cell for cell in params.cells if cell in named), whole=False)
    return CellSelection(cells=params.cells, whole=True)


def _planned_cell(params: AnyParams, name: str) -> Cell:
    cell = known_cell(params, name)
    if params.is_planned(cell):
        return cell
    planned = [str(other) for other in params.cells if params.is_planned(other)]
    near = similar(name, planned, cutoff=0.0)
    raise BadInput(
        f"{cell} is not planned: budget in params.yaml ({params.budget}) is the top rung that is built; raise it, or "
        f"take one of {', '.join(near)}"
    )
