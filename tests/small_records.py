"""Small whole records of a study's files, for tests that need the files and not the stages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tsladder.artifacts.features import BarsFacts, ColumnKind, FeatureColumn, FeaturesManifest, Origin
from tsladder.artifacts.splits import HorizonSplits, RegionCount, RegionDays, SplitDays
from tsladder.vocabulary import Region


def region_count(windows: int = 926, positives: int = 139, first_day: str = "2015-04-28") -> RegionCount:
    return RegionCount(
        windows=windows,
        positives=positives,
        base_rate=round(positives / windows, 2),
        first_day=dt.date.fromisoformat(first_day),
        last_day=dt.date(2018, 12, 28),
    )


def horizon_splits(
    horizon: int = 1, *, train: int = 926, judged: int = 926, notes: Sequence[str] = ()
) -> HorizonSplits:
    """`train` windows of training, `judged` windows of validation and of test."""

    def days(first: int, last: int) -> RegionDays:
        return RegionDays(segments=((first, last),), windows_per_segment=None)

    return HorizonSplits(
        splits=SplitDays(horizon=horizon, train=days(0, 2820), validation=days(2821, 3825), test=days(3826, 4831)),
        counts={
            Region.TRAIN: region_count(train),
            **dict.fromkeys((Region.VALIDATION, Region.TEST), region_count(judged)),
        },
        notes=tuple(notes),
    )


def features_manifest(fingerprint: str = "a" * 64, columns: Sequence[str] = ("open", "close")) -> FeaturesManifest:
    return FeaturesManifest(
        symbol="sp500",
        tier="a25",
        ohlcv=True,
        rows=4832,
        first_day="1999-10-18",
        last_day="2018-12-31",
        warm_up=199,
        open_equals_previous_close=0.3749,
        fingerprint=fingerprint,
        origin=Origin(
            first_day_asked=None,
            earliest_first_day="1999-10-18",
            common_first_day="2000-01-03",
            bars={"sp500": BarsFacts(days=5031, first_day="1999-01-04", last_day="2018-12-31", fingerprint="b" * 64)},
            lost_days=None,
        ),
        columns=tuple(
            FeatureColumn(name=name, kind=ColumnKind.PRICE, words=f"{name} of the day", look_back=0, source="bars")
            for name in columns
        ),
    )
