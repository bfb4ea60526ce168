"""`tsladder compare CELL CELL`: is one model of the study better than another, on the same days?"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from tsladder.artifacts.ending import read_ending
from tsladder.artifacts.store import if_there
from tsladder.console.tables import aligned
from tsladder.errors import BadInput
from tsladder.evaluation.paired import Comparison, compare_models
from tsladder.evaluation.predictions import SEED_PREFIX, DailyLosses, read_predictions
from tsladder.law.wording import p_in_words
from tsladder.params import Params, load_params
from tsladder.places import Places
from tsladder.seeds import derive_seed
from tsladder.vocabulary import LOSS_WORDS, Cell, CellStatus

SEPARATOR = ":"


def name_cells(names: Sequence[str]) -> bool:
    """Are `names` cells of this study or baselines of them, and not experiments? Raises BadInput for one of each kind,
    for more than two cells, and for fewer than two names."""
    cells = [name for name in names if _is_cell(name)]
    if len(names) < 2:
        raise BadInput(f"a comparison takes two cells, or two experiments and more; got {names[0]} alone")
    if cells and len(cells) < len(names):
        others = [name for name in names if name not in cells]
        raise BadInput(
            f"cells are compared with cells, and experiments with experiments: {', '.join(cells)} would be a cell, "
            f"{', '.join(others)} would not (a cell is written like 2M-h1)"
        )
    if len(cells) > 2:
        raise BadInput(f"two cells are compared at a time, got {', '.join(cells)}")
    return bool(cells)


def _is_cell(name: str) -> bool:
    try:
        Cell.parse(name.partition(SEPARATOR)[0])
    except ValueError:
        return False
    return True


def compare_here(places: Places, first: str, second: str, region: str | None = None) -> Comparison:
    """Of two names, each a cell (`2M-h1`: its winner on all seeds) or a cell's baseline (`2M-h1:volatility_logistic`).

    `region`: None for the one that the law describes. Raises BadInput for a name that is none, for a cell that has no
    scores, and for two that were not scored on the same days and labels.
    """
    params = load_params(places.params)
    scored = region or params.law.region
    return compare_models(
        _losses(places, params, first, scored),
        _losses(places, params, second, scored),
        params=params.evaluation,
        seed=derive_seed(params.study.seed, "compare", scored),
    )


def _losses(places: Places, params: Params, name: str, region: str) -> DailyLosses:
    cell_name, _, baseline = name.partition(SEPARATOR)
    cells = {str(cell): cell for cell in params.cells}
    if cell_name not in cells:
        raise BadInput(f"{cell_name!r} is no cell of this study: {_nearest(cell_name, cells)}")
    cell = cells[cell_name]
    _refuse_unscored(places, cell)
    predictions = read_predictions(places.predictions(cell), region)
    if not baseline:
        return predictions.trained(name)
    known = [model for model in predictions.losses if not model.startswith(SEED_PREFIX)]
    if baseline not in known:
        raise BadInput(f"{baseline!r} is no baseline of {cell_name}: {_nearest(baseline, known)}")
    return predictions.baseline(baseline)


def _refuse_unscored(places: Places, cell: Cell) -> None:
    ending = if_there(read_ending)(places.scores_record(cell))
    if ending is None or ending.status is not CellStatus.DONE:
        why = "not built yet" if ending is None else ending.words
        raise BadInput(f"{cell} has no scores to compare ({why}): build it with `tsladder run`, or name another cell")


def _nearest(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3)
    return f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(known)}"


def comparison_lines(found: Comparison) -> list[str]:
    """The verdict in words, then the figures."""
    better, worse = (found.first, found.second) if found.difference >= 0.0 else (found.second, found.first)
    clear = found.low > 0.0 or found.high < 0.0
    words = (
        f"{better} is better than {worse} ({p_in_words(found.p)})"
        if clear
        else f"{found.first} and {found.second} cannot be told apart ({p_in_words(found.p)})"
    )
    effective = "" if found.effective_n is None else f", worth {found.effective_n:.0f} independent ones"
    rows = [
        ("model", LOSS_WORDS[found.metric], "seeds"),
        (found.first, f"{found.first_loss:.4f}", ", ".join(map(str, found.first_seeds)) or "-"),
        (found.second, f"{found.second_loss:.4f}", ", ".join(map(str, found.second_seeds)) or "-"),
    ]
    figures = (
        f"difference {found.difference:+.4f}, {found.confidence:.0%} interval {found.low:+.4f} to {found.high:+.4f}, "
        f"on {found.days} days{effective}; noise: {found.noise}"
    )
    return [words, *aligned(rows), figures, *([f"note: {found.note}"] if found.note else [])]
