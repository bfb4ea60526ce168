"""Pretraining in a panel study: whether winners rank better from a pretrained encoder than from scratch."""

from __future__ import annotations

from collections import Counter

from tsladder.artifacts.ending import Ending
from tsladder.artifacts.pretraining import Pretraining, StartComparison
from tsladder.artifacts.scores import Interval
from tsladder.params import PretrainingParams
from tsladder.report import words as common
from tsladder.report.blocks import Block, Heading, Paragraph, Table, Tone, or_sentence, table
from tsladder.report.panel import words
from tsladder.report.panel.facts import PanelFacts
from tsladder.vocabulary import Cell

_TONES = {"helps": Tone.GOOD, "harms": Tone.BAD, "undecided": Tone.MIXED}
_NOT_BUILT = "has not run"


def pretraining(facts: PanelFacts) -> list[Block]:
    """Return the verdict of every planned cell, and where a pretraining failed; nothing in a study without it."""
    asked = facts.params.search.pretraining
    if asked is None:
        return []
    level = common.level(facts.params.evaluation.confidence)
    return [
        Heading(2, "Pretraining of the encoder"),
        Paragraph(_verdicts(facts)),
        *or_sentence(pretraining_table(facts), "No cell is planned."),
        Paragraph(_method(asked, level)),
    ]


def pretraining_table(facts: PanelFacts) -> Table:
    """Return one row for each comparison of a planned cell, and one for each cell without any."""
    rows: list[tuple[str, ...]] = []
    tones: dict[tuple[int, int], Tone] = {}
    for cell in _planned(facts):
        found = facts.pretraining.get(cell)
        if not isinstance(found, Pretraining):
            reason = _NOT_BUILT if found is None else f"{found.status}: {found.words}"
            rows.append((str(cell), *(common.MISSING,) * 5, common.MISSING, reason))
            continue
        for one in found.comparisons:
            tones[len(rows), 6] = _TONES[one.verdict]
            rows.append(_row(cell, found, one))
    return table(
        "pretraining",
        "Winners from the encoder and from scratch, on the same seeds and test days",
        text=("cell",),
        numbers=("epochs", "RankIC from the encoder", "RankIC from scratch", "gain", "explained of what is hidden"),
        after=("the encoder", "remarks"),
        rows=rows,
        tones=tones,
    )


def _row(cell: Cell, found: Pretraining, one: StartComparison) -> tuple[str, ...]:
    gain = Interval(value=one.difference, low=one.low, high=one.high, se=one.se, effective_n=None)
    return (
        str(cell),
        f"{one.epochs:,}",
        words.figure(1.0 - one.from_encoder),
        words.figure(1.0 - one.from_scratch),
        words.estimate(one.difference, gain),
        words.figure(1.0 - found.encoder.loss, 1, 100.0, " %"),
        one.verdict,
        one.note or common.MISSING,
    )


def _planned(facts: PanelFacts) -> list[Cell]:
    return [one.cell for horizon in facts.params.horizons for one in facts.of_horizon(horizon)]


def _verdicts(facts: PanelFacts) -> str:
    """Count the verdicts and the cells without one."""
    records = [facts.pretraining.get(cell) for cell in _planned(facts)]
    done = [found for found in records if isinstance(found, Pretraining)]
    failed = [found for found in records if isinstance(found, Ending)]
    verdicts = Counter(one.verdict for found in done for one in found.comparisons)
    sentences = []
    if verdicts:
        total = common.counted(verdicts.total(), "comparison")
        missed = common.level(1.0 - facts.params.evaluation.confidence)
        sentences.append(
            f"Of {total} the encoder helps in {verdicts['helps']}, harms in {verdicts['harms']} and leaves "
            f"{verdicts['undecided']} undecided. Where it changes nothing, {missed} of the intervals miss 0 by chance."
        )
    if failed:
        sentences.append(f"In {common.counted(len(failed), 'cell')} there is no result, for the reason in the table.")
    if len(done) + len(failed) < len(records):
        sentences.append(f"In {common.counted(len(records) - len(done) - len(failed), 'cell')} it has not run.")
    return " ".join(sentences)


def _method(asked: PretrainingParams, level: str) -> str:
    return (
        f"The part of each winner that reads the sessions of a stock was first trained for "
        f"{common.counted(asked.epochs, 'epoch')} to reconstruct hidden patches, "
        f"{common.percent(asked.mask, 0)} of each window, from "
        "those that are shown: without labels, and on windows that show no session of validation or test. The winner "
        "was then trained from it and from random weights, with the same seeds, at all of its epochs and at two thirds "
        f"of them. Gain: RankIC from the encoder less that from scratch, with its {level} interval, paired by day and "
        "with the spread over seeds; it helps where that lies above 0. Explained: share of the variance of hidden "
        "values that the encoder reconstructs, on training days. The law is that of winners from scratch."
    )
