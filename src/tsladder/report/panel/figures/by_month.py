"""Draw rank_ic_by_month.png: RankIC of the best rung in each month of the test days, with the mean of all days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.ranking.daily_figures import DailyFigures
from tsladder.ranking.level import level_to_beat
from tsladder.report.figures.canvas import CONTRAST, INK, MODEL, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts, ScoredRung
from tsladder.report.panel.figures.lines import BASELINE
from tsladder.report.panel.figures.time_axis import dates_on
from tsladder.report.panel.rankings import rung_title
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import Region

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH_DAYS = 25


def draw_by_month(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one panel per horizon that has a scored rung; None where none has daily figures."""
    best = {horizon: rung for horizon in facts.scored() if (rung := facts.best_rung(horizon)) is not None}
    drawn = {horizon: (rung, rung.daily) for horizon, rung in best.items() if rung.daily is not None}
    if not drawn:
        return None
    figure = figure_of(10.4, 3.3 * len(drawn) + 0.1)
    panels = figure.subplots(len(drawn), 1, squeeze=False)[:, 0]
    for (horizon, (rung, daily)), axes in zip(drawn.items(), panels, strict=True):
        months, means = monthly(daily)
        above = int((means > 0.0).sum())
        titled(
            axes,
            f"RankIC by month, {rung_title(rung)}, horizon {words.sessions(horizon)}",
            f"the best rung on these days, mean of its seeds; above 0 in {above} of {len(means)} months",
        )
        _panel(axes, facts, horizon, rung, months, means)
    return png_of(figure)


def monthly(daily: DailyFigures) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Return the months of the days, in time order, and the mean RankIC of the days of each."""
    months, month_N = np.unique(daily.dates_N.astype("datetime64[M]"), return_inverse=True)
    days_M = np.bincount(month_N)
    return months, np.bincount(month_N, weights=daily.rank_ic_N) / days_M


def _panel(
    axes: Axes,
    facts: PanelFacts,
    horizon: int,
    rung: ScoredRung,
    months: NDArray[np.datetime64],
    means: NDArray[np.float64],
) -> None:
    middle = months.astype("datetime64[D]") + np.timedelta64(14, "D")
    colours = [MODEL if mean >= 0.0 else CONTRAST for mean in means]
    axes.bar(middle, means, width=np.timedelta64(_WIDTH_DAYS, "D"), color=colours, zorder=2)
    test = rung.regions[Region.TEST]
    confidence = confidence_level(facts.params.evaluation.confidence)
    found = test.intervals.get("rank_ic")
    if found is not None and found.low < found.high:
        axes.axhspan(
            found.low, found.high, color=MODEL, alpha=0.15, linewidth=0, zorder=1, label=f"its {confidence} interval"
        )
    axes.axhline(
        test.mean.rank_ic, color=INK, linewidth=1.4, zorder=3, label=f"mean of all days, {test.mean.rank_ic:.4f}"
    )
    level = facts.scored()[horizon]
    baseline = level_to_beat(level).best
    if baseline is not None:
        value = level.baselines[baseline].rank_ic
        axes.axhline(
            value, color=BASELINE, linewidth=1.3, linestyle=(0, (3, 1.2, 1, 1.2)), zorder=3,
            label=f"mean of {words.name(baseline)}, {value:.4f}",
        )  # fmt: skip
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    dates_on(axes)
    axes.set_ylabel("RankIC, mean over days", fontsize=9, color=INK)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, frameon=False, fontsize=8.5, labelcolor=INK)
    plain(axes)
