"""Amount of independent data in a training region whose windows overlap. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingExtent:
    """Amount of data in a training region. `runs`: number of days of each contiguous stretch; `windows`: number of
    windows, which overlap."""

    runs: tuple[int, ...]
    windows: int | None
    context_length: int
    horizon: int

    @property
    def days(self) -> int | None:
        return sum(self.runs) if self.runs else None

    @property
    def disjoint_windows(self) -> int | None:
        """Number of windows, input and label days together, that fit side by side: a lower bound of the independent
        samples."""
        if not self.runs:
            return None
        span = self.context_length + self.horizon
        fitting = sum(days // span for days in self.runs)
        return fitting if self.windows is None else min(fitting, self.windows)

    @property
    def independent_labels(self) -> float | None:
        """Windows divided by the horizon: the labels of neighbouring windows share all but one of their days."""
        return None if self.windows is None else self.windows / self.horizon
