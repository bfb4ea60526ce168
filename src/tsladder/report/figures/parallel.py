"""Draw parallel.png: every trial as a line through its settings, one panel per horizon, coloured by the objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.trials import TrialRecord
from tsladder.report import words
from tsladder.report.facts import Facts
from tsladder.report.figures.canvas import GRID, INK, MUTED, figure_of, png_of
from tsladder.report.figures.trial_comparison import TrialComparison, trial_comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOGARITHMIC = ("n_params", "d_model", "n_layers", "n_heads", "d_ff", "learning_rate", "weight_decay")
LINEAR = ("dropout", "warmup_steps")


def settings_of(trials: Sequence[TrialRecord]) -> dict[str, NDArray[np.float64]]:
    """Return axis name -> one number per trial, only for axes on which the trials differ. A value is NaN where a trial
    has none, and where a logarithmic axis has no place for it (a weight decay of zero)."""
    axes = {}
    for name in (*LOGARITHMIC, *LINEAR):
        raw = [trial.outcome.n_params if name == "n_params" else trial.params.get(name) for trial in trials]
        values = np.array([np.nan if value is None else float(value) for value in raw])
        if name in LOGARITHMIC:
            values[~(values > 0.0)] = np.nan
        known = values[np.isfinite(values)]
        if len(known) and known.min() < known.max():
            axes[name] = values
    return axes


def heights(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the position of each value between the lowest (0) and the highest (1) of its axis."""
    placed = np.log(values) if name in LOGARITHMIC else values
    low, high = np.nanmin(placed), np.nanmax(placed)
    inside: NDArray[np.float64] = (placed - low) / (high - low)
    return inside


def draw_parallel(facts: Facts) -> bytes | None:
    """Return the PNG; None where no horizon has two trials with a figure that differ in a setting."""
    comparison = trial_comparison(facts)
    panels = []
    for horizon in facts.params.horizons:
        tried = [trial for cell in facts.of_horizon(horizon) for trial in cell.search.trials]
        trials = [trial for trial in tried if comparison.figure(trial) is not None]
        axes = settings_of(trials)
        if len(trials) > 1 and axes:
            panels.append((horizon, trials, axes))
    if not panels:
        return None
    figure = figure_of(11.0, 3.1 * len(panels) + 0.3, dpi=90)
    grid = figure.subplots(len(panels), 1, squeeze=False)
    for axes, (horizon, trials, settings) in zip(grid[:, 0], panels, strict=True):
        _panel(figure, axes, facts.horizon(horizon), trials, settings, comparison)
    return png_of(figure)


def _panel(
    figure: Any,
    axes: Axes,
    horizon: str,
    trials: Sequence[TrialRecord],
    settings: dict[str, NDArray[np.float64]],
    comparison: TrialComparison,
) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import LineCollection

    figures = np.array([comparison.figure(trial) for trial in trials], dtype=np.float64)
    scale = comparison.scale(figures.tolist())
    placed = np.column_stack([heights(name, values) for name, values in settings.items()])
    at = np.arange(placed.shape[1], dtype=np.float64)
    # The best last, on top.
    order = np.argsort(figures if comparison.by_auc else -figures, kind="stable")
    lines = [np.column_stack([at, placed[index]])[np.isfinite(placed[index])] for index in order]
    colours = colormaps[comparison.colours](scale(figures[order]))
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=1.0, alpha=0.7))
    best = lines[-1]
    axes.plot(best[:, 0], best[:, 1], color="#c02942", linewidth=2.2, zorder=3)
    for position, (name, values) in zip(at, settings.items(), strict=True):
        axes.axvline(position, color=GRID, linewidth=1.2, zorder=0)
        for value, height, below in ((np.nanmin(values), -0.04, True), (np.nanmax(values), 1.04, False)):
            axes.text(
                position, height, _short(value), ha="center", va="top" if below else "bottom", fontsize=8, color=MUTED
            )
        axes.text(position, 1.17, name, ha="center", va="bottom", fontsize=9, color=INK)
    axes.set_xlim(-0.3, at[-1] + 0.3)
    axes.set_ylim(-0.15, 1.3)
    axes.set_axis_off()
    axes.set_title(
        f"{horizon} ahead: {words.counted(len(trials), 'trial')}, the best of them in red",
        loc="left", fontweight="bold", fontsize=10, color=INK,
    )  # fmt: skip
    bar = figure.colorbar(
        ScalarMappable(scale, comparison.colours), ax=axes, extend=comparison.extends, aspect=14, pad=0.01
    )
    bar.set_label(comparison.label, color=INK, fontsize=8)
    bar.ax.tick_params(labelsize=8, colors=INK)


def _short(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:,.0f}k" if value < 1e6 else f"{value / 1e6:.3g}M"
    return f"{value:.3g}"
