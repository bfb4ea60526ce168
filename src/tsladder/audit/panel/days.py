"""Probe `days_and_label_reach`: regions share no day, and no label looks into another region.

A sample's span runs from its first input day to the last day its label is made of, entry lag plus horizon after its
own. The code that cut the regions is not called: spans are laid over the sessions of the panel and counted, and how far
a label looks ahead is measured by changing prices. In each fold:

- no session belongs to spans of two regions, and no span leaves the segments of its region;
- no session belongs to validation of two folds;
- the embargo after validation, counted in sessions, is kept: in purged folds no training span touches it, in time order
  no span of the next validation or of test;
- in time order the last label of training lies before the first input of validation, and that before test; in purged
  folds all of it lies before test.
"""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np

from tsladder.audit.finding import Finding, listed, outcome_of
from tsladder.audit.intervals import days_between
from tsladder.audit.panel.changed_panels import scaled_prices
from tsladder.audit.panel.learner import Mask
from tsladder.audit.panel.subject import PanelSubject
from tsladder.data.splits import Split
from tsladder.vocabulary import Region

_PLACES = 6
_JUMP = 8.0


@dataclasses.dataclass(slots=True)
class _Counts:
    """Running totals over horizons and folds."""

    samples: int = 0
    shared: int = 0
    outside: int = 0
    embargoed: int = 0


def days_and_label_reach(subject: PanelSubject) -> Finding:
    faults: list[str] = []
    reaches: dict[str, int] = {}
    unmeasured: list[str] = []
    counts = _Counts()
    for horizon in subject.horizons:
        reach = measured_reach(subject, horizon)
        reaches[f"h{horizon}_sessions_ahead"] = reach
        if reach == 0:
            unmeasured.append(f"h{horizon}")
        if reach > subject.span(horizon):
            faults.append(
                f"h{horizon}: a label looks {reach} sessions ahead, and entry lag plus horizon is "
                f"{subject.span(horizon)}"
            )
        _check_folds(subject, horizon, max(reach, subject.span(horizon)), counts, faults)
    needs = None
    if faults:
        words = f"Regions meet, or a label reaches too far: {listed(faults)}."
    elif unmeasured:
        words = f"No change of later prices changed a label of {listed(unmeasured)}, so how far they look is not known."
        needs = "labels that follow from the prices they are made of"
    else:
        kept = f", and each embargo of {_sessions(subject.embargo_days)} is kept" if subject.embargo_days else ""
        words = (
            f"From the first input to the last day of its label, no session of {counts.samples} sample days belongs to "
            f"two regions{kept}."
        )
    numbers = {
        "order": "in time" if subject.in_time_order else "purged folds",
        "samples": counts.samples,
        **reaches,
        "shared_sessions": counts.shared,
        "sessions_outside_segments": counts.outside,
        "embargo_sessions": subject.embargo_days,
        "embargo_sessions_used": counts.embargoed,
    }
    return Finding(
        name="days_and_label_reach",
        outcome=outcome_of(leak=bool(faults), inconclusive=bool(unmeasured)),
        numbers=numbers,
        words=words,
        needs=needs,
    )


def measured_reach(subject: PanelSubject, horizon: int) -> int:
    """Measure how many sessions ahead labels look, by changing the prices of each stock after each of some sessions."""
    rows, before_TS = len(subject.panel.dates_T), subject.y_TS(horizon)
    rng = subject.random("reach", horizon)
    reach = 0
    for last_kept in rng.integers(subject.span(horizon), rows - 1, _PLACES).tolist():
        factor_TS = np.ones(subject.panel.close_TS.shape)
        factor_TS[last_kept + 1 :] = _JUMP ** rng.choice([-1.0, 1.0], len(subject.panel.symbols_S))
        labels = subject.pipeline.labels(scaled_prices(subject.panel, factor_TS))
        after_TS = subject.of_horizon(labels, horizon)
        same_TS: Mask = (before_TS == after_TS) | (np.isnan(before_TS) & np.isnan(after_TS))
        changed = np.flatnonzero(~same_TS.all(axis=1))
        if len(changed):
            reach = max(reach, last_kept + 1 - int(changed[0]))
    return reach


def _check_folds(subject: PanelSubject, horizon: int, reach: int, counts: _Counts, faults: list[str]) -> None:
    splits = subject.splits[horizon]
    test_T = _span(subject, horizon, splits.test, reach)
    judged_T = np.zeros_like(test_T)
    folds = splits.folds
    validations = [_span(subject, horizon, fold.validation, reach) for fold in folds]
    for number, fold in enumerate(folds, start=1):
        label = f"h{horizon} fold {number}" if len(folds) > 1 else f"h{horizon}"
        regions = {Region.TRAIN: fold.train, Region.VALIDATION: fold.validation, Region.TEST: splits.test}
        spans = {region: _span(subject, horizon, split, reach) for region, split in regions.items()}
        for one, other in combinations(regions, 2):
            _meet(counts, faults, f"{label}: {one} and {other}", spans[one] & spans[other])
        _meet(counts, faults, f"{label}: validation and that of earlier folds", spans[Region.VALIDATION] & judged_T)
        judged_T |= spans[Region.VALIDATION]
        for region in regions if fold is folds[-1] else (Region.TRAIN, Region.VALIDATION):
            counts.samples += len(subject.rows_N(horizon, regions[region]))
            beyond = int((spans[region] & ~_segments(subject, regions[region])).sum())
            counts.outside += beyond
            if beyond:
                faults.append(f"{label}: spans of {region} reach {_sessions(beyond)} out of their segments")
        if subject.in_time_order:
            _check_order(label, spans, (Region.TRAIN, Region.VALIDATION), faults)
            last = int(np.flatnonzero(spans[Region.VALIDATION])[-1])
            following = validations[number] if number < len(folds) else test_T
            _check_embargo(subject, f"{label}: what follows", last, following, counts, faults)
        else:
            for block in fold.validation.segments:
                _check_embargo(subject, f"{label}: training", block.last, spans[Region.TRAIN], counts, faults)
            _check_order(label, spans, (Region.TRAIN, Region.TEST), faults)
        _check_order(label, spans, (Region.VALIDATION, Region.TEST), faults)


def _meet(counts: _Counts, faults: list[str], who: str, common_T: Mask) -> None:
    common = int(common_T.sum())
    counts.shared += common
    if common:
        faults.append(f"{who} share {_sessions(common)}")


def _check_embargo(
    subject: PanelSubject, who: str, last: int, spans_T: Mask, counts: _Counts, faults: list[str]
) -> None:
    """Check that `spans_T` keep clear of the embargo after `last`, the last session of a validation block."""
    used = int(spans_T[last + 1 : last + 1 + subject.embargo_days].sum())
    counts.embargoed += used
    if used:
        faults.append(f"{who} uses {_sessions(used)} of the embargo of {subject.embargo_days} after validation")


def _check_order(label: str, spans: dict[Region, Mask], pair: tuple[Region, Region], faults: list[str]) -> None:
    earlier, later = pair
    last, first = int(np.flatnonzero(spans[earlier])[-1]), int(np.flatnonzero(spans[later])[0])
    if first <= last:
        reached = _sessions(last - first + 1)
        faults.append(f"{label}: labels of {earlier} reach {reached} into what {later} shows")


def _span(subject: PanelSubject, horizon: int, split: Split, reach: int) -> Mask:
    """Mark all sessions from the first input day to the last label day of the samples of a region."""
    rows_N = subject.rows_N(horizon, split)
    return days_between(rows_N - subject.context_length + 1, rows_N + reach, len(subject.panel.dates_T))


def _segments(subject: PanelSubject, split: Split) -> Mask:
    first = np.array([segment.first for segment in split.segments], dtype=np.int64)
    last = np.array([segment.last for segment in split.segments], dtype=np.int64)
    return days_between(first, last, len(subject.panel.dates_T))


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
