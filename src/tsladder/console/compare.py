"""Compare two models of the study on the same days, for `tsladder compare CELL CELL`."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.ending import read_ending
from tsladder.artifacts.store import if_there
from tsladder.errors import BadInput
from tsladder.evaluation.paired import Comparison, compare_models
from tsladder.evaluation.predictions import SEED_PREFIX, DailyLosses, read_predictions
from tsladder.formatting import aligned
from tsladder.law.wording import p_in_words
from tsladder.params import AnyParams, load_any_params
from tsladder.params.cells import known_cell
from tsladder.places import Places
from tsladder.ranking.words import gain_with_interval, is_rank_error, rank_ic, rank_ic_of
from tsladder.seeds import derive_seed
from tsladder.suggestions import did_you_mean
from tsladder.tasks import loss_words
from tsladder.vocabulary import Cell, CellStatus

SEPARATOR = ":"


def are_cells(names: Sequence[str]) -> bool:
    """Return True where `names` are cells of this study or their baselines, False where they are experiments. Raises
    BadInput for a mixture, for more than two cells, and for fewer than two names."""
    cells = [name for name in names if _is_cell(name)]
    if len(names) < 2:
        raise BadInput(f"compare takes two cells, or two experiments or more; got {names[0]} alone")
    if cells and len(cells) < len(names):
        others = [name for name in names if name not in cells]
        raise BadInput(
            f"cells are compared with cells, and experiments with experiments: {', '.join(cells)} is a cell, "
            f"{', '.join(others)} is not (a cell is written like 2M-h1)"
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
    """Compare two models, each a cell (`2M-h1`: its winner on all seeds) or a baseline (`2M-h1:volatility_logistic`).

    `region`: None for the one that the law describes. Rankings are resampled in blocks of at least the longer of the
    two horizons, over which labels overlap. Raises BadInput for an unknown name, for a cell that has no
    scores, and for two models that were not scored on the same days and labels.
    """
    params = load_any_params(places.params)
    scored = region or params.law.region
    one, other = (_losses(places, params, name, scored) for name in (first, second))
    horizon = max(_cell_of(params, name).horizon for name in (first, second))
    return compare_models(
        one,
        other,
        params=params.evaluation,
        seed=derive_seed(params.study.seed, "compare", scored),
        least_block=horizon if is_rank_error(one.metric) else 1,
    )


def _cell_of(params: AnyParams, name: str) -> Cell:
    return known_cell(params, name.partition(SEPARATOR)[0])


def _losses(places: Places, params: AnyParams, name: str, region: str) -> DailyLosses:
    cell, (cell_name, _, baseline) = _cell_of(params, name), name.partition(SEPARATOR)
    _refuse_unscored(places, cell)
    predictions = read_predictions(places.predictions(cell), region)
    if not baseline:
        return predictions.trained(name)
    known = [model for model in predictions.losses if not model.startswith(SEED_PREFIX)]
    if baseline not in known:
        raise BadInput(f"{baseline!r} is no baseline of {cell_name}: {did_you_mean(baseline, known)}")
    return predictions.baseline(baseline)


def _refuse_unscored(places: Places, cell: Cell) -> None:
    ending = if_there(read_ending)(places.scores_record(cell))
    if ending is None or ending.status is not CellStatus.DONE:
        why = "not built yet" if ending is None else ending.words
        raise BadInput(f"{cell} has no scores to compare ({why}): build it with `tsladder run`, or name another cell")


def comparison_lines(found: Comparison) -> list[str]:
    """Format the verdict in words, then the figures; of rankings the RankIC, of which more is better."""
    ranks = is_rank_error(found.metric)
    better, worse = (found.first, found.second) if found.difference >= 0.0 else (found.second, found.first)
    clear = found.low > 0.0 or found.high < 0.0
    words = (
        f"{better} is better than {worse} ({p_in_words(found.p)})"
        if clear
        else f"no significant difference between {found.first} and {found.second} ({p_in_words(found.p)})"
    )
    words += _gained(found, better, clear=clear) if ranks else ""
    effective = "" if found.effective_n is None else f" (effective sample size {found.effective_n:.0f})"

    def figure(loss: float) -> str:
        return rank_ic(rank_ic_of(loss)) if ranks else f"{loss:.4f}"

    rows = [
        ("model", "RankIC" if ranks else loss_words(found.metric), "seeds"),
        (found.first, figure(found.first_loss), ", ".join(map(str, found.first_seeds)) or "-"),
        (found.second, figure(found.second_loss), ", ".join(map(str, found.second_seeds)) or "-"),
    ]
    figures = (
        f"difference {found.difference:+.4f}, {found.confidence:.0%} interval {found.low:+.4f} to {found.high:+.4f}, "
        f"on {found.days} days{effective}; noise: {found.noise}"
    )
    return [words, *aligned(rows), figures, *([f"note: {found.note}"] if found.note else [])]


def _gained(found: Comparison, better: str, *, clear: bool) -> str:
    """State what the better ranking gains on the other, or the first on the second where none is clearly better.

    The difference is the second loss less the first, and so the first RankIC less the second.
    """
    if clear and better == found.second:
        return f": RankIC {gain_with_interval(-found.difference, -found.high, -found.low)}"
    gained = gain_with_interval(found.difference, found.low, found.high)
    return f": RankIC {gained}" if clear else f": RankIC of {found.first} against {found.second} {gained}"
