"""Probe `entry_lag`: a label begins at the entry, `entry_lag` sessions after its day, and not before.

On some days t the panel is changed and labels are made again:

- every Close after the entry as it was at the entry: the label of t is 0;
- all prices from one of the sessions up to the entry on times a factor a stock: the label of t stays as it was, since
  the return from t to the entry is nobody's.

As a check that anything was tried, all prices from the end of the label on times a factor must change it by exactly
that factor's logarithm.
"""

from __future__ import annotations

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of, rounded
from tsladder.audit.panel.changed_panels import held_after, scaled_prices
from tsladder.audit.panel.learner import Floats
from tsladder.audit.panel.subject import PanelSubject
from tsladder.panel.panel import Panel

TOLERANCE = 1e-9
"""Largest log return that counts as rounding."""

_PLACES = 4
_LARGEST_FACTOR = 2.0


def entry_lag(subject: PanelSubject) -> Finding:
    faults: list[str] = []
    before_entry = held = 0.0
    followed = tried = 0
    for horizon in subject.horizons:
        span, days = subject.span(horizon), len(subject.panel.dates_T)
        rng = subject.random("entry", horizon)
        y_TS = subject.y_TS(horizon)
        for row in rng.integers(0, days - span, _PLACES).tolist():
            tried += 1
            entry = row + subject.entry_lag
            flat_S = _labels(subject, held_after(subject.panel, entry), horizon)[row]
            held = max(held, _largest(flat_S))
            first_moved = int(rng.integers(row + 1, entry + 1)) if subject.entry_lag > 0 else entry
            moved_S, _ = _moved_from(subject, first_moved, horizon, row, rng)
            before_entry = max(before_entry, _largest(moved_S - y_TS[row]))
            end_S, factor_S = _moved_from(subject, row + span, horizon, row, rng)
            traded_S = subject.panel.traded_TS[row + span] & np.isfinite(y_TS[row])
            followed += int((np.abs(end_S - y_TS[row] - np.log(factor_S)) <= TOLERANCE)[traded_S].sum())
    if held > TOLERANCE:
        faults.append("a label is not 0 where no price changes after the entry")
    if before_entry > TOLERANCE:
        faults.append("a label changes with the return from its day to the entry")
    needs = None
    if faults:
        words = f"Labels do not begin at the entry, {_sessions(subject.entry_lag)} after their day: {listed(faults)}."
    elif followed == 0:
        words = "No label followed the price it ends with, so where labels begin is not known."
        needs = "labels that follow from the prices they are made of"
    else:
        words = (
            f"On {tried} days labels were 0 where no price changed after the entry, {_sessions(subject.entry_lag)} "
            "after their day, and did not change with the return up to it."
        )
    numbers = {
        "entry_lag": subject.entry_lag,
        "days": tried,
        "labels_that_follow_their_last_price": followed,
        "largest_label_of_constant_prices": rounded(held, 2),
        "largest_change_by_the_return_to_the_entry": rounded(before_entry, 2),
        "tolerance": TOLERANCE,
    }
    outcome = outcome_of(leak=bool(faults), inconclusive=followed == 0)
    return Finding(name="entry_lag", outcome=outcome, numbers=numbers, words=words, needs=needs)


def _labels(subject: PanelSubject, panel: Panel, horizon: int) -> Floats:
    return subject.of_horizon(subject.pipeline.labels(panel), horizon)


def _moved_from(
    subject: PanelSubject, first: int, horizon: int, row: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the labels of `row` where all prices from session `first` on are times a factor a stock; and the
    factors."""
    factor_S = np.exp(rng.uniform(-_LARGEST_FACTOR, _LARGEST_FACTOR, len(subject.panel.symbols_S)))
    factor_TS = np.ones(subject.panel.close_TS.shape)
    factor_TS[first:] = factor_S
    return _labels(subject, scaled_prices(subject.panel, factor_TS), horizon)[row], factor_S


def _largest(change_S: Floats) -> float:
    """Return the largest change of a label; one that is missing does not count."""
    return float(np.abs(change_S[np.isfinite(change_S)]).max(initial=0.0))


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
