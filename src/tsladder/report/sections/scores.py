"""Scores of every cell, their skill against simpler forecasts, and the calibration of probabilities."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from tsladder.artifacts.scores import ScoredRegion
from tsladder.report import matrix, score_tables, symbol_tables, words
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, or_sentence
from tsladder.report.facts import CellFacts, SeriesFacts
from tsladder.search.objective import VAL_AUC
from tsladder.tasks import load as load_task

RELIABILITY = "reliability.png"


def at_a_glance(facts: SeriesFacts) -> list[Block]:
    level = words.level(facts.params.evaluation.confidence)
    return [
        Heading(2, "Budgets and horizons at a glance"),
        matrix.matrix_table(facts),
        Paragraph(
            f"Skill is 1 - test loss / loss of the stricter constant, with its paired {level} interval; below it the "
            f"mean test loss with its own, and the validation loss of {_leader(facts)}, which flatters the cell. A "
            "cell has skill where the interval of its skill lies wholly above 0; a simpler forecast is better where "
            "the paired interval of its loss less the cell's lies wholly below 0. Green: skill, and no simpler "
            "forecast is better; yellow: skill, and one is; red: no skill shown, or failed; grey: not scored or not "
            "planned."
        ),
    ]


def _leader(facts: SeriesFacts) -> str:
    """Return in words which trial's validation loss represents a cell."""
    by = "the highest AUC" if facts.params.search.objective == VAL_AUC else "the lowest"
    return f"the trial with {by}"


def scores(facts: SeriesFacts, pictures: Collection[str]) -> list[Block]:
    seeds = facts.params.train.seeds
    return [
        Heading(2, "Cells"),
        *or_sentence(score_tables.cells_table(facts), "No cell is planned."),
        Paragraph(
            f"N is the measured parameter count. The validation loss is that of {_leader(facts)} and flatters it; the "
            f"test loss is the mean ± its standard error over {seeds} fresh seeds. Skill is 1 - test loss / loss of "
            "the stricter constant. Beaten by: forecasts whose paired interval on the test days lies wholly below the "
            "cell's loss."
        ),
        *_intervals(facts),
        *_skill(facts),
        Heading(2, "Simple forecasts on the same test windows"),
        *or_sentence(score_tables.baselines_table(facts), "No cell was scored, so no forecast was either."),
        *_symbols(facts),
        *(
            block
            for name in load_task(facts.params.target.task).words.sections
            for block in FURTHER[name](facts, pictures)
        ),
    ]


def _symbols(facts: SeriesFacts) -> list[Block]:
    """Return the scores by symbol; empty where there is one symbol."""
    found = symbol_tables.scores_table(facts)
    if not found.rows:
        return []
    level = words.level(facts.params.evaluation.confidence)
    own = facts.params.data.symbol
    return [
        Heading(2, "Test scores of each symbol"),
        found,
        Paragraph(
            "Every cell was trained on the windows of all symbols before validation; the validation days of "
            f"{own} chose it, and the law is that of the test days of {own}. The other symbols' test windows lie "
            "between the same dates. Base rates differ, so losses are compared within a symbol only. Skill is against "
            "the stricter constant of each symbol; the advantage over it is that of a day, with its paired "
            f"{level} interval."
        ),
    ]


def _intervals(facts: SeriesFacts) -> list[Block]:
    level = words.level(facts.params.evaluation.confidence)
    blocks: list[Block] = [Heading(3, "Test scores with their intervals")]
    scored = [test for _, test in score_tables.scored(facts)]
    if not scored:
        return [*blocks, Paragraph("No cell was scored.")]
    text = (
        f"Means over seeds; in brackets the {level} interval over days: a t interval whose variance comes from a block "
        "bootstrap. Its blocks are as long as the labels of the days ask for, at least half the square root of their "
        "number, and the same for every cell of a horizon; dependence that lasts for a good part of the region is not "
        "in it. Cells of one horizon were scored on the same days and are compared by paired differences, which have "
        "blocks of their own, never by whether these intervals overlap."
    )
    if not any(test.intervals for test in scored):
        text = "The scores on disk carry no intervals: evaluate again to have them."
    blocks += [Paragraph(text), score_tables.intervals_table(facts)]
    samples = score_tables.samples_table(facts)
    if not samples.rows:
        return blocks
    worth = "How many independent windows would give as wide an interval: neighbouring days resemble each other."
    return [*blocks, samples, Paragraph(worth)]


def _skill(facts: SeriesFacts) -> list[Block]:
    blocks: list[Block] = [Heading(3, "Skill against each simpler forecast")]
    table = score_tables.skill_table(facts)
    if not table.rows:
        return [*blocks, Paragraph("No skill with an interval is stored.")]
    points = [
        (words.days(horizon), _describe_skill([cell.test for cell in facts.of_horizon(horizon) if cell.test]))
        for horizon in facts.params.horizons
        if any(cell.test for cell in facts.of_horizon(horizon))
    ]
    level = words.level(facts.params.evaluation.confidence)
    return [
        *blocks,
        Points(tuple(points)),
        table,
        Paragraph(
            f"Skill is 1 - loss / loss of the other forecast on the same windows, with its paired {level} interval: a "
            "cell beats a forecast only where the whole interval lies above 0."
        ),
    ]


def _describe_skill(tests: list[ScoredRegion]) -> str:
    """Say which forecasts every cell beats, which some cells beat, and which none beats."""
    beaten: dict[str, list[str]] = {"all": [], "some": [], "none": []}
    for name in words.forecasts_in_order({name for test in tests for name in test.skill_against}):
        known = [skill.ci for test in tests if (skill := test.skill_against.get(name)) and skill.ci is not None]
        won = sum(low > 0.0 for low, _ in known)
        if known and won == len(known):
            beaten["all"].append(words.forecast(name))
        elif won:
            beaten["some"].append(f"{words.forecast(name)} ({won} of {len(known)})")
        elif known:
            beaten["none"].append(words.forecast(name))
    groups = [
        ("the only cell beats" if len(tests) == 1 else f"all {len(tests)} cells beat", beaten["all"]),
        ("some beat", beaten["some"]),
        ("none beats", beaten["none"]),
    ]
    return "; ".join(f"{who}: {words.listed(names)}" for who, names in groups if names) or words.MISSING


def _calibration(facts: SeriesFacts, pictures: Collection[str]) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Can the probabilities be trusted")]
    table = score_tables.calibration_table(facts)
    if not table.rows:
        return [*blocks, Paragraph("No calibration is stored.")]
    points = [
        (words.days(horizon), text)
        for horizon in facts.params.horizons
        if (text := _describe_temperature(facts.of_horizon(horizon)))
    ]
    blocks += [Points(tuple(points))] if points else []
    if RELIABILITY in pictures:
        blocks.append(Picture(RELIABILITY, "Observed frequency against predicted probability, one panel per horizon"))
        blocks.append(
            Paragraph(
                "The rung with the lowest test loss of each horizon, test region, seeds pooled, up to ten bins of "
                "equal count. On the diagonal a forecast of 30 % comes true in 30 % of the windows. Bars: Wilson "
                "intervals at the effective number of windows."
            )
        )
    else:
        blocks.append(Paragraph("No reliability bins are stored, so there is no reliability plot."))
    return [
        *blocks,
        table,
        Paragraph(
            "ECE is the mean distance between forecast and frequency over bins; a perfectly calibrated forecast of so "
            "few windows has one above 0, too. The temperature is fitted on validation alone and not applied to any "
            "other figure here: above 1 the model was too sure of itself, below 1 not sure enough. What it would "
            "change has no interval, so a small change is no finding."
        ),
    ]


def _describe_temperature(cells: tuple[CellFacts, ...]) -> str | None:
    changes = []
    sure = 0
    for cell in cells:
        test = cell.test
        if test is None or (temperature := test.temperature) is None or test.loss is None:
            continue
        changes.append(temperature.log_loss - test.loss)
        sure += temperature.value > 1.0
    if not changes:
        return None
    helped = sum(change < 0.0 for change in changes)
    return (
        f"{sure} of {words.counted(len(changes), 'cell')} were too sure of themselves on validation; one temperature "
        f"would lower the test loss of {helped} and change it by {words.signed(min(changes))} to "
        f"{words.signed(max(changes))}"
    )


def _decisions(facts: SeriesFacts, _pictures: Collection[str]) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Yes or no: decisions at a threshold")]
    table = score_tables.decisions_table(facts)
    if not table.rows:
        return [*blocks, Paragraph("No threshold is stored.")]
    return [
        *blocks,
        table,
        Paragraph(
            "The threshold is chosen on validation and applied to the test region as it stands. Always saying no is "
            "right in 100 % less the base rate of the windows, and has a balanced accuracy of 0.5. These figures carry "
            "no interval of their own and prove nothing that the intervals above do not."
        ),
    ]


FURTHER: Mapping[str, Callable[[SeriesFacts, Collection[str]], list[Block]]] = {
    "calibration": _calibration,
    "decisions": _decisions,
}
"""Sections that a task may request by name, where its scores fill them."""
