"""The figures scaling.png and fit.png, drawn from the record: one panel per horizon or group, loss against size.

Both axes are logarithmic. Of rankings, whose loss is 1 - RankIC, the RankIC is drawn, on a linear axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tsladder.artifacts.law import HorizonLaw, LawPoint, StudyLaw
from tsladder.artifacts.law_fits import PowerLaw, RankIcPerTenfold
from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER
from tsladder.artifacts.store import replacing
from tsladder.law.curve.floor import loss_above_floor
from tsladder.law.curve.forms import Form
from tsladder.law.curve.line import Floats
from tsladder.law.curve.overfit import loss_on_parabola
from tsladder.law.curve.power_law import interval_at, loss_at
from tsladder.law.evidence.detection import FEW_DOF
from tsladder.law.points import size_in_words
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER
from tsladder.ranking.words import gain, is_rank_error, rank_ic
from tsladder.tasks import loss_unit, loss_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#1f2933"
_MUTED = "#6b7785"
_MODEL = "#0b5fa5"
_BASELINES = {
    "base_rate": ("#8a8f98", (0, (1, 1.6)), "constant of training"),
    "own_rate": ("#b3541e", (0, (4, 2)), "own constant (hindsight)"),
    "volatility_logistic": ("#2f855a", (0, (6, 1.5, 1, 1.5)), "volatility logistic"),
    "zero_return": ("#b7791f", (0, (1, 3)), "zero return"),
    "last_day_ratio_ridge": ("#7b4397", (0, (3, 1, 1, 1, 1, 1)), "last-day ratio ridge"),
    "persistence": ("#a0527d", (0, (5, 1)), "persistence"),
    "gradient_boosted_trees": ("#0e7490", (0, (2, 1)), "gradient-boosted trees"),
    "last_day_ratio_logistic": ("#7b4397", (0, (3, 1, 1, 1, 1, 1)), "last-day ratio logistic"),
}
_CONSTANT_RANKINGS: Mapping[str, tuple[str, Any, str]] = {
    NO_ORDER: ("#8a8f98", (0, (1, 1.6)), "no order"),
    STATIC_ORDER: ("#b3541e", (0, (4, 2)), "static order of training"),
}
_BEST_RANKING: tuple[str, Any] = ("#2f855a", (0, (6, 1.5, 1, 1.5)))
_OTHER = ("#57534e", (0, (5, 2, 1, 2, 1, 2)))
_OTHER_FORM = "#b3541e"
_COLUMNS = 3
_LONGEST_NAME = 22
_MOST_TICKS = 12
MOST_PANELS = 60
_MOST_LEVEL_LABELS = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """The texts of a panel: its `heading`, the axis label `loss`, and `mean`, the legend of the points with error
    bars. `ranks`: the losses are rank errors, and RankIC is drawn; `over_days`: the legend of its intervals."""

    heading: str
    loss: str
    mean: str
    ranks: bool = False
    over_days: str = ""

    def shown(self, loss: Floats) -> Floats:
        """Return what is drawn of a loss."""
        return 1.0 - loss if self.ranks else loss


def draw_scaling(law: StudyLaw, path: Path) -> None:
    """Draw each horizon: points with one standard error, the power law with its interval, constants and baselines as
    lines."""
    ranks = is_rank_error(law.metric)
    loss = f"{loss_words(law.metric)} on {law.region} ({loss_unit(law.metric)})"
    loss = f"RankIC on {law.region}, mean over days" if ranks else loss
    over_days = f"{law.confidence:.0%} interval over days"
    panels = []
    for horizon, of_horizon in law.horizons.items():
        heading = f"{horizon} day{'' if horizon == 1 else 's'} ahead"
        words = _Words(
            heading=heading, loss=loss, mean="rung mean ± 1 se; dots: seeds", ranks=ranks, over_days=over_days
        )
        panels.append((words, of_horizon))
    _draw(panels, path)


def draw_groups(metric: str, groups: Mapping[str, HorizonLaw], path: Path) -> None:
    """Draw the first `MOST_PANELS` groups of a table as `draw_scaling` does; where data vary, the surface at four
    amounts."""
    ranks = is_rank_error(metric)
    panels = [
        (
            _Words(
                heading=name,
                loss="RankIC" if ranks else metric,
                mean="rung mean ± 1 se; dots: single rows",
                ranks=ranks,
            ),
            law,
        )
        for name, law in groups.items()
    ]
    _draw(panels[:MOST_PANELS], path)


def _draw(panels: Sequence[tuple[_Words, HorizonLaw]], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 2 if len(panels) == 4 else max(1, min(_COLUMNS, len(panels)))
    rows = max(1, -(-len(panels) // columns))
    figure = Figure(figsize=(4.9 * columns, 4.5 * rows + 0.9), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(rows, columns, squeeze=False)
    handles: dict[str, Any] = {}
    for axes, (words, law) in zip(grid.flat, panels, strict=False):
        _panel(axes, words, law)
        drawn, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, drawn, strict=True))
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    if handles:
        ranks = any(words.ranks for words, _ in panels)
        figure.legend(
            handles.values(), handles.keys(), loc="outside lower center", ncols=min(2 * columns, len(handles)),
            frameon=False, fontsize=8.5 if ranks else 9, labelcolor=_INK, handlelength=2.8,
        )  # fmt: skip
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None}, facecolor="white")


def _panel(axes: Axes, words: _Words, law: HorizonLaw) -> None:
    _titles(axes, words.heading, law)
    points = law.kept
    axes.set_xlabel("parameters", color=_INK)
    axes.set_ylabel(words.loss, color=_INK)
    if not points:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, "no rung has a loss", transform=axes.transAxes, ha="center", color=_MUTED)
        return
    n = np.array([point.measured[0] for point in points], dtype=np.float64)
    span = np.geomspace(n.min() / 1.6, n.max() * 1.6, 200)
    if law.size_at_equal_data is not None and law.surface is not None:
        _surface(axes, span, n, points, law.surface, words)
    else:
        if law.fits.power is not None:
            _law(axes, span, law.fits.power, words)
        _curve(axes, span, law, words)
        if words.ranks:
            _rankings(axes, law)
        else:
            _references(axes, law)
        _intervals(axes, points, words)
        _means(axes, n, points, words)
    _axes(axes, span, n, log=not words.ranks)


def _means(axes: Axes, n: Floats, points: Sequence[LawPoint], words: _Words) -> None:
    for point in points:
        runs = words.shown(np.array([run.loss for run in point.seeds]))
        axes.plot([point.measured[0]] * len(runs), runs, ".", color=_MODEL, alpha=0.35, markersize=5, zorder=4)
    se = np.array([point.se or 0.0 for point in points])
    axes.errorbar(
        n, words.shown(_losses(points)), yerr=se if se.any() else None, fmt="o", color=_MODEL, markersize=6.5,
        capsize=3, elinewidth=1.3, markeredgecolor="white", markeredgewidth=0.8, zorder=5,
        label=words.mean if se.any() else f"{'RankIC' if words.ranks else 'loss'}, without a standard error",
    )  # fmt: skip


def _intervals(axes: Axes, points: Sequence[LawPoint], words: _Words) -> None:
    """Draw the interval over days of each rung that has one."""
    known = [(point.measured[0], point.loss_ci) for point in points if point.loss_ci is not None]
    for number, (size, ends) in enumerate(known):
        label = words.over_days if number == 0 else None
        reach = words.shown(np.array(ends))
        axes.plot([size, size], reach, color=_MODEL, alpha=0.28, linewidth=4.5, zorder=2, label=label)


def _losses(points: Sequence[LawPoint]) -> Floats:
    return np.array([point.measured[1] for point in points], dtype=np.float64)


def _surface(
    axes: Axes, span: Floats, n: Floats, points: Sequence[LawPoint], surface: Mapping[str, Any], words: _Words
) -> None:
    """Draw the points coloured by amount of data, and the fitted surface along N at four amounts."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    data = np.array([point.n_data for point in points], dtype=np.float64)
    colours, shade = colormaps["viridis"].reversed(), LogNorm(float(data.min()), float(data.max()))
    known = [surface[name] for name in ("E", "A", "B", "alpha", "beta")]
    if all(value is not None for value in known):
        E, A, B, alpha, beta = known
        for index, share in enumerate((0.05, 0.35, 0.65, 0.95)):
            amount = float(np.exp(np.quantile(np.log(data), share)))
            label = "surface at four amounts of data (colour)" if index == 0 else None
            fitted = words.shown(E + A * span**-alpha + B * amount**-beta)
            axes.plot(span, fitted, color=colours(shade(amount)), linewidth=1.4, zorder=3, label=label)
    loss = words.shown(_losses(points))
    drawn = axes.scatter(
        n, loss, c=data, cmap=colours, norm=shade, s=20, edgecolors="white", linewidths=0.5, zorder=5, label="points"
    )
    # Scattered points are no line: without this the limits would not see them.
    axes.plot(n, loss, linestyle="none")
    if axes.figure is not None:
        bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, aspect=30)
        bar.set_label("n_data", color=_INK)


def _curve(axes: Axes, span: Floats, law: HorizonLaw, words: _Words) -> None:
    """Draw the form that the rungs support instead of a power law, if there is one."""
    floor, turn = law.fits.power_floor, law.fits.overfit
    if law.form == Form.FLOOR and floor is not None:
        axes.plot(
            span, words.shown(loss_above_floor(floor, span)), color=_OTHER_FORM, linewidth=1.6, zorder=3,
            label=r"supported: $1 - E - A\,N^{-\alpha}$" if words.ranks else r"supported: $E + A\,N^{-\alpha}$",
        )  # fmt: skip
    elif law.form == Form.TURN and turn is not None and turn.turns_at_n is not None and turn.loss_at_turn is not None:
        curve, at = words.shown(loss_on_parabola(turn, span)), words.shown(np.array([turn.loss_at_turn]))
        told = "supported: rises, then falls" if words.ranks else "supported: falls, then rises"
        axes.plot(span, curve, color=_OTHER_FORM, linewidth=1.6, zorder=3, label=told)
        marker = "^" if words.ranks else "v"
        axes.plot([turn.turns_at_n], at, marker, color=_OTHER_FORM, markersize=8, zorder=6, label="turn")


def _titles(axes: Axes, name: str, law: HorizonLaw) -> None:
    shown = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    heading = f"{shown}: {law.verdict.replace('_', ' ')}"
    axes.set_title(heading, loc="left", fontweight="bold", color=_INK, pad=22, parse_math=False)
    power, surface, floor = law.fits.power, law.surface or {}, law.fits.power_floor
    if (found := law.rank_ic_per_tenfold) is not None:
        words = _slope(found)
    elif law.form == Form.FLOOR and floor is not None and floor.identified and floor.E_ci is not None:
        low, high = floor.E_ci
        words = f"E = {floor.E:.4g} [{low:.4g}, {high:.4g}]   above it α = {floor.alpha:.3f}"
    elif law.form == Form.SURFACE and surface.get("alpha_ci"):
        low, high = surface["alpha_ci"]
        words = f"α = {surface['alpha']:.3f} [{low:.3f}, {high:.3f}]  "
        words += f"β = {surface['beta']:.3f}  E = {surface['E']:.4g}"
    elif power is not None:
        low, high = power.alpha_ci
        words = f"α = {power.alpha:.4f}  [{low:.4f}, {high:.4f}]"
        if power.dof >= FEW_DOF and (least := law.minimum_detectable_alpha) is not None:
            words += f"   detectable: {least:.4f}"
    else:
        words = "no exponent"
    size = 9.0 if found is None else 8.5
    line = axes.text(0.0, 1.025, words, transform=axes.transAxes, fontsize=size, color=_MUTED)
    # The title's padding makes room for it; counted by the layout, a long one would narrow the panel.
    line.set_in_layout(False)


def _slope(found: RankIcPerTenfold) -> str:
    told = f"RankIC per tenfold {gain(found.value)} [{rank_ic(found.low)}, {rank_ic(found.high)}]"
    return told if found.detectable is None else f"{told}  detectable {rank_ic(found.detectable)}"


def _law(axes: Axes, span: Floats, power: PowerLaw, words: _Words) -> None:
    law = r"power law $1 - C\,N^{-\alpha}$" if words.ranks else r"power law $C\,N^{-\alpha}$"
    axes.plot(span, words.shown(loss_at(power, span)), color=_MODEL, linewidth=1.7, zorder=3, label=law)
    label = f"its {power.confidence:.0%} interval, of the rungs"
    low, high = (words.shown(end) for end in interval_at(power, span))
    axes.fill_between(span, low, high, color=_MODEL, alpha=0.13, linewidth=0, zorder=1, label=label)


def _references(axes: Axes, law: HorizonLaw) -> None:
    losses = {"base_rate": law.base_rate_loss, "own_rate": law.own_rate_loss} | dict(law.baselines)
    for name, loss in losses.items():
        if loss is not None:
            color, dashes, label = _BASELINES.get(name, (*_OTHER, name.replace("_", " ")))
            axes.axhline(loss, color=color, linestyle=dashes, linewidth=1.4, zorder=2, label=label)


def _rankings(axes: Axes, law: HorizonLaw) -> None:
    """Draw the RankIC of both constant rankings and of the best baseline that was known in advance."""
    known = {name: 1.0 - loss for name, loss in law.baselines.items() if name != OWN_STATIC_ORDER}
    for name, (color, dashes, label) in _CONSTANT_RANKINGS.items():
        if name in known:
            axes.axhline(known[name], color=color, linestyle=dashes, linewidth=1.4, zorder=2, label=label)
    rivals = {name: value for name, value in known.items() if name not in _CONSTANT_RANKINGS}
    if rivals:
        best = max(rivals, key=lambda name: (rivals[name], name))
        color, dashes = _BEST_RANKING
        label = f"best baseline: {best.replace('_', ' ')}"
        axes.axhline(rivals[best], color=color, linestyle=dashes, linewidth=1.4, zorder=2, label=label)


def _axes(axes: Axes, span: Floats, n: Floats, *, log: bool) -> None:
    """Set the axes: sizes in logs, losses too where `log`. Their range follows points and reference lines, not the band
    of a short ladder, which can be very wide."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(span[0], span[-1])
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=np.float64) for line in axes.get_lines()])
    drawn = drawn[np.isfinite(drawn)]
    if log:
        axes.set_yscale("log")
        low, high = float(drawn[drawn > 0.0].min()), float(drawn.max())
        margin = max(0.08 * np.log(high / low), 0.01)
        bottom, top = low * np.exp(-margin), high * np.exp(margin)
    else:
        low, high = float(drawn.min()), float(drawn.max())
        margin = max(0.08 * (high - low), 0.001)
        bottom, top = low - margin, high + margin
    axes.set_ylim(bottom, top)
    ticks = np.unique(n)
    axes.xaxis.set_major_locator(FixedLocator(ticks.tolist()) if ticks.size <= _MOST_TICKS else LogLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: size_in_words(value)))
    axes.xaxis.set_minor_locator(NullLocator())
    levels = _round_ticks(bottom, top)
    decimals = max((len(f"{level:.6g}".partition(".")[2]) for level in levels), default=2)
    axes.yaxis.set_major_locator(FixedLocator(levels))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.{decimals}f}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(colors=_INK, labelsize=9)
    if _MOST_LEVEL_LABELS < ticks.size <= _MOST_TICKS:
        axes.tick_params(axis="x", labelrotation=45)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#9aa5b1")


def _round_ticks(bottom: float, top: float) -> list[float]:
    """Return four to nine round values of one spacing between the limits."""
    from matplotlib.ticker import MaxNLocator

    return [float(tick) for tick in MaxNLocator(nbins=7).tick_values(bottom, top) if bottom <= tick <= top]
