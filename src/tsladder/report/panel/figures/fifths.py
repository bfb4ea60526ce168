"""Draw return_by_fifth.png: mean return of the stocks by fifths of their scores, and the summed spread between the
highest and the lowest fifth, of the best rung and the best baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tsladder.ranking.metrics import BPS
from tsladder.report.figures.canvas import INK, MODEL, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.fifths import FIFTHS, FifthReturns
from tsladder.report.panel.figures.lines import BASELINE, Style
from tsladder.report.panel.figures.time_axis import dates_on
from tsladder.report.panel.rankings import title_of
from tsladder.report.words import level as confidence_level

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOOKS: tuple[tuple[str, Style], ...] = ((MODEL, "-"), (BASELINE, (0, (3, 1.2, 1, 1.2))))
_WIDTH = 0.38
_NAMES = ("lowest\nscores", "2", "3", "4", "highest\nscores")


def draw_fifths(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one row of panels per horizon; None where no horizon has returns by fifths."""
    if not facts.fifths:
        return None
    figure = figure_of(10.4, 3.7 * len(facts.fifths) + 0.1)
    rows = figure.subfigures(len(facts.fifths), 1, squeeze=False)[:, 0]
    confidence = confidence_level(facts.params.evaluation.confidence)
    for (horizon, found), row in zip(facts.fifths.items(), rows, strict=True):
        left, right = row.subplots(1, 2)
        named = {title_of(facts, name): own for name, own in found.items()}
        titled(
            left,
            f"Return by fifths of the scores, horizon {words.sessions(horizon)}",
            f"before costs, less the mean of the day; bars: {confidence} intervals",
        )
        titled(right, "Highest less lowest fifth, before costs", "quantile spread, summed over the test days")
        _bars(left, named)
        _summed(right, named)
        handles, labels = left.get_legend_handles_labels()
        row.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9, labelcolor=INK)
    return png_of(figure)


def _bars(axes: Axes, found: Mapping[str, FifthReturns]) -> None:
    place_K = np.arange(FIFTHS, dtype=np.float64)
    for (title, own), (colour, _), side in zip(found.items(), _LOOKS, (-0.5, 0.5), strict=False):
        x_K = place_K + (side * _WIDTH if len(found) > 1 else 0.0)
        axes.bar(x_K, own.means, width=_WIDTH, color=colour, zorder=2, label=title)
        for x, interval in zip(x_K, own.intervals, strict=True):
            if interval is not None:
                axes.plot([x, x], [interval.low, interval.high], color=INK, linewidth=1.1, zorder=3)
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_xticks(place_K, _NAMES)
    axes.set_ylabel("basis points a day", fontsize=9, color=INK)
    plain(axes)


def _summed(axes: Axes, found: Mapping[str, FifthReturns]) -> None:
    for own, (colour, style) in zip(found.values(), _LOOKS, strict=False):
        summed_N = 100.0 / BPS * np.cumsum(own.spread_N)
        axes.plot(own.dates_N, summed_N, color=colour, linestyle=style, linewidth=1.7)
    axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
    dates_on(axes)
    axes.set_ylabel("summed, %", fontsize=9, color=INK)
    axes.set_xlabel("test days", fontsize=9, color=INK)
    plain(axes)
