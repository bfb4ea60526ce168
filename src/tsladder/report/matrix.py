"""Overview of the study, one row per rung and one column per horizon: results of each cell and use of its budget. Pure.

Colour repeats what an entry says in words.
"""

from __future__ import annotations

from collections.abc import Callable

from tsladder.artifacts.law_fits import Interval
from tsladder.artifacts.scores import ScoredRegion, Skill
from tsladder.report import words
from tsladder.report.blocks import Table, Tone, table
from tsladder.report.facts import CellFacts, CellState, Facts

IDEAL_SHARE = (0.90, 1.10)
"""Range of the share of its budget that a model should fill."""

_Entry = tuple[str, Tone | None]


def matrix_table(facts: Facts) -> Table:
    """Return skill with its interval, test loss with its interval, best validation loss and state of every cell."""
    return _by_rung_and_horizon(facts, "matrix", "State, losses and skill of every cell", _reached)


def utilisation_table(facts: Facts) -> Table:
    """Return the measured parameters as a share of the budget; `outside` marks shares beyond `IDEAL_SHARE`."""
    return _by_rung_and_horizon(facts, "utilisation", "Parameters of each winner over its budget", _filled)


def _by_rung_and_horizon(facts: Facts, name: str, caption: str, entry: Callable[[CellFacts], _Entry]) -> Table:
    cells = {(cell.cell.budget, cell.cell.horizon): cell for cell in facts.cells}
    rows: list[list[str]] = []
    tones: dict[tuple[int, int], Tone] = {}
    for row, budget in enumerate(facts.params.ladder):
        rows.append([budget])
        for column, horizon in enumerate(facts.params.horizons, start=1):
            text, tone = entry(cells[budget, horizon])
            rows[row].append(text)
            if tone is not None:
                tones[row, column] = tone
    numbers = [facts.horizon(horizon) for horizon in facts.params.horizons]
    return table(name, caption, text=("rung",), numbers=numbers, rows=rows, tones=tones)


def _reached(cell: CellFacts) -> _Entry:
    if not cell.planned:
        return str(cell.state), Tone.OFF
    test = cell.test
    if test is None:
        state = f"failed in the {cell.failed_stage}" if cell.state is CellState.FAILED else str(cell.state)
        colour = Tone.BAD if cell.state is CellState.FAILED else Tone.OFF
        return f"skill {words.MISSING}\nvalidation {words.number(cell.search.best_val_loss)}\n{state}", colour
    against = _against_constant(test)
    text, tone = _judged(test, against.ci or test.advantage.ci)
    lines = (
        f"skill {words.skill(against)}",
        f"test {words.estimate(test.loss, test.loss_interval)}",
        f"validation {words.number(cell.search.best_val_loss)}",
        f"{cell.state}: {text}",
    )
    return "\n".join(lines), tone


def _against_constant(test: ScoredRegion) -> Skill:
    """Return the skill against the stricter constant, with its interval where one is stored."""
    return test.skill_against.get(test.stricter, Skill(skill=test.skill, low=None, high=None))


def _judged(test: ScoredRegion, ends: Interval) -> _Entry:
    """Return the entry of a scored cell; `ends` is the interval of its skill, or of its advantage in loss, over the
    stricter constant."""
    if ends[1] < 0.0:
        return "a constant is better", Tone.BAD
    if ends[0] <= 0.0:
        return "no skill shown", Tone.BAD
    if test.beaten_by:
        return f"has skill, {words.counted(len(test.beaten_by), 'simpler forecast')} better", Tone.MIXED
    return "has skill", Tone.GOOD


def _filled(cell: CellFacts) -> _Entry:
    share = cell.utilisation
    if share is None:
        return words.MISSING if cell.planned else str(cell.state), None if cell.planned else Tone.OFF
    size = words.count(cell.winner.n_params if cell.winner else None)
    low, high = IDEAL_SHARE
    if low <= share <= high:
        return f"{words.percent(share)} ({size})", Tone.GOOD
    return f"{words.percent(share)} ({size}), {'below' if share < low else 'above'} the ideal", Tone.MIXED
