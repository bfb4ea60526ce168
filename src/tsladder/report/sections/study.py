"""Question, cells without a point in the law, data, and environment."""

from __future__ import annotations

from tsladder.report import study_tables, symbol_tables, words
from tsladder.report.blocks import Block, Heading, Paragraph, Points, or_sentence
from tsladder.report.environment import environment_table, fingerprints_table
from tsladder.report.facts import SeriesFacts
from tsladder.report.sections.ingestion import ingestion
from tsladder.tasks import load as load_task


def question(facts: SeriesFacts) -> str:
    params = facts.params
    planned = [rung for rung in params.ladder if any(cell.cell.budget == rung for cell in facts.planned)]
    symbol = facts.data.symbol if facts.data else params.data.symbol
    task = load_task(params.target.task).words
    tier = "" if params.data.volume else f", tier {params.data.tier_words}"
    return (
        f"Does the error of {params.model.family} fall as a power of its parameter count? "
        f"Data {symbol} ({params.study.timescale}{tier}), target {task.describe_target(params.target.price)}, "
        f"horizons of {words.listed(words.days(h) for h in params.horizons)}, rungs {words.listed(planned)}. "
        f"Losses are mean {task.loss}es in {task.unit}; the law describes the {_region(facts)} "
        "region."
    )


def _region(facts: SeriesFacts) -> str:
    return facts.law.region if facts.law and facts.law.region else facts.params.law.region


def data(facts: SeriesFacts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Data and splits")]
    data = facts.data
    if data is None:
        blocks.append(Paragraph("The features have not been built."))
    else:
        ohlcv = "with OHLCV" if data.ohlcv else "without OHLCV"
        if not facts.params.data.volume:
            ohlcv = f"without volume, {ohlcv.replace('OHLCV', 'OHLC')}"
        blocks.append(
            Points(
                (
                    ("Symbol", data.symbol),
                    *(
                        [("Trained on, too", words.listed(facts.params.data.further))]
                        if facts.params.data.further
                        else []
                    ),
                    ("Features", f"{words.count(len(data.columns))}, tier {data.tier}, {ohlcv}"),
                    ("Days", f"{words.count(data.rows)}, {data.first_day} to {data.last_day}"),
                    ("Days lost to warm-up", words.count(data.warm_up)),
                    ("Bars read whose Open repeats the previous Close", words.percent(data.open_equals_previous_close)),
                )
            )
        )
    blocks += or_sentence(study_tables.splits_table(facts), "The splits have not been cut.")
    windows = symbol_tables.windows_table(facts)
    if windows.rows:
        blocks += [
            Paragraph("Training windows above are those of all symbols; validation and test are the study's own."),
            windows,
        ]
    notes = tuple(("", note) for split in facts.splits for note in split.notes)
    return [*blocks, *([Points(notes)] if notes else []), *ingestion(facts)]


def environment(facts: SeriesFacts) -> list[Block]:
    devices = sorted({device for cell in facts.planned for device in cell.search.devices})
    return [
        Heading(2, "Environment"),
        Paragraph(f"Versions where this report was written; the searches ran on: {words.listed(devices)}."),
        environment_table(facts.environment),
        *or_sentence(fingerprints_table(facts.environment), "Nothing has a fingerprint yet."),
    ]
