"""Format the output of `tsladder compare EXP EXP` as plain text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tsladder.artifacts.law_fits import RankIcPerTenfold
from tsladder.console.status_lines import PARTS, half_width, with_interval
from tsladder.experiments.comparison import Pair, ParameterDifference, SideBySide, Summary
from tsladder.formatting import MISSING, aligned
from tsladder.law.wording import p_in_words
from tsladder.ranking.words import gain, gain_with_interval, is_rank_error, rank_ic, rank_ic_of

_LONGEST = 48


def side_by_side_lines(found: SideBySide) -> list[str]:
    """Format parameters and laws of each experiment, differing parameters, paired comparisons, and refused ones."""
    return [
        *_properties(found.summaries),
        "",
        *_laws(found),
        "",
        *_parameters(found.differing, found.summaries[0].name),
        "",
        *_pairs(found),
        *(["", "not compared:", *_refused(found)] if found.refused else []),
        *(["", *(f"note: {note}" for note in found.notes)] if found.notes else []),
    ]


def _properties(summaries: Sequence[Summary]) -> list[str]:
    symbols = "panel" if any(is_rank_error(one.metric) for one in summaries) else "symbols"
    rows: list[tuple[str, ...]] = [
        ("experiment", "family", "tier", "task", "normalisation", "strategy", symbols, "rungs")
    ]
    for one in summaries:
        values = (one.family, one.tier, one.task, one.normalisation, one.strategy, one.symbols)
        rows.append((one.name, *(MISSING if text is None else text for text in values), ", ".join(one.rungs)))
    return aligned(rows)


def _laws(found: SideBySide) -> list[str]:
    """Format the laws; the columns of the law refer to the law's region, those of the best cell to the
    compared region."""
    ranks = is_rank_error(found.metric)
    loss = "RankIC" if ranks else found.metric.replace("_", " ")
    best, slope = f"best cell, {loss} and skill on {found.region}", ("RankIC per tenfold",) if ranks else ()
    rows: list[tuple[str, ...]] = [("horizon", "experiment", "law", *slope, "alpha", *PARTS, "rungs", best)]
    laws = sorted(
        ((law, number, one.name) for number, one in enumerate(found.summaries) for law in one.horizons),
        key=lambda item: (item[0].horizon, item[1]),
    )
    for law, _, name in laws:
        alpha = with_interval(law.alpha, law.alpha_ci)
        parts = half_width(law.alpha_ci_rungs), half_width(law.alpha_ci_days)
        skill = MISSING if law.best_skill is None else f"{law.best_skill:+.3f}"
        verdict = MISSING if law.verdict is None else law.verdict
        cell = f"{law.best_cell} {_figure(law.best_loss, ranks=ranks)} {skill}"
        told = (_slope(law.rank_ic_per_tenfold),) if ranks else ()
        rows.append((f"h{law.horizon}", name, verdict, *told, alpha, *parts, str(law.rungs), cell))
    return aligned(rows)


def _figure(loss: float, *, ranks: bool) -> str:
    return rank_ic(rank_ic_of(loss)) if ranks else f"{loss:.4f}"


def _slope(found: RankIcPerTenfold | None) -> str:
    return MISSING if found is None else gain_with_interval(found.value, found.low, found.high)


def _parameters(differing: Sequence[ParameterDifference], first: str) -> list[str]:
    if not differing:
        return ["their parameters do not differ"]
    rows = [("parameter", first, "other value", "experiment")]
    rows += [(item.path, _word(item.first), _word(item.second), item.experiment) for item in differing]
    return aligned(rows)


def _pairs(found: SideBySide) -> list[str]:
    first, ranks = found.summaries[0].name, is_rank_error(found.metric)
    rows: list[tuple[str, ...]] = [
        (
            "horizon",
            "rung",
            first,
            "against",
            "",
            "RankIC difference" if ranks else "difference",
            f"{found.confidence:.0%} interval",
            "p",
            "p Holm",
            "better",
        )
    ]
    for pair in found.pairs:
        one = pair.found
        rung = ", ".join(filter(None, (pair.budget, "best of each" if pair.best_of_each else None)))
        rows.append(
            (
                f"h{pair.horizon}",
                rung,
                _loss(pair, 0, ranks=ranks),
                pair.experiment,
                _loss(pair, 1, ranks=ranks),
                gain(one.difference) if ranks else f"{one.difference:+.4f}",
                f"{one.low:+.4f} to {one.high:+.4f}",
                _p(one.p),
                _p(pair.p_holm),
                _better(pair, first, found.confidence),
            )
        )
    days = ", ".join(f"h{horizon} {days}" for horizon, days in {p.horizon: p.found.days for p in found.pairs}.items())
    chosen_by = "validation RankIC" if ranks else "validation loss"
    return [
        *aligned(rows),
        f"paired by day on {found.region} ({days} days); difference above 0: {first} is better",
        f"p Holm: over these {len(found.pairs)} comparisons; the best cell of each is chosen by its {chosen_by}",
        *_seeds_note(found.pairs),
    ]


def _p(p: float) -> str:
    """Format a p-value: 0.034, and < 0.001 for values too small to show."""
    return p_in_words(p).removeprefix("p ").removeprefix("= ")


def _seeds_note(pairs: Sequence[Pair]) -> list[str]:
    """Return a note on the seeds of the first comparison that has one, and the number of further notes (--json has
    all)."""
    notes = [pair.found.note for pair in pairs if pair.found.note is not None]
    more = f" (and of {len(notes) - 1} more comparisons: --json)" if len(notes) > 1 else ""
    return [f"seeds: {notes[0]}{more}"] if notes else []


def _loss(pair: Pair, side: int, *, ranks: bool) -> str:
    figure = _figure((pair.found.first_loss, pair.found.second_loss)[side], ranks=ranks)
    return figure if pair.budget is not None else f"{figure} ({pair.cells[side]})"


def _better(pair: Pair, first: str, confidence: float) -> str:
    """Return the name of the significantly better one after correction for multiple comparisons."""
    if pair.p_holm >= 1.0 - confidence:
        return "not significant"
    return first if pair.found.difference > 0.0 else pair.experiment


def _refused(found: SideBySide) -> list[str]:
    return [f"  - h{item.horizon} of {item.experiment}: {'; '.join(item.reasons)}" for item in found.refused]


def _word(value: object) -> str:
    text = MISSING if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
