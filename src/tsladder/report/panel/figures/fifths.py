"""Draw return_by_fifth.png: mean return of the stocks by fifths of their scores, best rung and best baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tsladder.report.figures.canvas import (
    CONTRAST,
    INK,
    MODEL,
    MUTED,
    figure_of,
    grid_of,
    legend_below,
    plain,
    png_of,
    titled,
)
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.fifths import FIFTHS, FifthReturns
from tsladder.report.panel.rankings import title_of
from tsladder.report.words import level as confidence_level

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_COLOURS = (MODEL, CONTRAST)
_WIDTH = 0.38
_NAMES = ("lowest\nscores", "2", "3", "4", "highest\nscores")


def draw_fifths(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one panel per horizon; None where no horizon has returns by fifths."""
    if not facts.fifths:
        return None
    rows, columns = grid_of(len(facts.fifths))
    figure = figure_of(5.6 * columns if len(facts.fifths) > 1 else 7.4, 3.5 * rows + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False)
    confidence = confidence_level(facts.params.evaluation.confidence)
    entries: dict[str, Artist] = {}
    for axes, (horizon, found) in zip(grid.flat, facts.fifths.items(), strict=False):
        titled(
            axes,
            f"Return by fifths of the scores, horizon {words.sessions(horizon)}",
            f"before costs, less the mean of the day; bars: {confidence} intervals",
        )
        _panel(axes, {title_of(facts, name): own for name, own in found.items()}, entries)
    for axes in list(grid.flat)[len(facts.fifths) :]:
        axes.set_visible(False)
    legend_below(figure, entries, columns if len(facts.fifths) > 1 else 2)
    return png_of(figure)


def _panel(axes: Axes, found: dict[str, FifthReturns], entries: dict[str, Artist]) -> None:
    place_K = np.arange(FIFTHS, dtype=np.float64)
    for (title, own), colour, side in zip(found.items(), _COLOURS, (-0.5, 0.5), strict=False):
        x_K = place_K + (side * _WIDTH if len(found) > 1 else 0.0)
        bars = axes.bar(x_K, own.means, width=_WIDTH, color=colour, zorder=2)
        entries.setdefault(title, bars[0])
        for x, interval in zip(x_K, own.intervals, strict=True):
            if interval is not None:
                axes.plot([x, x], [interval.low, interval.high], color=INK, linewidth=1.1, zorder=3)
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_xticks(place_K, _NAMES)
    axes.set_ylabel("basis points a day", fontsize=9, color=INK)
    plain(axes)
