"""Probes `truncated_panel` and `future_of_others`: nothing that is known of a day at its close changes when what
follows is cut off, or becomes another.

All that models and baselines read is compared bit for bit, on every day up to the cut and for every stock: members,
columns, ranks within the day, the stocks of a sample, and neighbours with their edges where the question has a graph.
The cut panel lacks the stocks that are first traded later, as it did on that day; where the panel has none, some are
made to be listed late, in the whole and in the cut panel alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of
from tsladder.audit.panel.changed_panels import listed_after, noise_after
from tsladder.audit.panel.day_values import Changes, DayValues, compare, day_values, known_values, together
from tsladder.audit.panel.learner import Floats
from tsladder.audit.panel.subject import PanelSubject
from tsladder.errors import BadInput
from tsladder.panel.panel import Panel, until

Maker = Callable[[Panel, Floats], DayValues]
"""A panel and labels of one horizon to all values by day and stock."""

_RANDOM_CUTS = 3
_NOISY_CUTS = 3
_LATE_SHARE = 5


def truncated_panel(subject: PanelSubject) -> Finding:
    """Compare inputs with those of panels that end on each of several days."""
    rows = cut_rows(subject)
    known = day_values(subject.inputs, subject.data.table)
    found = [truncated(subject, known, subject.panel, row) for row in rows]
    late = _listed_late(subject, rows)
    if late is not None:
        found.append(late)
    changes = together(found)
    changed = changes.over(0.0)
    needs = None
    if changes.faults:
        words = f"Inputs could not be made again from a shorter panel: {listed(list(changes.faults), 1)}."
    elif changed:
        words = (
            f"{listed(changed)} changed when the days after were cut off, with the stocks that were first traded "
            "later: they know the future."
        )
    elif not rows:
        words = "There was no day after which to cut the panel off."
        needs = "a session with enough stocks before the last one"
    else:
        words = (
            f"{_compared(subject)} kept every bit when the panel was cut off after each of {len(rows)} days, without "
            "the stocks that were first traded later."
        )
    numbers = {
        "values": len(known.values),
        "cuts": len(rows),
        "stocks_listed_later": _first_traded_after(subject.panel, rows),
        "made_to_be_listed_late": "yes" if late is not None else "no",
        "values_changed": len(changed),
        "largest_change_sd": changes.worst,
    }
    return Finding(
        name="truncated_panel",
        outcome=outcome_of(leak=bool(changes.faults or changed), inconclusive=not rows),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def future_of_others(subject: PanelSubject) -> Finding:
    """Compare inputs with those of panels in which all stocks but one have other prices after each of several days."""
    rows = cut_rows(subject)
    rng = subject.random("others")
    chosen = sorted(rng.permutation(rows)[:_NOISY_CUTS].tolist())
    known = day_values(subject.inputs, subject.data.table)
    stocks = len(subject.panel.symbols_S)
    found = []
    for row in chosen:
        others_S = np.arange(stocks) != int(rng.integers(0, stocks))
        noisy = noise_after(subject.panel, row, others_S, rng)
        found.append(_again(subject, known, noisy, row, f"with other prices after {_day(subject.panel, row)}"))
    changes = together(found)
    changed = changes.over(0.0)
    needs = None
    if changes.faults:
        words = f"Inputs could not be made with other prices in the future: {listed(list(changes.faults), 1)}."
    elif changed:
        words = (
            f"{listed(changed)} changed when all later prices of other stocks were replaced by noise: a day's "
            "cross-section sees the future of other stocks."
        )
    elif not chosen:
        words = "There was no day after which to replace prices."
        needs = "a session with enough stocks before the last one"
    else:
        words = (
            f"{_compared(subject)} kept every bit when all later prices of all stocks but one were replaced by noise "
            f"after each of {len(chosen)} days."
        )
    numbers = {"cuts": len(chosen), "values_changed": len(changed), "largest_change_sd": changes.worst}
    return Finding(
        name="future_of_others",
        outcome=outcome_of(leak=bool(changes.faults or changed), inconclusive=not chosen),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def cut_rows(subject: PanelSubject) -> list[int]:
    """Return the rows after which panels are cut off, ascending: the ends of training and validation, and random ones;
    none before the first session with enough stocks, from which no panel could be made."""
    days, first_row = len(subject.panel.dates_T), subject.inputs.axis.first_row
    splits = subject.splits[subject.first_horizon]
    rows = {split.segments[-1].last for split in (splits.train, splits.validation)}
    if first_row < days - 1:
        rows |= set(subject.random("truncation").integers(first_row, days - 1, _RANDOM_CUTS).tolist())
    return sorted(row for row in rows if first_row <= row < days - 1)


def truncated(
    subject: PanelSubject,
    known: DayValues,
    panel: Panel,
    row: int,
    made: Maker | None = None,
) -> Changes:
    """Compare `known`, made of `panel`, with what is made of the panel that ends with session `row`. `made`: panel and
    labels to values; None: the study's own."""
    return _again(subject, known, until(panel, row), row, f"cut off after {_day(panel, row)}", made)


def _again(
    subject: PanelSubject,
    known: DayValues,
    panel: Panel,
    row: int,
    how: str,
    made: Maker | None = None,
) -> Changes:
    """Compare what is known up to session `row` with what is made of `panel`. Labels are those of the whole panel, so
    that a label among the inputs is left to the probes of labels."""
    place_of = {symbol: place for place, symbol in enumerate(subject.panel.symbols_S)}
    stocks = [place_of[symbol] for symbol in panel.symbols_S]
    y_TS = subject.y_TS(subject.first_horizon)[: len(panel.dates_T), stocks]
    try:
        again = known_values(subject.pipeline, panel, y_TS) if made is None else made(panel, y_TS)
    except BadInput as refusal:
        return Changes(largest={}, faults=(f"the panel {how} was refused ({refusal.headline})",))
    if not np.array_equal(again.dates_T, panel.dates_T) or again.symbols_S != panel.symbols_S:
        return Changes(largest={}, faults=(f"the panel {how}: other days or stocks came out",))
    found = compare(known, again, row + 1)
    return Changes(largest=found.largest, faults=tuple(f"the panel {how}: {fault}" for fault in found.faults))


def _listed_late(subject: PanelSubject, rows: list[int]) -> Changes | None:
    """Compare at one of the cuts with some stocks listed after it, in the whole panel and in the cut one; None where
    too few stocks are left."""
    rng = subject.random("listed late")
    stocks = len(subject.panel.symbols_S)
    late_S = np.zeros(stocks, dtype=np.bool_)
    late_S[rng.permutation(stocks)[: max(1, stocks // _LATE_SHARE)]] = True
    for row in rng.permutation(rows).tolist():
        changed = listed_after(subject.panel, row, late_S)
        try:
            inputs = subject.pipeline.inputs(changed)
        except BadInput:
            continue
        if inputs.axis.first_row <= row:
            known = day_values(inputs, subject.pipeline.table(inputs, subject.y_TS(subject.first_horizon)))
            return truncated(subject, known, changed, row)
    return None


def _compared(subject: PanelSubject) -> str:
    return "Members, columns and ranks" if subject.inputs.graph is None else "Members, columns, ranks and neighbours"


def _first_traded_after(panel: Panel, rows: list[int]) -> int:
    """Count the stocks that are first traded after the first of the cuts."""
    return int((~panel.traded_TS[: min(rows, default=0) + 1].any(axis=0)).sum())


def _day(panel: Panel, row: int) -> str:
    return str(panel.dates_T[row].astype("datetime64[D]"))
