"""Draw rank_ic_over_time.png: RankIC of the best baselines and the stricter constant by year, or by month of a short
test region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.ranking_scores import RegionBaselines
from tsladder.artifacts.scores import Interval
from tsladder.evaluation.bootstrap import resampled_intervals
from tsladder.ranking.daily_figures import DailyFigures
from tsladder.report.figures.canvas import INK, MUTED, figure_of, plain, png_of, titled
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.figures.lines import Line, looks
from tsladder.report.panel.rankings import followed, legend_of, rungs_among
from tsladder.report.words import level as confidence_level
from tsladder.seeds import derive_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_YEARS_FOR_YEARS = 3
"""Length of the test days, in years, from which on they are cut by year; shorter ones are cut by month."""

_FEWEST_BLOCKS = 5
"""Blocks of the bootstrap that a part must have for an interval."""

_WIDTH = 0.64
"""Width over which the rankings of one part stand side by side, in units of the distance between two parts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One year or month: mean RankIC of each ranking, with intervals where the days allow them."""

    name: str
    means: tuple[float, ...]
    intervals: tuple[Interval | None, ...]


def draw_over_time(facts: PanelFacts) -> bytes | None:
    """Return the PNG with one panel per horizon; None without daily figures."""
    scored = {horizon: level for horizon, level in facts.scored().items() if horizon in facts.daily}
    if not scored:
        return None
    figure = figure_of(10.4, 3.5 * len(scored) + 0.1)
    panels = figure.subplots(len(scored), 1, squeeze=False)[:, 0]
    confidence = confidence_level(facts.params.evaluation.confidence)
    for (horizon, level), axes in zip(scored.items(), panels, strict=True):
        daily = followed(facts, level)
        by_year = spans_years(daily[level.stricter].dates_N)
        parts = parts_of(facts, level, daily)
        any_interval = any(found is not None for part in parts for found in part.intervals)
        said = f"bars: {confidence} intervals; " if any_interval else "too short for intervals; "
        ends = f"{level.first_day} to {level.last_day}"
        titled(axes, f"RankIC by {'year' if by_year else 'month'}, horizon {words.sessions(horizon)}", f"{said}{ends}")
        titles = {name: legend_of(facts, level, name) for name in daily}
        _panel(axes, parts, titles, looks(tuple(daily), level.stricter, rungs_among(facts, daily)))
    return png_of(figure)


def spans_years(dates_N: NDArray[np.datetime64]) -> bool:
    """Check whether the days cover enough years to be cut by year."""
    return bool((dates_N[-1] - dates_N[0]) / np.timedelta64(1, "D") >= 365 * _YEARS_FOR_YEARS)


def parts_of(facts: PanelFacts, level: RegionBaselines, followed: Mapping[str, DailyFigures]) -> list[Part]:
    """Return the years or months of the test days, in time order, with the RankIC of each ranking of `followed`."""
    daily = list(followed.values())
    dates_N = daily[0].dates_N
    keys_N = dates_N.astype("datetime64[Y]" if spans_years(dates_N) else "datetime64[M]")
    return [_part(facts, level, daily, str(key), keys_N == key) for key in np.unique(keys_N)]


def _part(
    facts: PanelFacts, level: RegionBaselines, daily: Sequence[DailyFigures], name: str, within_N: NDArray[np.bool_]
) -> Part:
    series_NK = np.stack([own.rank_ic_N[within_N] for own in daily], axis=1)
    means = [float(mean) for mean in series_NK.mean(axis=0)]
    days = len(series_NK)
    intervals: list[Interval | None] = [None] * len(means)
    if days >= _FEWEST_BLOCKS * level.block:
        evaluation = facts.params.evaluation
        intervals = resampled_intervals(
            lambda weights_DN: weights_DN @ series_NK / days,
            list(means),
            days=days,
            block=level.block,
            draws=evaluation.bootstrap_draws,
            confidence=evaluation.confidence,
            seed=derive_seed(facts.params.study.seed, "report", str(level.horizon), name),
        )
    return Part(name=name, means=tuple(means), intervals=tuple(intervals))


def _panel(axes: Axes, parts: Sequence[Part], titles: Mapping[str, str], lines: Mapping[str, Line]) -> None:
    names = tuple(titles)
    place_P = np.arange(len(parts), dtype=np.float64)
    for place, (name, look) in enumerate(lines.items()):
        x_P = place_P + _WIDTH * ((place + 0.5) / len(names) - 0.5)
        shown = names.index(name)
        axes.plot(
            x_P, [part.means[shown] for part in parts], marker=look.marker, color=look.colour, markersize=5.5,
            linestyle="none", label=titles[name], zorder=3,
        )  # fmt: skip
        for x, part in zip(x_P, parts, strict=True):
            if (found := part.intervals[shown]) is not None:
                axes.plot([x, x], [found.low, found.high], color=look.colour, linewidth=1.4, zorder=2)
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    for edge in place_P[1:] - 0.5:
        axes.axvline(edge, color=MUTED, linewidth=0.4, alpha=0.5, zorder=0)
    every = max(1, -(-len(parts) // 14))
    axes.set_xticks(place_P[::every], [part.name for part in parts][::every])
    axes.set_xlim(-0.5, len(parts) - 0.5)
    axes.set_ylabel("RankIC, mean over days", fontsize=9, color=INK)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(names), frameon=False, fontsize=8.5, labelcolor=INK
    )
    plain(axes)
