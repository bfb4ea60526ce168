"""Tables of what each cell scored on the test region: losses, intervals, skill, decisions, calibration. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tsladder.artifacts.scores import Metrics, ScoredRegion
from tsladder.report import words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import CellFacts, CellState, SeriesFacts
from tsladder.tasks import load as load_task
from tsladder.tasks.parts.words import Metric
from tsladder.vocabulary import LOG_LOSS, Region


def metrics_of(facts: SeriesFacts) -> tuple[Metric, ...]:
    return load_task(facts.params.target.task).words.metrics


def _titles(facts: SeriesFacts) -> tuple[str, ...]:
    return tuple(metric.title for metric in metrics_of(facts))


def cells_table(facts: SeriesFacts) -> Table:
    """Return one row per planned cell."""
    words_of = load_task(facts.params.target.task).words
    ranking = words_of.ranking
    return table(
        "cells",
        "Every planned cell",
        text=("cell",),
        numbers=("N", "of budget", "val loss", "test loss", *words_of.constants, "skill", ranking.title),
        after=("beaten by", "remarks"),
        rows=[_cell_row(cell, ranking) for cell in facts.planned],
    )


def _cell_row(cell: CellFacts, ranking: Metric) -> list[str]:
    winner, test = cell.winner, cell.test
    return [
        str(cell.cell),
        words.count(winner.n_params if winner else None),
        words.percent(cell.utilisation, 0),
        words.number(cell.search.best_val_loss),
        words.with_error(test.loss, test.loss_se) if test else words.MISSING,
        words.number(test.base_rate_loss if test else None),
        words.number(test.own_rate_loss if test else None),
        words.percent(test.skill if test else None),
        words.number(test.mean.get(ranking.name) if test else None, ranking.digits),
        words.MISSING if test is None else beaten_by(test),
        _remarks(cell),
    ]


def beaten_by(test: ScoredRegion) -> str:
    return ", ".join(words.brief(name) for name in words.forecasts_in_order(test.beaten_by)) or "none"


def _remarks(cell: CellFacts) -> str:
    remarks = [] if cell.state is CellState.SCORED else [str(cell.state)]
    if cell.test is not None and cell.test.constant_predictor:
        remarks.append("constant predictor")
    if cell.winner is not None and cell.winner.off_budget:
        remarks.append("off budget")
    return ", ".join(remarks)


def baselines_table(facts: SeriesFacts, region: Region = Region.TEST) -> Table:
    """Return, per horizon, the baseline forecasts and then the range of the transformers on the same windows."""
    metrics = metrics_of(facts)
    rows: list[list[str]] = []
    for horizon in facts.params.horizons:
        scored = [cell.regions[region] for cell in facts.of_horizon(horizon) if region in cell.regions]
        if not scored:
            continue
        first = scored[0].baselines
        rows += [
            [words.days(horizon), words.forecast(name), *_metric_words(metrics, first[name])]
            for name in words.forecasts_in_order(first)
        ]
        models = [cell.mean for cell in scored]
        name = f"transformers, {len(models)} rung{'' if len(models) == 1 else 's'}"
        rows.append([words.days(horizon), name, *_spans(metrics, models)])
    caption = f"Forecasts on the same windows of the {region} region"
    return table("baselines", caption, text=("horizon", "forecast"), numbers=_titles(facts), rows=rows)


def _metric_words(metrics: Sequence[Metric], scores: Metrics) -> list[str]:
    return [words.number(scores.get(metric.name), metric.digits) for metric in metrics]


def _spans(metrics: Sequence[Metric], models: Sequence[Metrics]) -> list[str]:
    spans = []
    for metric in metrics:
        values = [value for value in (model.get(metric.name) for model in models) if value is not None]
        spans.append(words.interval((min(values), max(values)) if values else None, metric.digits))
    return spans


def scored(facts: SeriesFacts) -> Iterator[tuple[CellFacts, ScoredRegion]]:
    """Yield the cells with their test scores, horizon by horizon, smallest rung first."""
    for horizon in facts.params.horizons:
        for cell in facts.of_horizon(horizon):
            if cell.test is not None:
                yield cell, cell.test


def intervals_table(facts: SeriesFacts) -> Table:
    """Return every metric with its interval, one row per scored cell."""
    rows = [
        [str(cell.cell), *(_estimate(test, one.name, one.digits) for one in metrics_of(facts))]
        for cell, test in scored(facts)
    ]
    caption = "Test scores and their intervals over days"
    return table("intervals", caption, text=("cell",), numbers=_titles(facts), rows=rows)


def _estimate(test: ScoredRegion, metric: str, digits: int) -> str:
    return words.estimate(test.mean.get(metric), test.intervals.get(metric), digits)


def samples_table(facts: SeriesFacts) -> Table:
    """Return the effective number of independent windows behind each interval; no row where none is stored."""
    rows = []
    for cell, test in scored(facts):
        estimates = [test.intervals.get(metric.name) for metric in metrics_of(facts)]
        worth = [None if found is None else found.effective_n for found in estimates]
        if any(value is not None for value in worth):
            rows.append([str(cell.cell), words.count(test.windows), *(words.size(value) for value in worth)])
    caption = "Independent windows behind each interval"
    return table("effective-windows", caption, text=("cell",), numbers=("windows", *_titles(facts)), rows=rows)


def skill_table(facts: SeriesFacts) -> Table:
    """Return the skill of each cell against each baseline, with the baselines in the order of `words.FORECASTS`."""
    found = {name for _, test in scored(facts) for name in test.skill_against}
    names = words.forecasts_in_order(found)
    rows = [
        [str(cell.cell), *(words.skill(test.skill_against.get(name)) for name in names), beaten_by(test)]
        for cell, test in scored(facts)
        if test.skill_against
    ]
    numbers = [words.brief(name) for name in names]
    return table(
        "skill", "Skill against each forecast", text=("cell",), numbers=numbers, after=("beaten by",), rows=rows
    )


def decisions_table(facts: SeriesFacts) -> Table:
    """Return the scores of binary decisions at the threshold chosen on validation."""
    rows = []
    for cell, test in scored(facts):
        if (decision := test.decision) is not None:
            criterion = decision.criterion.replace("_", " ")
            shares = (
                decision.accuracy,
                decision.balanced_accuracy,
                decision.precision,
                decision.recall,
                decision.f1,
            )
            figures = [words.number(value, 3) for value in (decision.threshold, *shares)]
            rows.append([str(cell.cell), criterion, *figures, words.percent(test.base_rate)])
    return table(
        "decisions",
        "Yes or no at the threshold chosen on validation",
        text=("cell", "threshold chosen for"),
        numbers=("threshold", "accuracy", "balanced accuracy", "precision", "recall", "F1", "base rate"),
        rows=rows,
    )


def calibration_table(facts: SeriesFacts) -> Table:
    """Return expected calibration error and log loss, before and after scaling by one temperature fitted on
    validation."""
    rows = []
    for cell, test in scored(facts):
        temperature = test.temperature
        if test.mean.get("ece") is None and temperature is None:
            continue
        after = temperature.log_loss if temperature else None
        before = test.mean.get(LOG_LOSS)
        change = None if after is None or before is None else after - before
        rows.append(
            [
                str(cell.cell),
                _estimate(test, "ece", 3),
                words.number(temperature.value if temperature else None, 2),
                words.number(before),
                words.number(after),
                words.signed(change),
                words.number(temperature.ece if temperature else None, 3),
            ]
        )
    numbers = ("ECE", "temperature", "log loss", "log loss with it", "change", "ECE with it")
    return table("calibration", "Calibration, and one temperature", text=("cell",), numbers=numbers, rows=rows)
