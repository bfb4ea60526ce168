"""Tables that support the verdicts: fits, functional forms, neighbouring rungs, ways to settle an open
verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from tsladder.artifacts.law import HorizonLaw
from tsladder.artifacts.law_evidence import RungLeftOut, SizeLeftOut
from tsladder.artifacts.law_fits import PowerLaw, closed
from tsladder.families import load as load_family
from tsladder.families.parts.count_words import ENCODER, own_count_words
from tsladder.ranking.words import gain, rank_ic, rank_ic_of
from tsladder.report import law_words, words
from tsladder.report.blocks import Table, table
from tsladder.report.facts import Facts


def count_titles(facts: Facts) -> dict[str, str]:
    """Return the two further parameter counts -> "N blocks" and "N body", or what the family of the study counts
    instead."""
    own = own_count_words(load_family(facts.params.model.family))
    return {count: f"N {told}" for count, told in (ENCODER if own is None else own).items()}


def law_table(facts: Facts) -> Table:
    """Return one row per horizon that has a verdict, with its exponent, before it the RankIC per tenfold size where the
    law is one of rankings."""
    ranks, counts = law_words.is_of_rankings(facts.law), count_titles(facts)
    rows = [
        (
            facts.horizon(horizon),
            law.verdict,
            str(law.rungs),
            *((law_words.slope_figure(law.rank_ic_per_tenfold),) if ranks else ()),
            *((law_words.detectable_slope(law.rank_ic_per_tenfold),) if ranks else ()),
            words.exponent(law.alpha),
            words.exponents(law.alpha_ci),
            law_words.half_width(law.alpha_ci_rungs),
            law_words.half_width(law.alpha_ci_days),
            law_words.detectable(law),
            *(words.exponent(_alpha_of(law.power_by_count.get(name))) for name in counts),
        )
        for horizon, law in horizons_with_law(facts)
    ]
    return table(
        "law",
        "The exponent of each horizon",
        text=("horizon", "verdict"),
        numbers=(
            "rungs",
            *(("RankIC per tenfold", "RankIC detectable from") if ranks else ()),
            "alpha",
            "interval",
            *law_words.PARTS,
            "detectable from",
            *(f"alpha on {title}" for title in counts.values()),
        ),
        rows=rows,
    )


def fits_table(facts: Facts) -> Table:
    """Return one row per horizon with a power law: how well it describes the rungs, and those it was not fitted to; of
    rankings in RankIC."""
    ranks = law_words.is_of_rankings(facts.law)
    rows = [
        (
            facts.horizon(horizon),
            words.number(power.r2, 3),
            words.size(power.reference_n),
            *(_rank_ic_figures(power, law) if ranks else _loss_figures(power, law)),
        )
        for horizon, law in horizons_with_law(facts)
        if (power := law.fits.power) is not None
    ]
    numbers = (
        "R²",
        "reference N",
        "RankIC there" if ranks else "loss there",
        "its interval, of the rungs",
        "worst error of a rung left out",
        "error of the top rung left out",
    )
    return table("fits", "How well a power law describes the rungs", text=("horizon",), numbers=numbers, rows=rows)


def _loss_figures(power: PowerLaw, law: HorizonLaw) -> tuple[str, ...]:
    return (
        words.number(power.loss_at_reference),
        words.interval(closed(power.loss_at_reference_ci)),
        words.signed_percent(max(law.left_out_errors.values(), key=abs, default=None)),
        words.signed_percent(None if law.extrapolation is None else law.extrapolation.error),
    )


def _rank_ic_figures(power: PowerLaw, law: HorizonLaw) -> tuple[str, ...]:
    """Format the same figures of a law of rankings; errors are differences of RankIC."""
    ends = closed(power.loss_at_reference_ci)
    worst = max(law.leave_one_rung_out, key=lambda left: abs(left.predicted - left.measured), default=None)
    return (
        rank_ic(rank_ic_of(power.loss_at_reference)),
        words.MISSING if ends is None else f"{rank_ic(rank_ic_of(ends[1]))} to {rank_ic(rank_ic_of(ends[0]))}",
        _rank_ic_error(worst),
        _rank_ic_error(law.extrapolation),
    )


def _rank_ic_error(left: RungLeftOut | SizeLeftOut | None) -> str:
    return words.MISSING if left is None else gain(left.measured - left.predicted)


def settle_options_table(facts: Facts) -> Table:
    """Return one row per way to settle an open verdict."""
    rows = [
        (facts.horizon(horizon), law.verdict, way.what, way.words, words.duration(way.estimated_seconds))
        for horizon, law in horizons_with_law(facts)
        for way in law.settle_options
    ]
    return table(
        "settling",
        "Ways to settle an open verdict",
        text=("horizon", "verdict", "more", "how many"),
        numbers=("time on one core",),
        rows=rows,
    )


def _alpha_of(power: PowerLaw | None) -> float | None:
    return None if power is None else power.alpha


def horizons_with_law(facts: Facts) -> Iterator[tuple[int, HorizonLaw]]:
    """Yield horizon and law of every horizon that has one."""
    for horizon in facts.params.horizons:
        if (law := facts.law_of(horizon)) is not None:
            yield horizon, law


def forms_table(facts: Facts) -> Table:
    """Return the AICc of each functional form, one row per horizon on which any form has one."""
    rows = []
    for horizon, law in horizons_with_law(facts):
        choice = law.model_choice
        if any(value is not None for value in choice.aicc.values()):
            figures = [words.number(choice.aicc.get(form), 2) for form in words.FORMS]
            rows.append([facts.horizon(horizon), *figures, words.form(choice.preferred)])
    forms = tuple(words.FORMS.values())
    return table("forms", "AICc of each form", text=("horizon",), numbers=forms, after=("supported",), rows=rows)


def selection_table(facts: Facts) -> Table:
    """Return the exponent by the number of trials that a rung may choose from, one row per horizon for which it is
    known."""
    found = [(horizon, law.selection) for horizon, law in horizons_with_law(facts) if law.selection is not None]
    counts = sorted({k for _, selection in found for k in selection.alphas})
    rows = [
        (
            facts.horizon(horizon),
            *(words.signed(selection.alphas.get(k)) for k in counts),
            words.signed(selection.change),
            words.interval(closed(selection.change_ci)),
            words.chance(selection.p),
        )
        for horizon, selection in found
    ]
    titles = ["mean trial" if k == 1 else f"best of {k}" for k in counts]
    return table(
        "selection",
        "Alpha of the searches' validation losses",
        text=("horizon",),
        numbers=(*titles, "change", "its interval, of the rungs", "p"),
        rows=rows,
    )


def neighbours_table(facts: Facts) -> Table:
    """Return one row per pair of neighbouring rungs, horizon by horizon; of rankings in RankIC."""
    if law_words.is_of_rankings(facts.law):
        return table(
            "neighbours",
            "Each rung against the next",
            text=("horizon", "smaller", "larger"),
            numbers=("RankIC difference", "standard error", "p, corrected"),
            after=("noise counted",),
            rows=[
                row
                for horizon, law in horizons_with_law(facts)
                for row in _neighbours_in_rank_ic(facts.horizon(horizon), law)
            ],
        )
    return table(
        "neighbours",
        "Each rung against the next",
        text=("horizon", "smaller", "larger"),
        numbers=("difference", "standard error", "relative", "p, corrected"),
        after=("noise counted",),
        rows=[row for horizon, law in horizons_with_law(facts) for row in _neighbour_rows(facts.horizon(horizon), law)],
    )


def _neighbours_in_rank_ic(horizon: str, law: HorizonLaw) -> list[list[str]]:
    return [
        [
            horizon,
            pair.smaller,
            pair.larger,
            gain(-pair.difference),
            words.number(pair.se),
            words.chance(pair.p_holm),
            pair.noise or words.MISSING,
        ]
        for pair in law.neighbours
    ]


def _neighbour_rows(horizon: str, law: HorizonLaw) -> list[list[str]]:
    return [
        [
            horizon,
            pair.smaller,
            pair.larger,
            words.signed(pair.difference),
            words.number(pair.se),
            words.signed_percent(pair.relative),
            words.chance(pair.p_holm),
            pair.noise or words.MISSING,
        ]
        for pair in law.neighbours
    ]
