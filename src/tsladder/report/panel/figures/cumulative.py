"""Draw cumulative_return.png: summed long-short return of the best rankings and the stricter constant over the test
days, before and after costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tsladder.artifacts.ranking_scores import RegionBaselines
from tsladder.report.figures.canvas import INK, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.lines import looks
from tsladder.report.panel.figures.time_axis import dates_on
from tsladder.report.panel.rankings import followed, legend_of, rungs_among

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_cumulative(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one row of panels per horizon, gross left and net right; None without daily figures."""
    scored = {horizon: level for horizon, level in facts.scored().items() if horizon in facts.daily}
    if not scored:
        return None
    figure = figure_of(10.4, 3.9 * len(scored) + 0.1)
    rows = figure.subfigures(len(scored), 1, squeeze=False)[:, 0]
    for (horizon, level), row in zip(scored.items(), rows, strict=True):
        left, right = row.subplots(1, 2, sharey=True)
        titled(left, f"Long-short return before costs, horizon {words.sessions(horizon)}", "summed, not compounded")
        titled(right, "After costs", f"{level.cost_bps:g} bps of all that is traded")
        _panel(left, facts, level, 0.0)
        _panel(right, facts, level, level.cost_bps)
        left.set_ylabel("summed return, % of the capital", fontsize=9, color=INK)
        handles, labels = left.get_legend_handles_labels()
        row.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9, labelcolor=INK)
    return png_of(figure)


def _panel(axes: Axes, facts: PanelFacts, level: RegionBaselines, cost_bps: float) -> None:
    daily = followed(facts, level)
    for name, look in looks(tuple(daily), level.stricter, rungs_among(facts, daily)).items():
        summed_N = 100.0 * np.cumsum(daily[name].net_return_N(cost_bps))
        label = legend_of(facts, level, name)
        axes.plot(daily[name].dates_N, summed_N, color=look.colour, linestyle=look.style, linewidth=1.7, label=label)
    axes.axhline(0.0, color=MUTED, linewidth=0.7, zorder=1)
    dates_on(axes)
    axes.set_xlabel("test days", fontsize=9, color=INK)
    plain(axes)
