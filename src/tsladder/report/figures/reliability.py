"""Draw reliability.png, the reliability diagrams of the best rung of each horizon on the test region."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tsladder.artifacts.law_fits import Interval
from tsladder.artifacts.scores import ScoredRegion
from tsladder.report import words
from tsladder.report.facts import CellFacts, SeriesFacts
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

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_reliability(facts: SeriesFacts) -> bytes | None:
    """Return the PNG of the horizons whose best rung has bins; None where none has."""
    best = [found for horizon in facts.params.horizons if (found := best_rung(facts, horizon)) is not None]
    if not best:
        return None
    rows, columns = grid_of(len(best))
    figure = figure_of(3.9 * columns, 4.0 * rows + (0.9 if columns == 1 else 0.4))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (cell, test) in zip(grid.flat, best, strict=False):
        _panel(axes, cell, test, facts.params.evaluation.confidence)
    for axes in list(grid.flat)[len(best) :]:
        axes.set_visible(False)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    legend_below(figure, dict(zip(labels, handles, strict=True)), columns)
    return png_of(figure)


def best_rung(facts: SeriesFacts, horizon: int) -> tuple[CellFacts, ScoredRegion] | None:
    """Return the cell of lowest test loss among those whose bins are known, with its test region; the smallest of equal
    ones."""
    known = [(cell, cell.test) for cell in facts.of_horizon(horizon) if cell.test is not None and cell.test.reliability]
    losses = [math.inf if test.loss is None else test.loss for _, test in known]
    return known[losses.index(min(losses))] if known else None


def wilson(observed: float, sample: float, z: float) -> Interval:
    """Return the Wilson score interval (1927) of a proportion observed in `sample` independent draws, which need not be
    an integer."""
    spread = z * math.sqrt(observed * (1.0 - observed) / sample + z**2 / (4.0 * sample**2))
    centre = observed + z**2 / (2.0 * sample)
    scale = 1.0 + z**2 / sample
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def bin_intervals(test: ScoredRegion, z: float) -> list[Interval] | None:
    """Return one interval per bin, with the region's effective windows shared out among the bins; None where they are
    unknown."""
    stored = test.loss_interval
    effective = stored.effective_n if stored else None
    total = sum(one.windows for one in test.reliability)
    if not effective or not total:
        return None
    return [wilson(one.observed, effective * one.windows / total, z) for one in test.reliability]


def _panel(axes: Axes, cell: CellFacts, test: ScoredRegion, confidence: float) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator
    from scipy.stats import norm

    bins = test.reliability
    predicted, observed = [one.predicted for one in bins], [one.observed for one in bins]
    ends = bin_intervals(test, float(norm.ppf(0.5 + confidence / 2.0)))
    ece = words.estimate(test.mean.get("ece"), test.intervals.get("ece"), 3)
    titled(axes, f"{words.days(cell.cell.horizon)} ahead: {cell.cell.budget}", f"ECE {ece}")
    axes.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linewidth=1.0, zorder=1, label="forecast as often as it happens")
    if test.base_rate is not None:
        axes.axhline(
            test.base_rate, color=CONTRAST, linestyle=(0, (4, 2)), linewidth=1.2, zorder=1,
            label="base rate of the region",
        )  # fmt: skip
    if ends is not None:
        reach = _error_bars(observed, ends)
        axes.errorbar(
            predicted, observed, yerr=reach, fmt="none", ecolor=MODEL, capsize=3, elinewidth=1.1, alpha=0.6, zorder=2
        )  # fmt: skip
    axes.plot(
        predicted,
        observed,
        "o-",
        color=MODEL,
        markersize=5,
        linewidth=1.2,
        zorder=3,
        label="model, a tenth of the windows a dot",
    )
    top = max([*predicted, *observed, *(high for _, high in ends or [])])
    # Rare events fill only a corner; a multiple of 0.2 keeps the ticks round.
    limit = min(1.0, 0.2 * math.ceil(top / 0.2 - 1e-9))
    margin = 0.02 * limit
    axes.set(xlim=(-margin, limit + margin), ylim=(-margin, limit + margin), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.2 if limit > 0.4 else 0.1))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.set_xlabel("predicted probability", color=INK)
    axes.set_ylabel("observed frequency", color=INK)
    plain(axes, grid="both")


def _error_bars(observed: Sequence[float], ends: Sequence[Interval]) -> list[list[float]]:
    """Return the distances from the observed values down and up to the ends, never below 0 by rounding."""
    below = [max(0.0, value - low) for value, (low, _) in zip(observed, ends, strict=True)]
    above = [max(0.0, high - value) for value, (_, high) in zip(observed, ends, strict=True)]
    return [below, above]
