"""Probe `rescaled_history`: the unit of a stock's prices changes no input and no label.

A later split divides all earlier adjusted prices, so a level of price knows how a stock fared after its day. The whole
price history of every stock is multiplied by a power of two of its own and its Volume divided by it, so that Close
times Volume keeps every bit. Turnover and the raw price are what was paid on the day, and stay.
"""

from __future__ import annotations

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of, rounded
from tsladder.audit.panel.changed_panels import other_unit
from tsladder.audit.panel.day_values import Changes, compare, day_values, known_values, largest_change, together
from tsladder.audit.panel.subject import PanelSubject
from tsladder.errors import BadInput

TOLERANCE = 1e-6
"""Largest change that counts as rounding, in standard deviations: logarithms of other prices are rounded otherwise."""

_UNITS = 2
_LARGEST_POWER = 6


def rescaled_history(subject: PanelSubject) -> Finding:
    rng = subject.random("units")
    known = day_values(subject.inputs, subject.data.table)
    stocks, days = len(subject.panel.symbols_S), len(subject.panel.dates_T)
    found = []
    for _ in range(_UNITS):
        power_S = rng.integers(1, _LARGEST_POWER + 1, stocks) * rng.choice([-1, 1], stocks)
        moved = other_unit(subject.panel, np.exp2(power_S))
        try:
            again = known_values(subject.pipeline, moved, subject.y_TS(subject.first_horizon))
            labels = subject.pipeline.labels(moved)
        except BadInput as refusal:
            found.append(Changes(largest={}, faults=(f"a panel in other units was refused ({refusal.headline})",)))
            continue
        of_labels = largest_change(subject.labels.y_TSM.reshape(days, -1), labels.y_TSM.reshape(len(labels.y_TSM), -1))
        found.append(compare(known, again, days))
        found.append(Changes(largest={"labels": of_labels}))
    changes = together(found)
    changed = changes.over(TOLERANCE)
    if changes.faults:
        words = f"Prices in other units gave no inputs: {listed(list(changes.faults), 1)}."
    elif changed:
        words = (
            f"{listed(changed)} changed when stocks' prices were given other units: adjusted prices know later splits "
            "and dividends, and so do values that hang on their level."
        )
    else:
        words = (
            f"Inputs and labels stayed the same when the prices of all {stocks} stocks were given other units, each "
            "its own."
        )
    numbers = {
        "units": _UNITS,
        "values_changed": len(changed),
        "largest_change_sd": rounded(changes.worst, 1),
        "tolerance_sd": TOLERANCE,
    }
    outcome = outcome_of(leak=bool(changes.faults or changed), inconclusive=False)
    return Finding(name="rescaled_history", outcome=outcome, numbers=numbers, words=words)
