"""scaling.png: one panel a horizon, loss against size on log axes. Drawn from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.law.fit import PowerFit
from tsladder.law.line import Floats
from tsladder.law.points import size_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#1f2933"
_MUTED = "#6b7785"
_MODEL = "#0b5fa5"
_BASELINES = {
    "base_rate": ("#8a8f98", (0, (1, 1.6)), "training base rate"),
    "own_rate": ("#b3541e", (0, (4, 2)), "region's own rate (hindsight)"),
    "volatility_logistic": ("#2f855a", (0, (6, 1.5, 1, 1.5)), "volatility logistic"),
    "last_day_ratio_logistic": ("#7b4397", (0, (3, 1, 1, 1, 1, 1)), "last-day ratio logistic"),
}
_OTHER = ("#a0527d", (0, (5, 1)))
_COLUMNS = 3
_MOST_LEVEL_LABELS = 6


def draw_scaling(record: Mapping[str, Any], path: Path) -> None:
    """Points with one standard error, the power law with its interval, constants and baselines as lines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    horizons = record["horizons"]
    columns = 2 if len(horizons) == 4 else max(1, min(_COLUMNS, len(horizons)))
    rows = max(1, -(-len(horizons) // columns))
    figure = Figure(figsize=(4.9 * columns, 4.5 * rows + 0.9), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(rows, columns, squeeze=False)
    handles: dict[str, Any] = {}
    for axes, (horizon, law) in zip(grid.flat, horizons.items(), strict=False):
        _panel(axes, horizon, law, record)
        drawn, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, drawn, strict=True))
    for axes in list(grid.flat)[len(horizons) :]:
        axes.set_visible(False)
    if handles:
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower center", ncols=min(4, len(handles)), frameon=False,
            fontsize=9, labelcolor=_INK, handlelength=2.8,
        )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None}, facecolor="white")


def _panel(axes: Axes, horizon: str, law: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    _titles(axes, f"{horizon} day{'' if horizon == '1' else 's'} ahead", law)
    points = [point for point in law["points"] if not point["dropped"]]
    axes.set_xlabel("parameters", color=_INK)
    axes.set_ylabel(f"{record['metric'].replace('_', ' ')} on {record['region']} (nats)", color=_INK)
    if not points:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "no rung has a loss", transform=axes.transAxes, ha="center", color=_MUTED)
        return
    n = np.array([point["n_params"] for point in points], dtype=np.float64)
    loss = np.array([point["loss"] for point in points])
    span = np.geomspace(n.min() / 1.6, n.max() * 1.6, 200)
    if (power := law["fits"]["power"]) is not None:
        _law(axes, span, PowerFit.from_json(power))
    _references(axes, law)
    for point in points:
        seeds = [seed["loss"] for seed in point["seeds"]]
        axes.plot([point["n_params"]] * len(seeds), seeds, ".", color=_MODEL, alpha=0.35, markersize=5, zorder=4)
    se = [point["se"] or 0.0 for point in points]
    axes.errorbar(
        n, loss, yerr=se, fmt="o", color=_MODEL, markersize=6.5, capsize=3, elinewidth=1.3,
        markeredgecolor="white", markeredgewidth=0.8, zorder=5, label="rung mean ± 1 se; dots: seeds",
    )  # fmt: skip
    _axes(axes, span, n)


def _titles(axes: Axes, name: str, law: Mapping[str, Any]) -> None:
    axes.set_title(f"{name}: {law['verdict'].replace('_', ' ')}", loc="left", fontweight="bold", color=_INK, pad=22)
    if (power := law["fits"]["power"]) is not None:
        low, high = power["alpha_ci"]
        words = f"α = {power['alpha']:.4f}  [{low:.4f}, {high:.4f}]"
        if (least := law["minimum_detectable_alpha"]) is not None:
            words += f"   detectable: {least:.4f}"
    else:
        words = "no exponent: fewer than three sizes"
    axes.text(0.0, 1.025, words, transform=axes.transAxes, fontsize=9, color=_MUTED)


def _law(axes: Axes, span: Floats, power: PowerFit) -> None:
    axes.plot(span, power.loss_at(span), color=_MODEL, linewidth=1.7, zorder=3, label=r"power law $C\,N^{-\alpha}$")
    label = f"its {power.confidence:.0%} interval"
    axes.fill_between(span, *power.interval_at(span), color=_MODEL, alpha=0.13, linewidth=0, zorder=1, label=label)


def _references(axes: Axes, law: Mapping[str, Any]) -> None:
    losses = {"base_rate": law["base_rate_loss"], "own_rate": law["own_rate_loss"]} | dict(law["baselines"])
    for name, loss in losses.items():
        if loss is not None:
            color, dashes, label = _BASELINES.get(name, (*_OTHER, name.replace("_", " ")))
            axes.axhline(loss, color=color, linestyle=dashes, linewidth=1.4, zorder=2, label=label)


def _axes(axes: Axes, span: Floats, n: Floats) -> None:
    """Log axes whose range follows points and reference lines, not a band that a short ladder makes enormous."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(span[0], span[-1])
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.get_lines()])
    low, high = float(drawn.min()), float(drawn.max())
    margin = max(0.08 * np.log(high / low), 0.01)
    bottom, top = low * np.exp(-margin), high * np.exp(margin)
    axes.set_ylim(bottom, top)
    axes.xaxis.set_major_locator(FixedLocator(n.tolist()))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: size_in_words(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    ticks = _round_ticks(bottom, top)
    decimals = max((len(f"{tick:.6g}".partition(".")[2]) for tick in ticks), default=2)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{decimals}f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(colors=_INK, labelsize=9)
    if n.size > _MOST_LEVEL_LABELS:
        axes.tick_params(axis="x", labelrotation=45)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9aa5b1")


def _round_ticks(bottom: float, top: float) -> list[float]:
    """Round values of one spacing, four to nine of them, between the limits."""
    from matplotlib.ticker import MaxNLocator

    return [float(tick) for tick in MaxNLocator(nbins=7).tick_values(bottom, top) if bottom <= tick <= top]
