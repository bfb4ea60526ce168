"""Which days of a symbol's bars lie in which region of a study, at one horizon. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.data.splits import Splits
from tsladder.vocabulary import Region

Days = NDArray[np.datetime64]

REGION_WORDS = {Region.TRAIN: "training", Region.VALIDATION: "validation", Region.TEST: "test"}


def as_days(days: Sequence[str]) -> Days:
    """ISO text as days."""
    return np.array(days, dtype="datetime64[D]")


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedDays:
    """First and last day of every run of rows of a region, and how many rows it has. A day of the bars that is no row,
    because it was left out or lies in the warm-up, is used where it lies inside such a run."""

    runs: Mapping[Region, Sequence[tuple[np.datetime64, np.datetime64]]]
    rows: Mapping[Region, int]

    @classmethod
    def of(cls, splits: Splits, dates_T: Days, regions: Sequence[Region] = tuple(Region)) -> UsedDays:
        """Of those of `regions`. Segments of `splits` are rows of `dates_T`. A walk forward's are those of its last
        fold, which trains on the days of the earlier ones."""
        segments = {region: splits.region(region).segments for region in regions}
        return cls(
            runs={region: [(dates_T[s.first], dates_T[s.last]) for s in segments[region]] for region in regions},
            rows={region: sum(s.last - s.first + 1 for s in segments[region]) for region in regions},
        )

    def inside(self, days_N: Days) -> dict[Region, NDArray[np.bool_]]:
        """Which of the days lie in each region; a day lies in one at most."""
        return {
            region: np.any([(first <= days_N) & (days_N <= last) for first, last in runs], axis=0)
            if runs
            else np.zeros(len(days_N), dtype=np.bool_)
            for region, runs in self.runs.items()
        }

    def counts(self, days_N: Days) -> dict[Region, int]:
        return {region: int(inside_N.sum()) for region, inside_N in self.inside(days_N).items()}

    def region_of(self, day: str) -> Region | None:
        """None: not a day that the study uses."""
        return next((region for region, found in self.inside(as_days([day])).items() if found[0]), None)
