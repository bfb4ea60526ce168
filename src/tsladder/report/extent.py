"""Amount of independent data in a training region whose windows overlap. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingExtent:
    """Amount of data in a training region. `runs`: number of days of each contiguous stretch; `windows`: number of
    windows, which overlap.

    `span`: days after a window that its label is made of; None: the horizon. `labels`: number of labels; None: one for
    each window.
    """

    runs: tuple[int, ...]
    windows: int | None
    context_length: int
    horizon: int
    span: int | None = None
    labels: int | None = None

    @property
    def days(self) -> int | None:
        return sum(self.runs) if self.runs else None

    @property
    def disjoint_windows(self) -> int | None:
        """Number of windows, input and label days together, that fit side by side: a lower bound of the independent
        samples."""
        if not self.runs:
            return None
        whole = self.context_length + (self.horizon if self.span is None else self.span)
        fitting = sum(days // whole for days in self.runs)
        return fitting if self.windows is None else min(fitting, self.windows)

    @property
    def independent_labels(self) -> float | None:
        """Labels divided by the horizon: the labels of neighbouring windows share all but one of their days."""
        labels = self.windows if self.labels is None else self.labels
        return None if labels is None else labels / self.horizon
