"""Where a feature table comes from: the bars it was made of, the day it could start on, the days it lost; and whose
rows follow below."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.data.lost_days import LostDays


@dataclass(frozen=True, kw_only=True, slots=True)
class BarsFacts:
    """`fingerprint`: SHA-256 (hex) of the days and values themselves, not of the file that holds them."""

    days: int
    first_day: str
    last_day: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """`asked`: data.first_day as it stands. `earliest_day`: the first on which every column of the tier has a value.

    `common_day`: the first on which every tier without VIX has all its columns, None where the bars are too short for
    the largest. `lost`: None for a tier of one series.
    """

    asked: str | None
    earliest_day: str
    common_day: str | None
    bars: Mapping[str, BarsFacts]
    lost: LostDays | None

    def to_json(self) -> dict[str, Any]:
        return {
            "first_day_asked": self.asked,
            "earliest_first_day": self.earliest_day,
            "common_first_day": self.common_day,
            "bars": {symbol: dataclasses.asdict(facts) for symbol, facts in self.bars.items()},
            "lost_days": None if self.lost is None else self.lost.to_json(),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Origin:
        """Inverse of `to_json`; other keys are ignored."""
        lost = record["lost_days"]
        return cls(
            asked=record["first_day_asked"],
            earliest_day=record["earliest_first_day"],
            common_day=record["common_first_day"],
            bars={symbol: BarsFacts(**facts) for symbol, facts in record["bars"].items()},
            lost=None if lost is None else LostDays.from_json(lost),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FurtherSymbol:
    """A symbol whose rows follow below those of a table's own, from `first_row` on; fields as in `FeatureTable`."""

    symbol: str
    first_row: int
    warm_up: int
    open_equals_previous_close: float | None
    origin: Origin | None

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "symbol": self.symbol,
            "first_row": self.first_row,
            "warm_up": self.warm_up,
            "open_equals_previous_close": self.open_equals_previous_close,
            **({} if self.origin is None else self.origin.to_json()),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> FurtherSymbol:
        """Inverse of `to_json`."""
        return cls(
            symbol=record["symbol"],
            first_row=record["first_row"],
            warm_up=record["warm_up"],
            open_equals_previous_close=record["open_equals_previous_close"],
            origin=Origin.from_json(record) if "bars" in record else None,
        )
