"""Ways to plant a leak: a subject whose pipeline differs from the study's in one step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from tsladder.artifacts.splits import RegionDays, SplitDays
from tsladder.audit.pipeline import WindowBuilder
from tsladder.audit.subject import Floats, Subject
from tsladder.data.features import FeatureTable
from tsladder.data.splits import Split, Splits
from tsladder.data.windows import Windows, WindowSet
from tsladder.vocabulary import Region


def with_step(subject: Subject, **steps: object) -> Subject:
    """`subject` with steps of its pipeline replaced."""
    return dataclasses.replace(subject, pipeline=dataclasses.replace(subject.pipeline, **steps))  # type: ignore[arg-type]


def with_windows(subject: Subject, leak: Callable[[WindowSet, FeatureTable, Floats], WindowSet]) -> Subject:
    """`leak` changes what the study's own function has cut, for models and baselines alike."""
    honest = subject.pipeline.windows

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        return leak(honest(table, splits, y_T), table, y_T)

    return with_step(subject, windows=cut, ratio_windows=cut)


def in_every_region(windows: WindowSet, change: Callable[[Windows], Windows]) -> WindowSet:
    regions = {region.value: change(windows.region(region)) for region in Region}
    return dataclasses.replace(windows, **regions)


def column_replaced(windows: WindowSet, column_T: Floats) -> WindowSet:
    """The first column shows `column_T` as it is."""

    def replaced(region: Windows) -> Windows:
        series_TF, scale_NF, shift_NF = region.series_TF.copy(), region.scale_NF.copy(), region.shift_NF.copy()
        series_TF[:, 0] = column_T
        scale_NF[:, 0], shift_NF[:, 0] = 1.0, 0.0
        return dataclasses.replace(region, series_TF=series_TF, scale_NF=scale_NF, shift_NF=shift_NF)

    return in_every_region(windows, replaced)


def column_shifted(region: Windows, by_N: Floats | float) -> Windows:
    """The first column of every window is moved by its entry of `by_N`."""
    shift_NF = region.shift_NF.copy()
    shift_NF[:, 0] += by_N
    return dataclasses.replace(region, shift_NF=shift_NF)


def joined(one: Windows, other: Windows) -> Windows:
    """The windows of both, which share their series."""
    names = ("ends_N", "scale_NF", "shift_NF", "y_N", "dates_N")
    together = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in names}
    return dataclasses.replace(one, **together)


def with_segment(subject: Subject, horizon: int, region: Region, first: int, last: int) -> Subject:
    """The splits file of `horizon` with one other segment for `region`."""
    record = subject.splits_records[horizon]
    days = dataclasses.replace(record.splits, **{region.value: _one_segment(first, last)})
    return with_days(subject, horizon, days)


def with_days(subject: Subject, horizon: int, days: SplitDays) -> Subject:
    """The splits file of `horizon` with other days."""
    record = dataclasses.replace(subject.splits_records[horizon], splits=days)
    return dataclasses.replace(subject, splits_records={**subject.splits_records, horizon: record})


def _one_segment(first: int, last: int) -> RegionDays:
    return RegionDays(segments=((first, last),), windows_per_segment=None)


def longer_training(honest: WindowBuilder, days: int) -> WindowBuilder:
    """Cuts training windows from that many days more than the splits give it, at the end of its first segment."""

    def cut(table: FeatureTable, splits: Splits, y_T: Floats) -> WindowSet:
        (first, *rest) = splits.train.segments
        longer = dataclasses.replace(first, last=first.last + days)
        train = Split(region=Region.TRAIN, segments=(longer, *rest))
        return honest(table, dataclasses.replace(splits, train=train), y_T)

    return cut


def with_fold_segment(subject: Subject, horizon: int, fold: int, region: Region, first: int, last: int) -> Subject:
    """The splits file of `horizon` with one other segment for `region` in fold `fold`, counted from 1."""
    days = subject.splits_records[horizon].splits
    folds = list(days.folds)
    folds[fold - 1] = dataclasses.replace(folds[fold - 1], **{region.value: _one_segment(first, last)})
    return with_days(subject, horizon, dataclasses.replace(days, folds=tuple(folds)))
