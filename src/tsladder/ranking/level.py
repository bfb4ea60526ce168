"""Level that a model has to beat on one region: the baselines with skill beyond the constants, and the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tsladder.artifacts.ranking_scores import OWN_STATIC_ORDER, RegionBaselines
from tsladder.artifacts.scores import Interval
from tsladder.ranking.baselines import NO_ORDER, STATIC_ORDER

CONSTANTS = (NO_ORDER, STATIC_ORDER)


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelToBeat:
    """Baselines by the interval of their paired advantage over the stricter constant, each group best RankIC first.

    `beat`: the interval lies above 0. `undecided`: it holds 0, or is unknown. `worse`: it lies below 0. `best`: the
    baseline with the largest RankIC, constants left out; None where there is none.
    """

    constant: str
    beat: tuple[str, ...]
    undecided: tuple[str, ...]
    worse: tuple[str, ...]
    best: str | None

    @property
    def name(self) -> str:
        """Name of what a model has to beat: the best baseline where it has skill, otherwise the stricter constant."""
        return self.best if self.best is not None and self.best in self.beat else self.constant


def level_to_beat(level: RegionBaselines) -> LevelToBeat:
    """Compare the baselines of a region with its stricter constant."""
    baselines = by_rank_ic(level)
    ends = {name: _end(level.baseline_advantage.get(name)) for name in baselines}
    return LevelToBeat(
        constant=level.stricter,
        beat=tuple(name for name in baselines if ends[name] == 1),
        undecided=tuple(name for name in baselines if ends[name] == 0),
        worse=tuple(name for name in baselines if ends[name] == -1),
        best=baselines[0] if baselines else None,
    )


def by_rank_ic(level: RegionBaselines) -> tuple[str, ...]:
    """Return the baselines that are no constants and were known in advance, largest RankIC first, undefined ones
    last."""
    known = [name for name in level.baselines if name not in (*CONSTANTS, OWN_STATIC_ORDER)]
    return tuple(sorted(known, key=lambda name: (-_sortable(level.baselines[name].rank_ic), name)))


def in_order(level: RegionBaselines) -> tuple[str, ...]:
    """Return every ranking of the region: baselines by RankIC, then the constants, then the one of hindsight."""
    last = [name for name in (*CONSTANTS, OWN_STATIC_ORDER) if name in level.baselines]
    return (*by_rank_ic(level), *last)


def best_and_constant(level: RegionBaselines, most: int = 3) -> tuple[str, ...]:
    """Return the `most` best baselines by RankIC, and the stricter constant: what the pictures follow over time."""
    return (*by_rank_ic(level)[:most], level.stricter)


def holds(interval: Interval, value: float) -> bool:
    """Check whether `value` lies within an interval that has a width: that of a constant has none."""
    return interval.low < interval.high and interval.low <= value <= interval.high


def _end(advantage: Interval | None) -> int:
    if advantage is None or not (math.isfinite(advantage.low) and math.isfinite(advantage.high)):
        return 0
    return 1 if advantage.low > 0.0 else -1 if advantage.high < 0.0 else 0


def _sortable(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else -math.inf
