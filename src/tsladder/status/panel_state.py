"""State of what a panel study has beside its cells: its stages, its universe, its audit, and the level to beat."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tsladder.artifacts.audit import read_audit
from tsladder.artifacts.baselines import BaselineScores, read_baselines
from tsladder.artifacts.panel_features import read_panel_features
from tsladder.artifacts.store import if_there
from tsladder.params import PanelParams
from tsladder.places import Places
from tsladder.ranking.level import level_to_beat
from tsladder.results.file_cache import FileCache
from tsladder.status.freshness import Freshness
from tsladder.vocabulary import ProbeOutcome, Region

_SCORING = "baselines"
"""Stage that writes the scores of every horizon."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HorizonLevel:
    """Level that a model has to beat on the test days of one horizon.

    `fresh`: the scores belong to the current question. `stricter`: the constant with the lower rank error. `skilled`:
    baselines whose paired advantage over it lies above 0. `to_beat`: the best of these, or that constant where there is
    none; its RankIC is `rank_ic`, with the interval `low` to `high`.
    """

    fresh: bool
    days: int
    first_day: str
    last_day: str
    stricter: str
    to_beat: str
    rank_ic: float
    low: float | None
    high: float | None
    skilled: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelState:
    """State of a panel study beside its cells.

    `stages`: stage of the whole study -> fresh, restored, behind or stale. `audit`: outcome of the leak probes, None
    before they ran; `audit_fresh`: they belong to the current question. `horizons`: horizon -> level, None before it
    was scored. `universe` and `bias` are None and empty before the stage features has run.
    """

    panel: str
    stages: Mapping[str, str]
    stages_running: tuple[str, ...]
    audit: ProbeOutcome | None
    audit_fresh: bool
    universe: str | None
    bias: tuple[str, ...]
    horizons: Mapping[int, HorizonLevel | None]

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def read_panel_state(
    places: Places, params: PanelParams, freshness: Freshness, stages_running: tuple[str, ...], files: FileCache
) -> PanelState:
    """Read the records of the study. `stages_running`: stages that DVC runs now. Raises WorkFailed where one is
    damaged."""
    audit = files.read(places.audit_record, if_there(read_audit))
    features = files.read(places.features_manifest, if_there(read_panel_features))
    return PanelState(
        panel=params.data.panel,
        stages={name: freshness.stage_state(name).value for name in freshness.pipeline.stages if "@" not in name},
        stages_running=stages_running,
        audit=None if audit is None else audit.ended,
        audit_fresh=freshness.is_current("audit"),
        universe=None if features is None else features.universe,
        bias=() if features is None else features.bias,
        horizons=_levels(places, params, files, fresh=freshness.is_current(_SCORING)),
    )


def _levels(places: Places, params: PanelParams, files: FileCache, *, fresh: bool) -> dict[int, HorizonLevel | None]:
    found: dict[int, HorizonLevel | None] = {}
    for horizon in params.horizons:
        scores = files.read(places.baseline_scores(horizon), if_there(read_baselines))
        found[horizon] = None if scores is None else _level(scores, fresh=fresh)
    return found


def _level(scores: BaselineScores, *, fresh: bool) -> HorizonLevel:
    test = scores.regions[Region.TEST]
    found = level_to_beat(test)
    interval = test.baseline_intervals[found.name]["rank_ic"]
    return HorizonLevel(
        fresh=fresh,
        days=test.windows,
        first_day=test.first_day,
        last_day=test.last_day,
        stricter=found.constant,
        skilled=found.beat,
        to_beat=found.name,
        rank_ic=test.baselines[found.name].rank_ic,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
    )
