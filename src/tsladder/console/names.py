"""A cell as it is named on the command line."""

from __future__ import annotations

import difflib

from tsladder.errors import BadInput
from tsladder.params import Params
from tsladder.vocabulary import Cell

_OFFERED = 3


def known_cell(params: Params, name: str) -> Cell:
    """The cell of ladder x horizons called `name`, planned or not. Raises BadInput that names the nearest ones."""
    cells = {str(cell): cell for cell in params.cells}
    if name in cells:
        return cells[name]
    try:
        Cell.parse(name)
    except ValueError:
        form = "a cell is <budget>-h<horizon>, for example 2M-h1"
    else:
        form = f"ladder ({', '.join(params.ladder)}) x horizons ({', '.join(map(str, params.horizons))}) has none"
    raise BadInput(f"{name!r} is no cell of this study: {form}; {_nearest(name, list(cells))}")


def _nearest(name: str, known: list[str]) -> str:
    """Letters are compared without their case: 2m-h1 means 2M-h1."""
    by_folded = {cell.casefold(): cell for cell in known}
    close = difflib.get_close_matches(name.casefold(), list(by_folded), n=_OFFERED, cutoff=0.5)
    offered = [by_folded[folded] for folded in close]
    if offered:
        return f"did you mean {' or '.join(offered)}?"
    return f"there are {', '.join(known)}"
