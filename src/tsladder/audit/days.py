"""Probes `shared_days` and `label_reach`: which regions use which days, counted from the windows and the splits file
alone.

A window's span runs from its first input day to its label's last day. The code that made the splits is not called:
spans are laid over the calendar and counted, and how far a label looks ahead is measured by changing prices.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.finding import Finding, listed, outcome_of
from tsladder.audit.intervals import days_between
from tsladder.audit.subject import AuditedFold, Days, Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.windows import Windows
from tsladder.vocabulary import Region

_PLACES = 24
_JUMP = 8.0


def shared_days(subject: Subject) -> Finding:
    """Check that no day belongs to windows of two regions of a fold, nor to the validation of two folds, and that no
    window leaves the segments of its own region.

    A later fold may train on days on which an earlier one is validated. Days are compared as dates, so that a date that
    stood in two rows would be found.
    """
    faults: list[str] = []
    shared = outside = windows = 0
    for horizon in subject.horizons:
        judged: list[tuple[str, NDArray[np.datetime64]]] = []
        for fold in subject.folds(horizon):
            spans = {region: _span(subject, fold.windows[region], horizon) for region in Region}
            dates = {region: np.unique(subject.table.dates_T[covered_T]) for region, covered_T in spans.items()}
            met = [(str(one), dates[one], str(other), dates[other]) for one, other in combinations(Region, 2)]
            validation = dates[Region.VALIDATION]
            met += [(f"validation of {before}", days, "its own", validation) for before, days in judged]
            judged.append((fold.label, validation))
            for one, days, other, others in met:
                common = np.intersect1d(days, others)
                shared += len(common)
                if len(common):
                    faults.append(f"{fold.label}: {one} and {other} share {_days(len(common))} from {common[0]}")
            for region in fold.own:
                windows += len(fold.windows[region])
                beyond = int((spans[region] & ~fold.segments[region]).sum())
                outside += beyond
                if beyond:
                    faults.append(f"{fold.label}: windows of {region} reach {_days(beyond)} out of their segments")
    if faults:
        words = f"Windows of different regions meet: {listed(faults)}."
    else:
        words = f"No day from the first input to the last label of {windows} windows belongs to two regions."
    numbers = {
        "horizons": len(subject.horizons),
        "windows": windows,
        "shared_days": shared,
        "days_outside_segments": outside,
    }
    outcome = outcome_of(leak=bool(faults), inconclusive=False)
    return Finding(name="shared_days", outcome=outcome, numbers=numbers, words=words)


def label_reach(subject: Subject) -> Finding:
    """Check that no training label looks at a day that validation or test of its fold uses and, in time order, that no
    validation label looks at a test day; that labels look no further ahead than the horizon; and that each window
    carries the label of its last day.

    Figures of several folds are those of the worst fold: most days touched, fewest days between regions.
    """
    faults: list[str] = []
    numbers: dict[str, int] = {}
    unmeasured: list[str] = []
    for horizon in subject.horizons:
        reach = measured_reach(subject, horizon)
        if reach == 0:
            unmeasured.append(f"h{horizon}")
        numbers[f"h{horizon}_days_ahead"] = reach
        if reach > horizon:
            faults.append(f"h{horizon}: a label looks {reach} days ahead")
        y_T = subject.labels(horizon)
        for fold in subject.folds(horizon):
            for region in fold.own:
                windows = fold.windows[region]
                other = int((windows.y_N != y_T[windows.ends_N].astype(np.float32)).sum())
                if other:
                    not_theirs = f"{other} windows of {region} do not carry the label of their last day"
                    faults.append(f"{fold.label}: {not_theirs}")
            overlapping = _overlapping_days(subject, fold, max(horizon, reach))
            _update_extreme(max, numbers, f"h{horizon}_days_touched", overlapping)
            if overlapping:
                faults.append(f"{fold.label}: spans of training touch {_days(overlapping)} of validation or test")
            if subject.in_time_order:
                faults.extend(_out_of_order(subject, fold, horizon, max(horizon, reach), numbers))
    needs = None
    if faults:
        words = f"A label reaches too far: {listed(faults)}."
    elif unmeasured:
        words = f"No change of later prices changed a label of {listed(unmeasured)}, so how far they look is not known."
        needs = "labels that follow from the prices they are made of"
    elif subject.in_time_order:
        words = "The last day that any label of a region looks at lies before the first day the next region shows."
    else:
        words = "No window of training, its label's days included, touches a day of a validation or test block."
    order = "in time" if subject.in_time_order else "blocks"
    outcome = outcome_of(leak=bool(faults), inconclusive=bool(unmeasured))
    return Finding(name="label_reach", outcome=outcome, numbers={"order": order, **numbers}, words=words, needs=needs)


def measured_reach(subject: Subject, horizon: int) -> int:
    """Measure how many days ahead labels look, by multiplying and dividing all prices after each of some days."""
    rows = len(subject.table.dates_T)
    before_T = subject.labels(horizon)
    reach = 0
    for last_kept in subject.random("reach", horizon).integers(1, rows - 1, _PLACES).tolist():
        for factor in (_JUMP, 1.0 / _JUMP):
            after_T = subject.pipeline.labels(_scaled_after(subject, last_kept, factor), horizon)
            changed = np.flatnonzero(~_equal(before_T, after_T))
            if len(changed):
                reach = max(reach, last_kept + 1 - int(changed[0]))
    return reach


def _scaled_after(subject: Subject, last_kept: int, factor: float) -> FeatureTable:
    table = subject.table
    scaled = {}
    for name in ("open_T", "high_T", "low_T", "close_T", "values_TF"):
        scaled[name] = getattr(table, name).copy()
        scaled[name][last_kept + 1 :] *= factor
    return dataclasses.replace(table, **scaled)


def _equal(one_T: Floats, other_T: Floats) -> Days:
    same_T: Days = (one_T == other_T) | (np.isnan(one_T) & np.isnan(other_T))
    return same_T


def _span(subject: Subject, windows: Windows, reach: int) -> Days:
    first_N, last_N = windows.ends_N - subject.context_length + 1, windows.ends_N + reach
    return days_between(first_N, last_N, len(subject.table.dates_T))


def _overlapping_days(subject: Subject, fold: AuditedFold, reach: int) -> int:
    """Count the days of validation and test, as segments or as windows, on which spans of training windows lie,
    whatever their symbol."""
    dates_T = subject.table.dates_T
    kept = np.zeros(len(dates_T), dtype=bool)
    for region in (Region.VALIDATION, Region.TEST):
        kept |= fold.segments[region] | _span(subject, fold.windows[region], reach)
    return len(np.intersect1d(dates_T[_span(subject, fold.windows[Region.TRAIN], reach)], dates_T[kept]))


def _out_of_order(subject: Subject, fold: AuditedFold, horizon: int, reach: int, numbers: dict[str, int]) -> list[str]:
    """Return the faults of the time order of the regions; days are counted on the joint calendar of all symbols."""
    dates_T = subject.table.dates_T
    day_T = np.searchsorted(np.unique(dates_T), dates_T)
    faults = []
    for earlier, later in ((Region.TRAIN, Region.VALIDATION), (Region.VALIDATION, Region.TEST)):
        last_label = int(day_T[_span(subject, fold.windows[earlier], reach)].max())
        first_input = int(day_T[_span(subject, fold.windows[later], reach)].min())
        _update_extreme(min, numbers, f"h{horizon}_days_from_{earlier}_to_{later}", first_input - last_label)
        if first_input <= last_label:
            reached = _days(last_label - first_input + 1)
            faults.append(f"{fold.label}: labels of {earlier} reach {reached} into what {later} shows")
    return faults


def _update_extreme(pick: Callable[[int, int], int], numbers: dict[str, int], name: str, value: int) -> None:
    numbers[name] = pick(numbers.get(name, value), value)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
