"""artifacts/features/manifest.json: the columns of the feature table, and the bars it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from tsladder.artifacts.record import Inline, read_record, write_record
from tsladder.typed_yaml import MayBeLeftOut

MANIFEST = "manifest.json"
_NAMED = 5


class ColumnKind(StrEnum):
    """Unit of a column, which decides how the `ratio` normalisation treats it."""

    PRICE = "price"  # a price level: becomes a ratio to the window's last Close
    RANGE = "range"  # a difference of prices: divided by the window's last Close
    VOLUME = "volume"  # standardised within the window
    BOUNDED = "bounded"  # divided by a constant
    UNITLESS = "unitless"  # free of price and volume units already (a return, a share, VIX): taken as it is


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureColumn:
    """One input column. `look_back`: number of days before its first value, in a five-day week."""

    name: str
    kind: ColumnKind
    words: str
    look_back: int
    source: str
    scale: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BarsFacts:
    """Extent and identity of a series of bars.

    `fingerprint`: SHA-256 (hex) of the days and values themselves, not of the file that holds them.
    """

    days: int
    first_day: str
    last_day: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LostDays:
    """Days of the bars that the feature table leaves out because a second series is missing on them.

    `before` counts those before the table's first day (after the warm-up of the indicators), `after` those after its
    last day; `between` lists those inside the table. `count`, `first` and `last` refer to all of them; `first` and
    `last` are ISO text, None if no day was lost.
    """

    count: int
    before: int
    between: tuple[str, ...]
    after: int
    first: str | None
    last: str | None

    def words(self) -> str:
        """Describe which days were lost, to follow a phrase that says how many."""
        parts = f"{self.before} before the first day kept, {len(self.between)} between, {self.after} after the last"
        return f"{self.first} to {self.last}; {parts}{_named(self.between)}"


def _named(days: Sequence[str]) -> str:
    if not days:
        return ""
    more = f" and {len(days) - _NAMED} more" if len(days) > _NAMED else ""
    return f" (those between: {', '.join(days[:_NAMED])}{more})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Source of a feature table: the bars it was made from, the days on which it could start, the days it lost.

    `first_day_asked`: data.first_day as the user set it. `earliest_first_day`: the first day on which every column of
    the tier has a value. `common_first_day`: the first day on which every tier without VIX has all its columns; None if
    the bars are too short for the largest tier. `lost_days`: None for a tier that reads a single series.
    """

    first_day_asked: str | None
    earliest_first_day: str
    common_first_day: str | None
    bars: Mapping[str, BarsFacts]
    lost_days: LostDays | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherSymbol:
    """Further symbol of a feature table: its rows follow those of the first symbol, from row `first_row` on.

    The other fields are as in `FeaturesManifest`.
    """

    symbol: str
    first_row: int
    warm_up: int
    open_equals_previous_close: float | None
    origin: Annotated[Origin | None, Inline()]


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherFeatures:
    """Further symbol of a feature table with the extent of its days; fields as in `FeaturesManifest`."""

    further: Annotated[FurtherSymbol, Inline()]
    rows: int
    first_day: str
    last_day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FeaturesManifest:
    """Manifest of a feature table. It holds no timestamp and no trace of the machine.

    `fingerprint`: hash of the table's values. In a table of several symbols all other fields describe the first one and
    `further` the others. `warm_up`: days of the bars before the first row. `open_equals_previous_close`: share of all
    days of the bars on which this holds; None if it was not measured.
    """

    symbol: str
    tier: str
    ohlcv: bool
    rows: int
    first_day: str
    last_day: str
    warm_up: int
    open_equals_previous_close: float | None
    fingerprint: str
    origin: Annotated[Origin | None, Inline()]
    columns: tuple[FeatureColumn, ...]
    further: Annotated[tuple[FurtherFeatures, ...], MayBeLeftOut()] = ()


def read_manifest(path: Path) -> FeaturesManifest:
    """Read the manifest at `path`. Raises FileNotFoundError if it does not exist, WorkFailed if it is damaged."""
    return read_record(FeaturesManifest, path)


def write_manifest(path: Path, manifest: FeaturesManifest) -> None:
    """Replace the manifest at `path`."""
    write_record(path, manifest)
