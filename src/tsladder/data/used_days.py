"""The days of a symbol's bars that a study uses, by region, at one horizon. Pure."""

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
    """Convert ISO text to days."""
    return np.array(days, dtype="datetime64[D]")


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedDays:
    """The days of each region: first and last day of every run of rows, and the number of rows.

    A day of the bars without a row, because it was left out or lies in the warm-up, is used if it lies inside such a
    run.
    """

    runs: Mapping[Region, Sequence[tuple[np.datetime64, np.datetime64]]]
    rows: Mapping[Region, int]

    @classmethod
    def of(cls, splits: Splits, dates_T: Days, regions: Sequence[Region] = tuple(Region)) -> UsedDays:
        """Collect the days of `regions`. Segments of `splits` are rows of `dates_T`.

        In a walk forward the regions are those of its last fold, which trains on the days of the earlier ones.
        """
        segments = {region: splits.region(region).segments for region in regions}
        return cls(
            runs={region: [(dates_T[s.first], dates_T[s.last]) for s in segments[region]] for region in regions},
            rows={region: sum(s.last - s.first + 1 for s in segments[region]) for region in regions},
        )

    def inside(self, days_N: Days) -> dict[Region, NDArray[np.bool_]]:
        """Return, for each region, whether each of the days lies in it; a day lies in one region at most."""
        return {
            region: np.any([(first <= days_N) & (days_N <= last) for first, last in runs], axis=0)
            if runs
            else np.zeros(len(days_N), dtype=np.bool_)
            for region, runs in self.runs.items()
        }

    def counts(self, days_N: Days) -> dict[Region, int]:
        return {region: int(inside_N.sum()) for region, inside_N in self.inside(days_N).items()}

    def region_of(self, day: str) -> Region | None:
        """Return the region of a day; None for a day that the study does not use."""
        return next((region for region, found in self.inside(as_days([day])).items() if found[0]), None)
