"""Draw shapes.png: the widths and depths that each search tried, one panel per rung and horizon."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.artifacts.trials import TrialRecord
from tsladder.report.facts import CellFacts, Facts
from tsladder.report.figures.canvas import INK, MUTED, figure_of, plain, png_of
from tsladder.report.figures.trial_comparison import TrialComparison, trial_comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

_MOST_TICKS = 6
_LEGEND = "disc: a width and depth tried, larger with more trials; ring: winner; cross: no trial had one"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """One width and depth. `figure`: loss or AUC of the best of its `trials` trials by the objective of the search;
    None where none of them has one."""

    d_model: int
    n_layers: int
    figure: float | None
    trials: int


def shapes_of(cell: CellFacts, comparison: TrialComparison) -> tuple[Shape, ...]:
    """Group the trials of a cell by width and depth, narrowest and shallowest first."""
    by_shape: dict[tuple[int, int], list[TrialRecord]] = {}
    for trial in cell.search.trials:
        if trial.shape is not None:
            by_shape.setdefault(trial.shape, []).append(trial)
    return tuple(
        Shape(
            d_model=d_model,
            n_layers=n_layers,
            figure=comparison.best(tried),
            trials=len(tried),
        )
        for (d_model, n_layers), tried in sorted(by_shape.items())
    )


def draw_shapes(facts: Facts) -> bytes | None:
    """Return the PNG of all planned rungs and horizons; None where no trial has a shape."""
    comparison = trial_comparison(facts)
    shapes = {str(cell.cell): shapes_of(cell, comparison) for cell in facts.planned}
    budgets = [b for b in facts.params.ladder if any(shapes[str(c.cell)] for c in facts.planned if c.cell.budget == b)]
    horizons = [h for h in facts.params.horizons if any(shapes[str(c.cell)] for c in facts.of_horizon(h))]
    if not budgets:
        return None
    figure = figure_of(3.1 * len(horizons) + 0.6, 2.1 * len(budgets) + 1.4, dpi=110)
    legend = "\n".join(textwrap.wrap(_LEGEND, width=52 * len(horizons)))
    figure.suptitle(legend, x=0.02, ha="left", fontsize=9, color=MUTED)
    grid = figure.subplots(len(budgets), len(horizons), squeeze=False, sharex="row", sharey="row")
    cells = {(cell.cell.budget, cell.cell.horizon): cell for cell in facts.planned}
    for column, horizon in enumerate(horizons):
        scale = _scale([shape for budget in budgets for shape in shapes[str(cells[budget, horizon].cell)]], comparison)
        for row, budget in enumerate(budgets):
            cell = cells[budget, horizon]
            _panel(grid[row, column], cell, shapes[str(cell.cell)], scale, comparison)
        _colour_bar(figure, list(grid[:, column]), scale, facts.horizon(horizon), comparison)
        grid[-1, column].set_xlabel("width, d_model", color=INK, fontsize=9)
    for row, budget in enumerate(budgets):
        tried = [shape for horizon in horizons for shape in shapes[str(cells[budget, horizon].cell)]]
        _axes(grid[row], tried)
        grid[row, 0].set_ylabel("depth, n_layers", color=INK, fontsize=9)
    return png_of(figure)


def _scale(shapes: Sequence[Shape], comparison: TrialComparison) -> Normalize | None:
    figures = [shape.figure for shape in shapes if shape.figure is not None]
    return comparison.scale(figures) if figures else None


def _panel(
    axes: Axes, cell: CellFacts, shapes: Sequence[Shape], scale: Normalize | None, comparison: TrialComparison
) -> None:
    axes.set_title(str(cell.cell), loc="left", fontweight="bold", fontsize=9.5, color=INK)
    if not shapes:
        axes.text(0.5, 0.5, "no trial", transform=axes.transAxes, ha="center", va="center", color=MUTED, fontsize=9)
    reached = [shape for shape in shapes if shape.figure is not None]
    failed = [shape for shape in shapes if shape.figure is None]
    if reached:
        axes.scatter(
            [shape.d_model for shape in reached], [shape.n_layers for shape in reached],
            c=np.array([shape.figure for shape in reached], dtype=np.float64),
            s=[_area(shape) for shape in reached], cmap=comparison.colours, norm=scale, edgecolors=INK,
            linewidths=0.4, zorder=3,
        )  # fmt: skip
    if failed:
        axes.scatter(
            [shape.d_model for shape in failed], [shape.n_layers for shape in failed], marker="x", color=MUTED, s=30,
            zorder=2,
        )  # fmt: skip
    _mark_winner(axes, cell.winner.architecture if cell.winner else {}, shapes)


def _area(shape: Shape) -> float:
    return 28.0 + 14.0 * min(shape.trials - 1, 10)


def _mark_winner(axes: Axes, winner: Mapping[str, int], shapes: Sequence[Shape]) -> None:
    if "d_model" not in winner or "n_layers" not in winner:
        return
    at = (winner["d_model"], winner["n_layers"])
    around = next((_area(shape) for shape in shapes if (shape.d_model, shape.n_layers) == at), 28.0)
    axes.scatter([at[0]], [at[1]], s=around + 110.0, facecolors="none", edgecolors="#c02942", linewidths=1.8, zorder=4)


def _axes(row: Sequence[Axes], shapes: Sequence[Shape]) -> None:
    """Set the logarithmic axes of one rung, labelled at sizes that occur."""
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    widths = sorted({shape.d_model for shape in shapes})
    depths = sorted({shape.n_layers for shape in shapes})
    for axes in row:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(widths[0] / 1.25, widths[-1] * 1.25)
        axes.set_ylim(depths[0] / 1.5, depths[-1] * 1.5)
        for axis, values in ((axes.xaxis, widths), (axes.yaxis, depths)):
            axis.set_major_locator(FixedLocator(thinned(values)))
            axis.set_major_formatter(ScalarFormatter())
            axis.set_minor_locator(NullLocator())
        plain(axes, grid="both")
        axes.tick_params(labelsize=8)


def thinned(values: Sequence[int]) -> list[int]:
    """Return as many of the sorted sizes `values` as have room for their labels on a logarithmic axis: both ends, and
    sizes far enough from their neighbours."""
    least = np.log(values[-1] / values[0]) / _MOST_TICKS
    kept = [values[0]]
    for value in values[1:-1]:
        if np.log(value / kept[-1]) >= least and np.log(values[-1] / value) >= least:
            kept.append(value)
    return kept if len(values) == 1 else [*kept, values[-1]]


def _colour_bar(
    figure: Any, column: Sequence[Axes], scale: Normalize | None, horizon: str, comparison: TrialComparison
) -> None:
    from matplotlib.cm import ScalarMappable

    if scale is None:
        return
    bar = figure.colorbar(
        ScalarMappable(scale, comparison.colours), ax=column, location="bottom", extend=comparison.extends, aspect=28,
        shrink=0.9, pad=0.02,
    )  # fmt: skip
    bar.set_label(f"{comparison.label}, {horizon} ahead", color=INK, fontsize=9)
    bar.ax.tick_params(labelsize=8, colors=INK)
