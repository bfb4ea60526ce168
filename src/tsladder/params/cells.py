"""Look up cells of the study by name, and refuse what needs cells where there are none."""

from __future__ import annotations

from tsladder.errors import BadInput
from tsladder.params.laws import AnyParams
from tsladder.suggestions import did_you_mean
from tsladder.vocabulary import Cell


def refuse_without_cells(params: AnyParams, command: str) -> None:
    """Raise BadInput where the study has no cells of models, which `command` is about: a panel study without a top
    rung."""
    if params.budget is None:
        raise BadInput(
            f"`tsladder {command}` is about cells of models, and with `budget: null` in params.yaml this study ranks "
            f"by constants and baselines alone: set it to the top rung to build, such as {params.ladder[0]}; without "
            "it there are run, status, report, features, cube, ui and ingest"
        )


def known_cell(params: AnyParams, name: str) -> Cell:
    """Return the cell of ladder x horizons called `name`, planned or not. Raises BadInput that names similar ones."""
    cells = {str(cell): cell for cell in params.cells}
    if name in cells:
        return cells[name]
    try:
        Cell.parse(name)
    except ValueError:
        form = "a cell is <budget>-h<horizon>, for example 2M-h1"
    else:
        form = f"ladder ({', '.join(params.ladder)}) x horizons ({', '.join(map(str, params.horizons))}) has none"
    raise BadInput(f"{name!r} is no cell of this study: {form}; {did_you_mean(name, cells)}")
