"""Inputs of a cell of a study of either kind: the identity of its features, and its splits. Light imports only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from tsladder.artifacts.features import read_manifest
from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.panel_splits import PanelSplits, read_panel_splits
from tsladder.artifacts.plans import AnyQuestion, PanelQuestion
from tsladder.artifacts.splits import HorizonSplits, read_splits
from tsladder.places import Places

T = TypeVar("T")

CellInputs = tuple[str, HorizonSplits | PanelSplits]
"""Fingerprint of the features, and the splits of a horizon."""


class ReadFile(Protocol):
    """Function that reads a file, or returns what it has read before."""

    def __call__(self, path: Path, how: Callable[[Path], T], /) -> T: ...


def read_afresh(path: Path, how: Callable[[Path], T]) -> T:
    """Read the file at `path`."""
    return how(path)


def cell_inputs(places: Places, question: AnyQuestion, read: ReadFile = read_afresh) -> CellInputs:
    """Read the inputs of the cell of `question` as the stages features and splits left them, each file by `read`.

    Raises FileNotFoundError where one is missing, WorkFailed where one is damaged.
    """
    if isinstance(question, PanelQuestion):
        features = read(places.features_manifest, read_panel_features).fingerprint
        return features, read(places.horizon_splits(question.horizon), read_panel_splits)
    return (
        read(places.features_manifest, read_manifest).fingerprint,
        read(places.horizon_splits(question.horizon), read_splits),
    )
