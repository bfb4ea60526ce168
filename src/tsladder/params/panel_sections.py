"""Sections of the params.yaml of a panel study as frozen, typed values. Sections that a series study has too are those
of `tsladder.params.sections`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tsladder.params.sections import Count, EvaluationParams, Name, Positive, StudyParams
from tsladder.typed_yaml import Counts, MayBeLeftOut, Range

_SESSIONS = Counts("sessions (days of trading), not calendar days")
Sessions = Annotated[int, Range(0), _SESSIONS]


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelDataParams:
    """Data section. `panel`: data/<panel>.parquet. `tier`: columns that models read, a key of
    `tsladder.panel.columns.TIERS`. `lags`: column -> sessions after which it is known, for data published late;
    null: all are known at the day's close."""

    panel: Name
    tier: str
    lags: Mapping[str, Sessions] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class UniverseParams:
    """Universe section: the rules by which a stock is a member on a day.

    `min_history`: traded days before the day itself. `min_price`: least unadjusted Close. `top`: as many stocks, by
    median turnover of the last 63 sessions. None switches a rule off. `min_stocks`: a day with fewer members is no
    sample."""

    min_history: Sessions = 252
    min_price: Positive | None = None
    top: Count | None = None
    min_stocks: Annotated[int, Range(2)] = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class RankTargetParams:
    """Target section. A position is taken `entry_lag` sessions after the close that the columns are known at; 0 needs
    `same_close`. `delisting_return`: simple return after the last price of a stock that is never traded again; None:
    none."""

    task: str = "rank"
    entry_lag: Annotated[int, Range(0, 250), _SESSIONS] = 1
    same_close: Annotated[bool, MayBeLeftOut()] = False
    delisting_return: Annotated[float, Range(-1.0, above=True)] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelWindowParams:
    """Windows section: `context_length` sessions that end with the sample's own, with columns normalised within each
    day."""

    context_length: Annotated[int, Range(1, 2000), _SESSIONS] = 60
    normalisation: Literal["rank", "zscore", "none"] = "rank"


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphParams:
    """Graph section: the neighbours of each stock on each day, for models that exchange information along edges.

    Correlations of the daily returns of the last `days` sessions, weighted by 0.5 ** (age / `halflife`), times
    1 - `shrinkage`. A stock's list has at most `neighbours` stocks whose correlations reach `threshold` in absolute
    value, and at least the `at_least` largest; then `sector_peers` further stocks of its sector. Lists are made again
    on every `every`-th session."""

    days: Annotated[int, Range(2, 1000), _SESSIONS, MayBeLeftOut()] = 60
    halflife: Annotated[int, Range(1, 1000), _SESSIONS, MayBeLeftOut()] = 20
    neighbours: Annotated[int, Range(1, 1000), MayBeLeftOut()] = 20
    at_least: Annotated[int, Range(0), MayBeLeftOut()] = 5
    threshold: Annotated[float, Range(0.0, 1.0), MayBeLeftOut()] = 0.3
    shrinkage: Annotated[float, Range(0.0, 0.99), MayBeLeftOut()] = 0.05
    sector_peers: Annotated[int, Range(0, 1000), MayBeLeftOut()] = 0
    every: Annotated[int, Range(1, 250), _SESSIONS, MayBeLeftOut()] = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelSplitParams:
    """Splits section. `validation_start` and `test_start` are both given, or both null: then the fractions cut by
    session count.

    ``purged_kfold`` cuts the sessions before test into `folds` blocks, each validated on once with training on both
    sides. `purge_days` (None: entry lag plus horizon) and `embargo_days` count sessions, those of ``walk_forward`` and
    ``purged_kfold``. `min_days`: samples that validation and test need.
    """

    kind: Literal["dates", "walk_forward", "purged_kfold"] = "dates"
    validation_start: datetime.date | None = None
    test_start: datetime.date | None = None
    validation_fraction: Annotated[float, Range(0.0, 0.9, above=True)] = 0.15
    test_fraction: Annotated[float, Range(0.0, 0.9, above=True)] = 0.15
    folds: Annotated[int, Range(2, 100)] = 5
    purge_days: Annotated[int, Range(1), _SESSIONS] | None = None
    embargo_days: Sessions = 20
    min_days: Count = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingEvaluationParams(EvaluationParams):
    """Evaluation section. `cost_bps`: cost of trading, in basis points of the value traded."""

    cost_bps: Annotated[float, Range(0.0)] = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelParams:
    """The whole question of a panel study. `graph`: None: models see no edges between stocks."""

    study: StudyParams
    horizons: tuple[Annotated[int, Range(1, 250), _SESSIONS], ...]
    data: PanelDataParams
    universe: UniverseParams
    target: RankTargetParams
    windows: PanelWindowParams
    splits: PanelSplitParams
    evaluation: RankingEvaluationParams
    graph: Annotated[GraphParams | None, MayBeLeftOut()] = None

    def span(self, horizon: int) -> int:
        """Return the sessions after a sample's own that its label is made of: entry lag plus `horizon`."""
        return self.target.entry_lag + horizon
