"""Draw rank_ic.png: RankIC and quantile spread of every ranking on the test days, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tsladder.artifacts.ranking_scores import RegionBaselines
from tsladder.report.figures.canvas import CONTRAST, INK, MODEL, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.rankings import Kind, ShownRanking, Standing, shown_rankings
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import Region

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_ROW_INCHES, _HEAD_INCHES, _LEGEND_INCHES = 0.29, 1.05, 0.45
_DIGITS = 9.0
_LINE = "stricter constant"
_SEEDS = "seeds of a rung"

_LOOKS: Mapping[str, tuple[str, str, str]] = {
    "RankIC beats it": ("o", MODEL, MODEL),
    "not told apart from it": ("o", MODEL, "white"),
    "worse than it": ("v", CONTRAST, CONTRAST),
    "constant": ("s", MUTED, MUTED),
    "in hindsight, only shown": ("D", MUTED, "white"),
}
"""Group of a ranking -> marker, colour of edge and interval, colour of the inside."""


_STANDINGS = {
    Standing.BEATS: "RankIC beats it",
    Standing.UNDECIDED: "not told apart from it",
    Standing.WORSE: "worse than it",
}


def draw_rank_ic(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one row of panels per horizon; None where none has been scored."""
    scored = facts.scored()
    if not scored:
        return None
    shown = {horizon: shown_rankings(facts, level, Region.TEST) for horizon, level in scored.items()}
    heights = [_HEAD_INCHES + _ROW_INCHES * len(rankings) for rankings in shown.values()]
    figure = figure_of(10.4, sum(heights) + _LEGEND_INCHES)
    grid = figure.subplots(len(scored), 2, squeeze=False, sharey="row", gridspec_kw={"height_ratios": heights})
    entries: dict[str, Artist] = {}
    confidence = confidence_level(facts.params.evaluation.confidence)
    for (horizon, level), (left, right) in zip(scored.items(), grid, strict=True):
        said = f"{confidence} intervals, {level.windows:,} test days"
        titled(left, f"RankIC, horizon {words.sessions(horizon)}", said)
        titled(right, "Quantile spread, before costs", said)
        _panel(left, level, shown[horizon], "rank_ic", entries)
        _panel(right, level, shown[horizon], "quantile_spread", entries)
        left.set_xlabel("RankIC, mean over days (0: no order, 1: perfect)", fontsize=_DIGITS, color=INK)
        right.set_xlabel("top fifth less bottom fifth, basis points a day", fontsize=_DIGITS, color=INK)
    legend = {name: entries[name] for name in (_LINE, *_LOOKS, _SEEDS) if name in entries}
    figure.legend(
        legend.values(),
        legend,
        loc="outside lower center",
        ncols=len(legend),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
    )
    return png_of(figure)


def _panel(
    axes: Axes, level: RegionBaselines, shown: Sequence[ShownRanking], metric: str, entries: dict[str, Artist]
) -> None:
    line = axes.axvline(
        getattr(level.baselines[level.stricter], metric), color=MUTED, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1
    )
    entries.setdefault(_LINE, line)
    for row, one in enumerate(shown):
        value = words.defined(getattr(one.scores, metric))
        found = one.intervals.get(metric)
        if value is None:
            axes.text(0.5, row, words.UNDEFINED, transform=axes.get_yaxis_transform(), fontsize=_DIGITS, color=MUTED)
            continue
        look = _look(one)
        marker, colour, inside = _LOOKS[look]
        if found is not None:
            axes.plot([found.low, found.high], [row, row], color=colour, linewidth=1.6, zorder=2)
        if one.seeds:
            seeds = [getattr(seed, metric) for seed in one.seeds]
            (dots,) = axes.plot(seeds, [row - 0.28] * len(seeds), ".", color=INK, markersize=4.0, zorder=3)
            entries.setdefault(_SEEDS, dots)
        (point,) = axes.plot(
            [value], [row], marker=marker, color=colour, markerfacecolor=inside, markersize=6.5, linestyle="none",
            zorder=3,
        )  # fmt: skip
        entries.setdefault(look, point)
    rungs = sum(one.kind is Kind.RUNG for one in shown)
    if rungs:
        axes.axhline(rungs - 0.5, color=MUTED, linewidth=0.7, zorder=1)
    titles = [one.title if one.kind is Kind.RUNG else words.name(one.name) for one in shown]
    axes.set_yticks(range(len(shown)), titles)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    plain(axes, grid="x")


def _look(one: ShownRanking) -> str:
    if one.kind is Kind.HINDSIGHT:
        return "in hindsight, only shown"
    return "constant" if one.kind is Kind.CONSTANT else _STANDINGS[one.standing]
