"""How much a training region holds to learn from, where its windows overlap. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingExtent:
    """How much the training region holds. `runs`: days of each unbroken stretch of it; `windows` overlap."""

    runs: tuple[int, ...]
    windows: int | None
    context_length: int
    horizon: int

    @property
    def days(self) -> int | None:
        return sum(self.runs) if self.runs else None

    @property
    def disjoint_windows(self) -> int | None:
        """Windows, input and label days together, that fit side by side: the least that the region can teach."""
        if not self.runs:
            return None
        span = self.context_length + self.horizon
        fitting = sum(days // span for days in self.runs)
        return fitting if self.windows is None else min(fitting, self.windows)

    @property
    def independent_labels(self) -> float | None:
        """Windows over horizon: the labels of neighbouring windows share all but one of their days."""
        return None if self.windows is None else self.windows / self.horizon
