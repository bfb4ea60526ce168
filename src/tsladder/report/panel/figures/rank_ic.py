"""Draw rank_ic.png: RankIC and quantile spread of every ranking on the test days, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RegionBaselines
from tsladder.ranking.level import CONSTANTS, LevelToBeat, in_order, level_to_beat
from tsladder.report.figures.canvas import CONTRAST, INK, MODEL, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.words import level as confidence_level

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_ROW_INCHES, _HEAD_INCHES, _LEGEND_INCHES = 0.29, 1.05, 0.45
_DIGITS = 9.0
_LINE = "stricter constant"

_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "RankIC beats it": ("o", MODEL, MODEL),
    "not told apart from it": ("o", MODEL, "white"),
    "worse than it": ("v", CONTRAST, CONTRAST),
    "constant": ("s", MUTED, MUTED),
    "in hindsight, only shown": ("D", MUTED, "white"),
}
"""Group of a baseline -> marker, colour of edge and interval, colour of the inside."""


def draw_rank_ic(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one row of panels per horizon; None where none has been scored."""
    scored = facts.scored()
    if not scored:
        return None
    heights = [_HEAD_INCHES + _ROW_INCHES * len(level.baselines) for level in scored.values()]
    figure = figure_of(10.4, sum(heights) + _LEGEND_INCHES)
    grid = figure.subplots(len(scored), 2, squeeze=False, sharey="row", gridspec_kw={"height_ratios": heights})
    entries: dict[str, Artist] = {}
    confidence = confidence_level(facts.params.evaluation.confidence)
    for (horizon, level), (left, right) in zip(scored.items(), grid, strict=True):
        said = f"{confidence} intervals, {level.windows:,} test days"
        titled(left, f"RankIC, horizon {words.sessions(horizon)}", said)
        titled(right, "Quantile spread, before costs", said)
        _panel(left, level, "rank_ic", entries)
        _panel(right, level, "quantile_spread", entries)
        left.set_xlabel("RankIC, mean over days (0: no order, 1: perfect)", fontsize=_DIGITS, color=INK)
        right.set_xlabel("top fifth less bottom fifth, basis points a day", fontsize=_DIGITS, color=INK)
    shown = {name: entries[name] for name in (_LINE, *_LOOKS) if name in entries}
    figure.legend(
        shown.values(), shown, loc="outside lower center", ncols=len(shown), frameon=False, fontsize=9, labelcolor=INK
    )
    return png_of(figure)


def _panel(axes: Axes, level: RegionBaselines, metric: str, entries: dict[str, Artist]) -> None:
    to_beat = level_to_beat(level)
    names = in_order(level)
    line = axes.axvline(
        getattr(level.baselines[to_beat.constant], metric), color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1
    )
    entries.setdefault(_LINE, line)
    for row, name in enumerate(names):
        value = words.defined(getattr(level.baselines[name], metric))
        found = level.baseline_intervals.get(name, {}).get(metric)
        if value is None:
            axes.text(0.5, row, words.UNDEFINED, transform=axes.get_yaxis_transform(), fontsize=_DIGITS, color=MUTED)
            continue
        look = _look(name, to_beat)
        marker, colour, inside = _LOOKS[look]
        if found is not None:
            axes.plot([found.low, found.high], [row, row], color=colour, linewidth=1.6, zorder=2)
        (point,) = axes.plot(
            [value], [row], marker=marker, color=colour, markerfacecolor=inside, markersize=6.5, linestyle="none",
            zorder=3,
        )  # fmt: skip
        entries.setdefault(look, point)
    axes.set_yticks(range(len(names)), [words.name(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    plain(axes, grid="x")


def _look(name: str, to_beat: LevelToBeat) -> str:
    if name == OWN_STATIC_ORDER:
        return "in hindsight, only shown"
    if name in CONSTANTS:
        return "constant"
    if name in to_beat.beat:
        return "RankIC beats it"
    return "worse than it" if name in to_beat.worse else "not told apart from it"
