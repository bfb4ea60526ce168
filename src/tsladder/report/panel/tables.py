"""Tables of a panel study's report: facts -> rows of text. Pure."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tsladder.artifacts.panel_splits import DayCount
from tsladder.artifacts.ranking_scores import RankingScores, RegionBaselines, icir_name
from tsladder.params import PanelParams
from tsladder.report.blocks import Table, Tone, table
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.report.panel.rankings import Kind, ShownRanking, Standing, shown_rankings
from tsladder.report.words import MISSING, RANKINGS, count, counted
from tsladder.report.words import level as confidence_level
from tsladder.vocabulary import Region

_BELOW_ZERO = "below 0"
"""Break-even cost of a portfolio that loses before costs."""


def ranking_table(facts: PanelFacts, level: RegionBaselines, region: Region) -> Table:
    """Return the ranking skill of every ranking of one horizon on a region; the figures of quantiles only where a model
    forecasts them."""
    shown = shown_rankings(facts, level, region)
    quantiles = any(one.scores.pinball is not None for one in shown)

    def figures(one: ShownRanking) -> tuple[str, ...]:
        scores, found = one.scores, one.intervals
        return (
            words.estimate(scores.rank_ic, found.get("rank_ic")),
            _advantage(level, one),
            words.estimate(scores.icir, found.get(icir_name(level.horizon)), 3),
            words.estimate(scores.ic, found.get("ic")),
            words.estimate(scores.hit_rate, found.get("hit_rate"), 2, scale=100.0, chance=0.5),
            words.estimate(scores.quantile_spread, found.get("quantile_spread"), 1),
            *(_of_quantiles(scores) if quantiles else ()),
            words.figure(scores.unordered_days, 0),
        )

    rows, tones = _rows(shown, figures)
    return table(
        f"{region.value}-h{level.horizon}-ranking",
        f"Ranking skill on the {region.value} days, horizon {words.sessions(level.horizon)}, {_level(facts)} intervals",
        text=("ranking",),
        numbers=(
            "RankIC",
            f"advantage over {words.name(level.stricter)}",
            icir_name(level.horizon).upper().replace("_H", ", h"),
            "IC",
            "hit rate, % (chance 50)",
            "quantile spread, bps a day",
            *(("pinball loss", "labels in the 90 % band, %") if quantiles else ()),
            "unordered days",
        ),
        rows=rows,
        tones=tones,
    )


def _of_quantiles(scores: RankingScores) -> tuple[str, str]:
    """Format the figures of forecast quantiles; a dash for a ranking without them."""
    if scores.pinball is None:
        return MISSING, MISSING
    return words.figure(scores.pinball), words.figure(scores.coverage_90, 1, 100.0)


def portfolio_table(facts: PanelFacts, level: RegionBaselines, region: Region) -> Table:
    """Return what the long-short portfolio of every ranking of one horizon earns on a region."""
    shown = shown_rankings(facts, level, region)
    unpriced = any(one.scores.portfolio.unpriced for one in shown)

    def figures(one: ShownRanking) -> tuple[str, ...]:
        scores, own, found = one.scores, one.scores.portfolio, one.intervals
        return (
            words.figure(own.turnover, 1, 100.0),
            words.estimate(own.sharpe_gross, found.get("sharpe_gross"), 2),
            words.estimate(own.sharpe_net, found.get("sharpe_net"), 2),
            words.estimate(own.annual_return_gross, found.get("annual_return_gross"), 1, scale=100.0),
            words.estimate(own.annual_return_net, found.get("annual_return_net"), 1, scale=100.0),
            words.figure(own.max_drawdown_gross, 1, 100.0),
            words.figure(own.max_drawdown_net, 1, 100.0),
            break_even(scores),
            *([words.figure(own.unpriced, 0)] if unpriced else []),
        )

    rows, tones = _rows(shown, figures, advantage=False)
    return table(
        f"{region.value}-h{level.horizon}-portfolio",
        f"Long-short portfolio on the {region.value} days, horizon {words.sessions(level.horizon)}, net of "
        f"{level.cost_bps:g} bps of what is traded, {_level(facts)} intervals",
        text=("ranking",),
        numbers=(
            "turnover, % a day",
            "Sharpe gross",
            "Sharpe net",
            "return gross, % a year",
            "return net, % a year",
            "max drawdown gross, %",
            "max drawdown net, %",
            "break-even cost, bps",
            *(["positions without a price"] if unpriced else []),
        ),
        rows=rows,
        tones=tones,
    )


def short_table(facts: PanelFacts, level: RegionBaselines, region: Region) -> Table:
    """Return the chief figures of every ranking of one horizon on a region."""

    def figures(one: ShownRanking) -> tuple[str, ...]:
        scores, own, found = one.scores, one.scores.portfolio, one.intervals
        return (
            words.estimate(scores.rank_ic, found.get("rank_ic")),
            _advantage(level, one),
            words.estimate(scores.quantile_spread, found.get("quantile_spread"), 1),
            words.estimate(own.sharpe_gross, found.get("sharpe_gross"), 2),
            words.estimate(own.sharpe_net, found.get("sharpe_net"), 2),
            break_even(scores),
        )

    rows, tones = _rows(shown_rankings(facts, level, region), figures)
    return table(
        f"{region.value}-h{level.horizon}",
        f"The {region.value} days, horizon {words.sessions(level.horizon)}, {_level(facts)} intervals",
        text=("ranking",),
        numbers=(
            "RankIC",
            f"advantage over {words.name(level.stricter)}",
            "quantile spread, bps a day",
            "Sharpe gross",
            "Sharpe net",
            "break-even cost, bps",
        ),
        rows=rows,
        tones=tones,
    )


def break_even(scores: RankingScores) -> str:
    """Format the break-even cost in bps; one below 0 means a loss before costs."""
    cost = words.defined(scores.portfolio.break_even_bps)
    return _BELOW_ZERO if cost is not None and cost < 0.0 else words.figure(cost, 1)


def rankings_table() -> Table:
    """Return what each constant and baseline ranks by, with its name in baselines.csv."""
    rows = [(RANKINGS[name], name, words.EXPLAINED[name]) for name in RANKINGS]
    return table("rankings", "Constants and baselines", text=("ranking", "in baselines.csv", "ranks by"), rows=rows)


def splits_table(facts: PanelFacts) -> Table:
    """Return one row per horizon and region; earlier folds have rows of their own."""
    rows = []
    for horizon, splits in facts.splits.items():
        own_regions = {region.value: splits.counts[region] for region in Region if region in splits.counts}
        for region, own in {**_folds(splits.folds), **own_regions}.items():
            span = f"{own.first_day} to {own.last_day}" if own.first_day and own.last_day else words.UNDEFINED
            counts = (own.samples, own.judged, own.too_few, own.labels, own.no_entry, own.left_early)
            rows.append((str(horizon), region, *map(count, counts), span))
    return table(
        "splits",
        "Sample days and labels of each region",
        text=("horizon", "region"),
        numbers=("samples", "judged", "too few members", "labels", "no entry", "left early"),
        after=("sample days",),
        rows=rows,
    )


def params_table(params: PanelParams) -> Table:
    """Return every leaf of params.yaml that belongs to the question by its dotted path; of a study of baselines alone,
    only those that baselines read."""
    left_out = _NOT_ASKED if params.budget is not None else (*_NOT_ASKED, *_OF_MODELS)
    rows = [(path, value) for path, value in _leaves(params) if path.partition(".")[0] not in left_out]
    return table("params", "The whole question", text=("leaf of params.yaml", "value"), rows=rows)


_NOT_ASKED = ("hardware",)
"""Sections that are no part of the question."""
_OF_MODELS = ("budget", "ladder", "graph", "model", "search", "training", "train", "law")
"""Sections that only models read."""


def _rows(
    shown: Sequence[ShownRanking], figures: Callable[[ShownRanking], tuple[str, ...]], *, advantage: bool = True
) -> tuple[list[tuple[str, ...]], dict[tuple[int, int], Tone]]:
    """Return one row per ranking, its title and then its `figures`, and the colours of cells. `advantage`: the second
    figure is the advantage, which is coloured."""
    rows = [(one.title, *figures(one)) for one in shown]
    tones: dict[tuple[int, int], Tone] = {}
    for row, one in enumerate(shown):
        if one.kind in (Kind.CONSTANT, Kind.HINDSIGHT):
            tones[row, 0] = Tone.OFF
        elif advantage:
            tones[row, 2] = _TONES[one.standing]
    return rows, tones


_TONES = {Standing.BEATS: Tone.GOOD, Standing.UNDECIDED: Tone.MIXED, Standing.WORSE: Tone.BAD}


def _advantage(level: RegionBaselines, one: ShownRanking) -> str:
    """Format the paired advantage over the stricter constant; of itself it has none."""
    if one.name == level.stricter:
        return "itself"
    return words.estimate(None if one.advantage is None else one.advantage.value, one.advantage)


def _level(facts: PanelFacts) -> str:
    return confidence_level(facts.params.evaluation.confidence)


def _folds(folds: tuple[Mapping[Region, DayCount], ...]) -> dict[str, DayCount]:
    """Return the regions of all folds but the last, which are training and validation of the study itself."""
    return {
        f"{region.value} of fold {number}": own
        for number, fold in enumerate(folds[:-1], start=1)
        for region, own in fold.items()
    }


def _leaves(section: Any, path: str = "") -> list[tuple[str, str]]:
    if dataclasses.is_dataclass(section) and not isinstance(section, type):
        inner = [(field.name, getattr(section, field.name)) for field in dataclasses.fields(section)]
        return [leaf for name, value in inner for leaf in _leaves(value, f"{path}.{name}" if path else name)]
    if isinstance(section, Mapping) and any(map(dataclasses.is_dataclass, section.values())):
        return [leaf for name, value in section.items() for leaf in _leaves(value, f"{path}.{name}")]
    return [(path, _value(section))]


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case datetime.date():
            return value.isoformat()
        case tuple() | list():
            return f"[{', '.join(map(_value, value))}]"
        case Mapping():
            return f"{{{', '.join(f'{key}: {_value(own)}' for key, own in value.items())}}}"
    return str(value)


def days_of(level: RegionBaselines) -> str:
    """Describe the scored days of a region: 951 days, 1981-03-27 to 1984-12-27, 34,236 labels."""
    left_out = f", {counted(level.left_out_days, 'day')} left out, since their labels are all one or missing"
    return (
        f"{counted(level.windows, 'day')}, {level.first_day} to {level.last_day}, {level.stock_days:,} labels"
        f"{left_out if level.left_out_days else ''}"
    )
