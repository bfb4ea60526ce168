"""The report as a list of blocks, the same for every format: verdicts first, then what supports them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tsladder.report import study_tables, tables, words
from tsladder.report.facts import Facts, LawFacts
from tsladder.report.tables import Table

PICTURE = "scaling.png"


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """Labelled facts, one a line; an empty label stands for a plain item."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The law's picture; `words` says what it shows to whom cannot see it."""

    words: str


Block = Heading | Paragraph | Points | Picture | Table


def document(facts: Facts) -> tuple[Block, ...]:
    """All blocks in reading order. A table without rows is replaced by a sentence."""
    return (
        Heading(1, f"Study {facts.params.study.name}"),
        Paragraph(_question(facts)),
        *_verdicts(facts),
        *_law(facts),
        *_cells(facts),
        *_search(facts),
        *_left_out(facts),
        *_data(facts),
        *_environment(facts),
    )


def _question(facts: Facts) -> str:
    params = facts.params
    planned = [rung for rung in params.ladder if any(cell.cell.budget == rung for cell in facts.planned)]
    symbol = facts.data.symbol if facts.data and facts.data.symbol else params.data.symbol
    return (
        f"Does the error of {params.model.family} fall as a power of its parameter count? "
        f"Data {symbol} ({params.study.timescale}), target {params.target.task} on the {params.target.price}, "
        f"horizons of {words.listed(words.days(h) for h in params.horizons)}, rungs {words.listed(planned)}. "
        f"Losses are mean log losses in nats; the law describes the {_region(facts)} region."
    )


def _region(facts: Facts) -> str:
    return facts.law.region if facts.law and facts.law.region else facts.params.law.region


def _verdicts(facts: Facts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Verdicts")]
    if facts.law and facts.study_key and facts.law.study_key not in (None, facts.study_key):
        blocks.append(Paragraph("The law below was fitted to another question than the plans on disk: run dvc repro."))
    for horizon in facts.params.horizons:
        law = facts.law_of(horizon)
        if law is None:
            planned = facts.of_horizon(horizon)
            why = "its law has not been fitted" if planned else "none of its cells is planned"
            blocks += [Heading(3, f"{words.days(horizon)}: no verdict"), Paragraph(f"Nothing is judged here: {why}.")]
            continue
        beaten = " A simpler forecast beats every rung." if law.beaten_by else ""
        blocks += [
            Heading(3, f"{words.days(horizon)}: {law.verdict}"),
            Paragraph(f"{words.VERDICTS.get(law.verdict, law.verdict)}{beaten} {law.reason}"),
            *(Paragraph(f"Warning: {warning}.") for warning in law.warnings),
            Points(tuple(_support(facts, law))),
        ]
    return blocks


def _support(facts: Facts, law: LawFacts) -> list[tuple[str, str]]:
    confidence = facts.law.confidence if facts.law else None
    level = "" if confidence is None else f"{100.0 * confidence:g} % "
    estimate = (
        "none" if law.alpha is None else f"{words.number(law.alpha)}, {level}interval {words.interval(law.alpha_ci)}"
    )
    detectable = words.number(law.minimum_detectable_alpha)
    if law.minimum_detectable_alpha is not None and law.power is not None:
        detectable += f" (found in {100.0 * law.power:g} % of such studies)"
    beaten = words.listed(words.FORECASTS.get(name, name) for name in law.beaten_by)
    nothing_to_beat = "no rung was scored" if law.rungs == 0 else "no simple forecast beats every rung"
    return [
        ("Exponent alpha", estimate),
        ("Smallest detectable alpha", detectable),
        ("Every rung is beaten by", beaten if law.beaten_by else nothing_to_beat),
        ("What would settle it", law.settle or words.MISSING),
        *(("Note", note) for note in law.notes),
    ]


def _law(facts: Facts) -> list[Block]:
    if facts.picture is None and facts.law is None:
        return []
    floors = [(words.days(h), law.floor) for h in facts.params.horizons if (law := facts.law_of(h)) and law.floor]
    blocks: list[Block] = [Heading(2, "The law")]
    if facts.picture is not None:
        blocks.append(Picture("Log loss against parameter count, one panel a horizon"))
    blocks += _or_words(study_tables.law_table(facts), "No horizon has a verdict.")
    if floors:
        blocks += [Paragraph("With a floor, loss = E + A·N^-alpha:"), Points(tuple(floors))]
    return blocks


def _cells(facts: Facts) -> list[Block]:
    seeds = facts.params.train.seeds
    return [
        Heading(2, "Cells"),
        *_or_words(tables.cells_table(facts), "No cell is planned."),
        Paragraph(
            "N is the measured parameter count, N blocks that of the encoder alone; 90 to 110 % of the budget is "
            "ideal. The validation loss is the best of the search and flatters it; the test loss is the mean ± its "
            f"standard error over {seeds} fresh seeds. Skill is 1 - test loss / loss of the stricter constant. "
            "Beaten by: forecasts whose paired interval on the test days lies wholly below the cell's loss."
        ),
        Heading(2, "Simple forecasts on the same test windows"),
        *_or_words(tables.baselines_table(facts), "No cell was scored, so no forecast was either."),
    ]


def _search(facts: Facts) -> list[Block]:
    return [
        Heading(2, "Chosen architectures"),
        *_or_words(tables.architectures_table(facts), "No search has chosen an architecture."),
        Heading(2, "Training settings across horizons"),
        *_or_words(tables.settings_table(facts), "No search has chosen settings."),
        Paragraph(
            "Two horizons are named when the larger value exceeds the smaller by more than 20 %. A search of few "
            "trials draws its settings mostly at random: a difference here is no finding by itself."
        ),
        *_transfer(facts),
        Heading(2, "Coverage of the search"),
        *_or_words(tables.coverage_table(facts), "No cell is planned."),
        *_supplement(facts),
    ]


def _transfer(facts: Facts) -> list[Block]:
    transfer = facts.transfer
    if transfer is None:
        said = "Whether such a difference matters was not tried: search.transfer is false."
        return [Paragraph(said)]
    margin = words.percent(transfer.margin)
    return [
        Heading(2, f"Do the best settings differ by horizon: {transfer.verdict.replace('_', ' ')}"),
        Paragraph(transfer.reason),
        *_or_words(study_tables.transfer_table(transfer), "No rung has winners on two horizons."),
        Paragraph(
            f"Each winner was trained on the other horizons of its rung, on as many seeds, and scored on the same days "
            f"of the {transfer.region} region. Regret is what it loses there against that horizon's own winner, as a "
            f"share of its loss; its interval holds the noise of days and of seeds. A regret of {margin} is what one "
            f"step of this ladder gains under the smallest exponent of interest."
        ),
    ]


def _supplement(facts: Facts) -> list[Block]:
    supplement = facts.supplement
    if supplement is None:
        return []
    return [
        Heading(2, "Supplementary search"),
        Points(tuple(supplement.reasons.items())),
        *_or_words(study_tables.supplement_table(supplement), "No budget was chosen."),
        Paragraph(
            "These trials vary a few settings around the winners of the chosen budgets. They never enter the law: the "
            "other rungs had no such effort. A gain below the standard error of a score is luck."
        ),
    ]


def _left_out(facts: Facts) -> list[Block]:
    everything = "Every cell of the ladder was scored."
    return [Heading(2, "Cells without a point"), *_or_words(tables.left_out_table(facts), everything)]


def _data(facts: Facts) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Data and splits")]
    data = facts.data
    if data is None:
        blocks.append(Paragraph("The features have not been built."))
    else:
        ohlcv = {True: "with OHLCV", False: "without OHLCV", None: words.MISSING}[data.ohlcv]
        blocks.append(
            Points(
                (
                    ("Symbol", data.symbol or words.MISSING),
                    ("Features", f"{words.count(data.features)}, tier {data.tier or words.MISSING}, {ohlcv}"),
                    ("Days", f"{words.count(data.rows)}, {data.first_day or '?'} to {data.last_day or '?'}"),
                    ("Days lost to warm-up", words.count(data.warm_up)),
                    ("Bars read whose Open repeats the previous Close", words.percent(data.open_equals_previous_close)),
                )
            )
        )
    blocks += _or_words(study_tables.splits_table(facts), "The splits have not been cut.")
    notes = tuple(("", note) for split in facts.splits for note in split.notes)
    return [*blocks, Points(notes)] if notes else blocks


def _environment(facts: Facts) -> list[Block]:
    devices = sorted({device for cell in facts.planned for device in cell.search.devices})
    return [
        Heading(2, "Environment"),
        Paragraph(f"Versions where this report was written; the searches ran on: {words.listed(devices)}."),
        study_tables.environment_table(facts),
        *_or_words(study_tables.fingerprints_table(facts), "Nothing has a fingerprint yet."),
    ]


def _or_words(table: Table, otherwise: str) -> list[Block]:
    return [table] if table.rows else [Paragraph(otherwise)]
