"""Choices of the searches, their coverage of the search space, and results of the stages that span several cells."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.families import load as load_family
from tsladder.families.parts.count_words import own_count_words
from tsladder.report import matrix, study_tables, tables, words
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points, or_sentence
from tsladder.report.facts import Facts, SeriesFacts
from tsladder.report.figures.trial_comparison import trial_comparison
from tsladder.report.law_tables import count_titles
from tsladder.report.sections.patterns import patterns, transfer_not_tried

SHAPES = "shapes.png"
PARALLEL = "parallel.png"


def search(facts: SeriesFacts, pictures: Collection[str]) -> list[Block]:
    return [
        *architectures(facts, pictures),
        *patterns(facts),
        *utilisation(facts),
        *settings(facts),
        *_transfer(facts),
    ]


def effort(facts: SeriesFacts) -> list[Block]:
    return [*coverage(facts), *_supplement(facts)]


def architectures(facts: Facts, pictures: Collection[str]) -> list[Block]:
    chosen = tables.architectures_table(facts)
    blocks: list[Block] = [
        Heading(2, "Chosen architectures"),
        *or_sentence(chosen, "No search has chosen an architecture."),
    ]
    if chosen.rows:
        blocks.append(Paragraph(_counts(facts)))
    return [*blocks, *_shapes(facts, pictures), *_parallel(facts, pictures)]


def _counts(facts: Facts) -> str:
    """Explain the three parameter counts."""
    first, second = count_titles(facts).values()
    if own_count_words(load_family(facts.params.model.family)) is not None:
        return f"N is the measured parameter count; {first} and {second} are those of parts of the model."
    return (
        f"N is the measured parameter count, {first} that of the encoder alone, {second} that of the encoder and its "
        "last norm."
    )


def utilisation(facts: Facts) -> list[Block]:
    low, high = (words.percent(end, 0) for end in matrix.IDEAL_SHARE)
    return [
        Heading(2, "Use of the budgets"),
        matrix.utilisation_table(facts),
        Paragraph(
            f"Measured parameters over the budget, the count in brackets: {low} to {high} is ideal. The law is fitted "
            "to the measured counts, so that a rung outside is no error, only less far from, or nearer to, the next."
        ),
    ]


def settings(facts: Facts) -> list[Block]:
    return [
        Heading(2, "Training settings across horizons"),
        *or_sentence(tables.settings_table(facts), "No search has chosen settings."),
        Paragraph(
            "Two horizons are named when the larger value exceeds the smaller by more than 20 %. A search of few "
            "trials draws its settings mostly at random: a difference here is no finding by itself."
        ),
    ]


def coverage(facts: Facts) -> list[Block]:
    if not facts.planned:
        return [Heading(2, "Coverage and effort"), Paragraph("No cell is planned.")]
    trials = sum(cell.search.trials_done or 0 for cell in facts.planned)
    searching, retraining = tables.seconds_of(facts.planned)
    notes = tables.search_notes_table(facts)
    return [
        Heading(2, "Coverage and effort"),
        Paragraph(
            f"{words.counted(trials, 'trial')} of {words.counted(len(facts.planned), 'cell')}; work of the searches "
            f"{words.duration(searching)}, of retraining {words.duration(retraining)}, summed over workers."
        ),
        tables.coverage_table(facts),
        tables.effort_table(facts),
        *([notes] if notes.rows else []),
    ]


def left_out(facts: Facts) -> list[Block]:
    """Return the cells that give the law no point, with the reasons."""
    everything = "Every cell of the ladder was scored."
    return [Heading(2, "Cells without a point"), *or_sentence(tables.left_out_table(facts), everything)]


def _shapes(facts: Facts, pictures: Collection[str]) -> list[Block]:
    by = trial_comparison(facts).words
    blocks: list[Block] = [Heading(3, "Depth against width")]
    if SHAPES not in pictures:
        return [*blocks, Paragraph("No trial has a width and a depth to show.")]
    return [
        *blocks,
        Picture(SHAPES, f"Width and depth of every trial coloured by its {by}, one panel per rung and horizon"),
        Paragraph(
            f"Each disc is a width and depth that was tried, coloured by the {by} of the best of its trials and "
            "larger the more trials it had; a cross is one of which no trial ended with one, the ring the winner. "
            "Trials differ in their other settings, too, and one trial is one seed: a difference in colour is a hint, "
            "no finding."
        ),
    ]


def _parallel(facts: Facts, pictures: Collection[str]) -> list[Block]:
    by = trial_comparison(facts).words
    blocks: list[Block] = [Heading(3, "Every trial side by side")]
    if PARALLEL not in pictures:
        return [*blocks, Paragraph("No horizon has trials with a loss that differ in a setting.")]
    return [
        *blocks,
        Picture(PARALLEL, f"Every trial as a line through its settings, coloured by {by}, a panel a horizon"),
        Paragraph(
            "A line is a trial of any rung; settings on which all agree are left out. The table of all of them is "
            "trials.csv beside this report."
        ),
    ]


def _transfer(facts: SeriesFacts) -> list[Block]:
    transfer = facts.transfer
    if transfer is None:
        return [Paragraph(transfer_not_tried(facts))]
    margin = words.percent(transfer.margin)
    return [
        Heading(2, f"Do the best settings differ by horizon: {transfer.verdict.replace('_', ' ')}"),
        Paragraph(transfer.reason),
        *or_sentence(study_tables.transfer_table(transfer), "No rung has winners on two horizons."),
        Paragraph(
            f"Each winner was trained on the other horizons of its rung, on as many seeds, and scored on the same days "
            f"of the {transfer.region} region. Regret is what it loses there against that horizon's own winner, as a "
            f"share of its loss; its interval holds the noise of days and of seeds. A regret of {margin} is what one "
            f"step of this ladder gains under the smallest exponent of interest."
        ),
    ]


def _supplement(facts: SeriesFacts) -> list[Block]:
    supplement = facts.supplement
    if supplement is None:
        return []
    return [
        Heading(2, "Supplementary search"),
        Points(tuple(supplement.reasons.items())),
        *or_sentence(study_tables.supplement_table(supplement), "No budget was chosen."),
        Paragraph(
            "These trials vary a few settings around the winners of the chosen budgets. They never enter the law: the "
            "other rungs had no such effort. A gain below the standard error of a score is luck."
        ),
    ]
