"""Verdict of each horizon and the figures that belong to it."""

from __future__ import annotations

from collections.abc import Collection

from tsladder.artifacts.law import HorizonLaw
from tsladder.report import law_words, words
from tsladder.report.blocks import Block, Heading, Paragraph, Picture, Points
from tsladder.report.facts import Facts

SCALING = "scaling.png"


def verdicts(facts: Facts, pictures: Collection[str]) -> list[Block]:
    """Return one line per horizon, the picture of the law, and then each horizon with the figures behind its line."""
    blocks: list[Block] = [Heading(2, "Verdicts")]
    if facts.law and facts.study_key and facts.law.study_key not in (None, facts.study_key):
        blocks.append(Paragraph("The law below was fitted to another question than the plans on disk: run dvc repro."))
    blocks.append(Points(tuple(_in_a_line(facts, horizon) for horizon in facts.params.horizons)))
    known = [law for horizon in facts.params.horizons if (law := facts.law_of(horizon)) is not None]
    if (parts := law_words.what_the_parts_are(known, words.level(facts.confidence))) is not None:
        blocks.append(Paragraph(parts))
    if SCALING in pictures:
        loss = facts.task_words.loss.capitalize()
        drawn = "RankIC" if law_words.is_of_rankings(facts.law) else loss
        blocks.append(Picture(SCALING, f"{drawn} against parameter count, one panel per horizon"))
    for horizon in facts.params.horizons:
        law = facts.law_of(horizon)
        if law is None:
            planned = facts.of_horizon(horizon)
            why = "its law has not been fitted" if planned else "none of its cells is planned"
            blocks += [
                Heading(3, f"{facts.horizon(horizon)}: no verdict"),
                Paragraph(f"Nothing is judged here: {why}."),
            ]
            continue
        stale = facts.leaks and law.verdict != "invalid"
        beaten = " A simpler forecast beats every rung." if law.beaten_by else ""
        blocks += [
            Heading(3, f"{facts.horizon(horizon)}: {law.verdict}"),
            Paragraph(f"{_meaning(facts, law)}{beaten} {law.reason}"),
            *(
                [Paragraph("Warning: the leak audit failed, so this verdict does not count: run dvc repro.")]
                if stale
                else []
            ),
            *(Paragraph(f"Warning: {warning}.") for warning in law.warnings),
            Points(tuple(_support(facts, law))),
        ]
    return blocks


def _in_a_line(facts: Facts, horizon: int) -> tuple[str, str]:
    law, days = facts.law_of(horizon), facts.horizon(horizon)
    if law is None:
        return f"{days}: no verdict", "nothing is judged."
    if facts.leaks and law.verdict != "invalid":
        return f"{days}: {law.verdict}", "this does not count, because the leak audit failed."
    beaten = " A simpler forecast beats every rung." if law.beaten_by else ""
    alpha = (
        ""
        if law.alpha is None
        else f" Alpha {words.exponent(law.alpha)} ({law_words.ends_and_parts(law)}){law_words.scope(law)}."
    )
    slope = "" if (told := law_words.slope(law)) is None else f"{told}. "
    return f"{days}: {law.verdict}", f"{slope}{_meaning(facts, law)}{beaten}{alpha}"


def _meaning(facts: Facts, law: HorizonLaw) -> str:
    return law_words.meaning(law, of_rankings=law_words.is_of_rankings(facts.law))


def _support(facts: Facts, law: HorizonLaw) -> list[tuple[str, str]]:
    confidence = facts.law.confidence if facts.law else None
    level = "" if confidence is None else f"{words.level(confidence)} "
    estimate = (
        "none"
        if law.alpha is None
        else f"{words.exponent(law.alpha)}, {level}interval {law_words.ends_and_parts(law)}{law_words.scope(law)}"
    )
    beaten = words.listed(words.forecast(name) for name in law.beaten_by)
    nothing_to_beat = "no rung was scored" if law.rungs == 0 else "no simple forecast beats every rung"
    slope = law.rank_ic_per_tenfold
    slopes = [
        ("RankIC per tenfold size", law_words.slope_figure(slope)),
        ("Smallest RankIC per tenfold size found in 80 % of such studies", law_words.detectable_slope(slope)),
    ]
    return [
        *(slopes if slope is not None else []),
        ("Exponent alpha", estimate),
        ("Smallest detectable alpha", _detectable(law)),
        ("Every rung is beaten by", beaten if law.beaten_by else nothing_to_beat),
        ("What would settle it", law.settle or words.MISSING),
        *([("If the study were repeated", _repeated(law))] if law.repetition else []),
        *(("Note", note) for note in law.notes),
    ]


def _repeated(law: HorizonLaw) -> str:
    """Return the verdicts expected if searches and seeds were repeated on the same ladder, the likeliest first."""
    shares = sorted((law.repetition or {}).items(), key=lambda item: -item[1])
    verdicts = words.listed(
        f"{name.replace('_', ' ')} in {words.percent(share, 0)}" for name, share in shares if share >= 0.005
    )
    return (
        f"{verdicts} of the repetitions: other searches and seeds on the same sizes and test days, the noise and alpha "
        "drawn from what is known of them, each judged by the interval of its alpha alone"
    )


def _detectable(law: HorizonLaw) -> str:
    if law.minimum_detectable_alpha is None:
        return words.MISSING
    found = "" if law.power is None else f"found in {100.0 * law.power:g} % of such studies"
    if not law_words.is_range(law):
        return law_words.detectable(law) + (f" ({found})" if found else "")
    return f"{law_words.detectable(law)} ({'; '.join(filter(None, [found, 'the rungs tell no more of their noise']))})"
