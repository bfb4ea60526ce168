"""Draw best_so_far.png: RankIC on validation of every trial, and the best so far, by rung."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tsladder.artifacts.trials import latest
from tsladder.report.facts import CellFacts
from tsladder.report.figures.canvas import INK, MUTED, figure_of, grid_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Trials of one search in their order, those with a loss: number from 1, RankIC on validation, and the best so
    far."""

    numbers: tuple[int, ...]
    rank_ics: tuple[float, ...]
    best: tuple[float, ...]


def progress_of(cell: CellFacts) -> Progress:
    """Return the progress of the search of `cell`; trials without a loss of a whole training are left out."""
    complete = [
        (number, 1.0 - trial.val_loss)
        for number, trial in sorted(latest(cell.search.trials).items())
        if trial.val_loss is not None
    ]
    rank_ics = tuple(rank_ic for _, rank_ic in complete)
    best = tuple(float(value) for value in np.maximum.accumulate(rank_ics)) if rank_ics else ()
    return Progress(numbers=tuple(number + 1 for number, _ in complete), rank_ics=rank_ics, best=best)


def draw_best_so_far(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one panel per horizon; None where no trial has a loss."""
    found = {
        horizon: {str(cell.cell.budget): progress for cell in cells if (progress := progress_of(cell)).numbers}
        for horizon in facts.params.horizons
        if (cells := facts.of_horizon(horizon))
    }
    found = {horizon: rungs for horizon, rungs in found.items() if rungs}
    if not found:
        return None
    rows, columns = grid_of(len(found))
    figure = figure_of(max(10.4, 5.2 * columns), 3.5 * rows + 0.1)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (horizon, rungs) in zip(grid.flat, found.items(), strict=False):
        titled(axes, f"Best so far, horizon {words.sessions(horizon)}", "line: best so far; dots: single trials")
        _panel(axes, rungs)
    for axes in list(grid.flat)[len(found) :]:
        axes.set_visible(False)
    return png_of(figure)


def _panel(axes: Axes, rungs: dict[str, Progress]) -> None:
    from matplotlib import colormaps
    from matplotlib.ticker import MaxNLocator

    most = max(progress.numbers[-1] for progress in rungs.values())
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, len(rungs)))
    for (budget, progress), shade in zip(rungs.items(), shades, strict=True):
        axes.plot(progress.numbers, progress.rank_ics, ".", color=shade, alpha=0.6, markersize=6, zorder=3)
        axes.step(
            [*progress.numbers, most + 0.4], [*progress.best, progress.best[-1]], where="post", color=shade,
            linewidth=1.7, label=f"rung {budget}", zorder=2,
        )  # fmt: skip
    axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
    axes.set_xlim(0.6, most + 0.4)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trial", fontsize=9, color=INK)
    axes.set_ylabel("RankIC on validation", fontsize=9, color=INK)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8.5, labelcolor=INK)
    plain(axes)
