"""artifacts/features/manifest.json of a panel study: the columns that models read, and the panel they are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tsladder.artifacts.record import read_record, write_record

_AGAIN = "remove it and run `dvc repro features`"


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberCounts:
    """Number of members with all columns on the days that have enough of them: least, median and largest."""

    least: int
    median: float
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelFeatures:
    """Columns and members of a panel.

    `first_sample_day`: the first session with enough members. `days`: how many sessions have enough. `fingerprint`:
    SHA-256 (hex) of sessions, symbols, members, normalised values and prices, which are not stored here: they are
    computed from the panel's file, or mapped from the cube. `universe`, `returns`, `source`, `licence` and `bias` (a
    sentence for each way in which the choice of stocks or days misleads) are those of the panel's own manifest.
    """

    panel: str
    tier: str
    columns: tuple[str, ...]
    lags: Mapping[str, int]
    normalisation: str
    sessions: int
    symbols: int
    first_day: str
    last_day: str
    first_sample_day: str
    days: int
    members: MemberCounts
    not_traded_rows: int
    delisted: tuple[str, ...]
    universe: str
    returns: str
    source: str
    licence: str
    bias: tuple[str, ...]
    fingerprint: str


def read_panel_features(path: Path) -> PanelFeatures:
    """Read the manifest at `path`. Raises FileNotFoundError if it does not exist, WorkFailed if it is damaged."""
    return read_record(PanelFeatures, path, remedy=_AGAIN)


def write_panel_features(path: Path, features: PanelFeatures) -> None:
    """Replace the manifest at `path`."""
    write_record(path, features)
