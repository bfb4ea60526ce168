"""Draw residuals.png: the residual of each rung from the power law, one panel per horizon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.artifacts.law import HorizonLaw
from tsladder.law.points import size_in_words
from tsladder.report import words
from tsladder.report.facts import Facts
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

_MOST_LEVEL_LABELS = 6


def draw_residuals(facts: Facts) -> bytes | None:
    """Return the PNG of the horizons that have a power law; None where none has."""
    found = {horizon: law for horizon in facts.params.horizons if (law := facts.law_of(horizon)) is not None}
    laws = [(horizon, law, off) for horizon, law in found.items() if (off := residuals_percent(law)) is not None]
    if not laws:
        return None
    rows, columns = grid_of(len(laws))
    figure = figure_of(4.4 * columns, 3.3 * rows + (1.0 if columns == 1 else 0.5))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (horizon, law, residuals) in zip(grid.flat, laws, strict=False):
        _panel(axes, facts.horizon(horizon), law, residuals)
    for axes in list(grid.flat)[len(laws) :]:
        axes.set_visible(False)
    drawn: dict[str, Any] = {}
    for axes in grid.flat:
        drawn |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    legend_below(figure, drawn, columns)
    return png_of(figure)


def residuals_percent(law: HorizonLaw) -> list[float] | None:
    """Return measured loss over fitted loss less 1, in percent, for each point; None without a power law."""
    power = law.fits.power
    if power is None or not law.kept:
        return None
    measured = [point.measured for point in law.kept]
    # Relative to the reference size, since the C of a steep law overflows.
    fitted = [power.loss_at_reference * (size / power.reference_n) ** -power.alpha for size, _ in measured]
    return [100.0 * (loss / there - 1.0) for (_, loss), there in zip(measured, fitted, strict=True)]


def left_out_percent(law: HorizonLaw) -> list[tuple[float, float]]:
    """Return (size, measured loss over the loss predicted by the law of the other rungs less 1, in percent) of each
    left-out rung."""
    # The record stores predicted / measured - 1.
    errors = law.left_out_errors
    return [
        (point.measured[0], 100.0 * (1.0 / (1.0 + errors[point.cell]) - 1.0))
        for point in law.kept
        if point.cell in errors
    ]


def _panel(axes: Axes, horizon: str, law: HorizonLaw, residuals: Sequence[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    n = np.array([point.measured[0] for point in law.kept])
    errors = [100.0 * (point.se or 0.0) / point.measured[1] for point in law.kept]
    titled(axes, f"{horizon} ahead", f"α = {words.exponent(law.alpha)}  [{words.exponents(law.alpha_ci)}]")
    axes.axhline(0.0, color=MUTED, linewidth=1.0, zorder=1)
    if law.fits.power is not None:
        sd = 100.0 * law.fits.power.residual_sd
        axes.axhspan(-sd, sd, color=MODEL, alpha=0.08, linewidth=0, zorder=0, label="± 1 residual sd")
    if left_out := left_out_percent(law):
        axes.plot(
            *zip(*left_out, strict=True), "o", markerfacecolor="none", markeredgecolor=CONTRAST, markeredgewidth=1.3,
            markersize=8, zorder=3, label="from the power law of the other rungs",
        )  # fmt: skip
    axes.errorbar(
        n, residuals, yerr=errors, fmt="o", color=MODEL, markersize=5.5, capsize=3, elinewidth=1.2, zorder=4,
        label="from the power law, ± 1 se over seeds",
    )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(n.min() / 1.6, n.max() * 1.6)
    axes.set_xlabel("parameters", color=INK)
    axes.set_ylabel("measured over fitted loss (%)", color=INK)
    axes.xaxis.set_major_locator(FixedLocator(n.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: size_in_words(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.3g}" if value else "0"))
    axes.margins(y=0.12)
    plain(axes)
    if n.size > _MOST_LEVEL_LABELS:
        for label in axes.get_xticklabels():
            label.set(rotation=45, ha="right", rotation_mode="anchor")
