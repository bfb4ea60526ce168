"""Training and validation samples of a study of either kind, from its splits: windows of a series, days of a panel."""

from __future__ import annotations

from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.splits import HorizonSplits
from tsladder.vocabulary import Region

Samples = tuple[int, int]
"""Training and validation samples of one model."""


def sample_counts(splits: HorizonSplits | PanelSplits) -> tuple[Samples, ...]:
    """Return the samples of the models of one trial: of every fold of a walk forward or purged k-fold, the last one
    last; of one model otherwise."""
    if isinstance(splits, PanelSplits):
        of_days = splits.folds or (splits.counts,)
        return tuple((fold[Region.TRAIN].samples, fold[Region.VALIDATION].samples) for fold in of_days)
    of_windows = splits.folds or (splits.counts,)
    return tuple((fold[Region.TRAIN].windows, fold[Region.VALIDATION].windows) for fold in of_windows)
