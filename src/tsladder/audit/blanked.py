"""Probe `blanked_test_targets`: the labels of the test region influence nothing but the test score.

Every test label is turned into its opposite (blanking the labels would shorten the days on which labels are known).
Windows, the weights of a small model, its loss on validation and the forecasts of every fitted baseline, also on test,
must stay the same, bit for bit. No loss on test is computed here: that region is scored once per trained model of the
study.
"""

from __future__ import annotations

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of
from tsladder.audit.subject import Subject, same_inputs
from tsladder.data.windows import WindowSet
from tsladder.tasks.parts.label_audit import LabelAudit
from tsladder.vocabulary import Region

_EPOCHS = 2


def blanked_test_targets(subject: Subject) -> Finding:
    """Run the probe: windows are compared on every horizon, training and baselines on the first."""
    changed: list[str] = []
    ended: str | None = None
    flipped = 0
    for horizon in subject.horizons:
        splits, y_T = subject.splits(horizon), subject.labels(horizon)
        ends_N = subject.windows(horizon).test.ends_N
        blanked_T = y_T.copy()
        blanked_T[ends_N] = subject.label_audit.flipped(y_T[ends_N])
        flipped += len(ends_N)
        pairs = [
            (build_windows(subject.table, splits, y_T), build_windows(subject.table, splits, blanked_T))
            for build_windows in subject.pipeline.window_builders
        ]
        for before, after in pairs:
            changed += [f"h{horizon}: {what}" for what in _changed_windows(subject.label_audit, before, after)]
        if horizon == subject.first_horizon:
            results, ended = _changed_results(subject, pairs)
            changed += [f"h{horizon}: {what}" for what in results]
    needs = None
    if changed:
        words = f"Turning the test labels round changed more than the score: {listed(changed)}."
    elif ended is not None:
        words = f"The small model could not be trained (it ended {ended}), so its weights and loss were not compared."
        needs = f"a small model that trains to the end of its {_EPOCHS} epochs"
    else:
        words = (
            f"With all {flipped} test labels turned round, windows, weights, validation loss and every forecast stayed "
            "the same, bit for bit."
        )
    numbers = {
        "horizons": len(subject.horizons),
        "trained_horizon": subject.first_horizon,
        "test_labels_turned": flipped,
        "things_changed": len(changed),
    }
    return Finding(
        name="blanked_test_targets",
        outcome=outcome_of(leak=bool(changed), inconclusive=ended is not None),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def _changed_windows(labels: LabelAudit, before: WindowSet, after: WindowSet) -> list[str]:
    changed = []
    for region in Region:
        one, other = before.region(region), after.region(region)
        if not same_inputs(one, other):
            changed.append(f"inputs of {region}")
        flipped_y_N = labels.flipped(one.y_N) if region is Region.TEST else one.y_N
        if not np.array_equal(flipped_y_N, other.y_N):
            changed.append(f"labels of {region}")
    return changed


def _changed_results(subject: Subject, pairs: list[tuple[WindowSet, WindowSet]]) -> tuple[list[str], str | None]:
    """Return the outputs of the fitted models that changed, and how training ended where it left nothing to compare."""
    (windows, blanked), (ratio, blanked_ratio) = pairs[0], pairs[-1]
    one, other = subject.pipeline.train(windows, _EPOCHS), subject.pipeline.train(blanked, _EPOCHS)
    changed = []
    if one.weights != other.weights:
        changed.append("weights of the trained model")
    if one.validation_loss != other.validation_loss:
        changed.append("its validation loss")
    forecasts = subject.pipeline.forecasts(windows, ratio, subject.table, Region.TEST)
    again = subject.pipeline.forecasts(blanked, blanked_ratio, subject.table, Region.TEST)
    changed += [f"forecasts of {name}" for name, p_N in forecasts.items() if not np.array_equal(p_N, again[name])]
    return changed, None if one.p_N is not None else one.ended
