"""Sections of the params.yaml of a panel study as frozen, typed values. Sections that a series study has too are those
of `tsladder.params.sections`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from tsladder.params.phases import CLASSIC, PhaseParams
from tsladder.params.sections import (
    Count,
    EvaluationParams,
    HardwareParams,
    LawParams,
    Name,
    Positive,
    SearchParams,
    StudyParams,
    SupplementaryParams,
    TrainingParams,
    TrainParams,
    cells_of,
)
from tsladder.typed_yaml import Counts, MayBeLeftOut, Range
from tsladder.vocabulary import Cell, parse_budget

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

    @property
    def tier_words(self) -> str:
        """Tier as tables, tags and reports call it."""
        return self.tier


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
    `same_close`. `transform`: what losses see in place of the returns of a day; metrics always use the returns.
    `delisting_return`: simple return after the last price of a stock that is never traded again; None: none."""

    task: str = "rank"
    entry_lag: Annotated[int, Range(0, 250), _SESSIONS] = 1
    transform: Annotated[Literal["rank", "zscore"], MayBeLeftOut()] = "rank"
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

    @property
    def places(self) -> int:
        """Number of places in the list of a stock's neighbours."""
        return self.neighbours + self.sector_peers


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
class PanelModelParams:
    """Model section. `family` is a module of families/panel/, which says which of the other leaves it reads; the rest
    it ignores. `days`: newest sessions of the window that the family reads. `fan_components`: frequencies that adaptive
    normalisation removes from each column."""

    family: str
    patch_len: Annotated[Count, MayBeLeftOut()] = 12
    days: Annotated[Count, MayBeLeftOut()] = 20
    fan_components: Annotated[Count, MayBeLeftOut()] = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainingParams:
    """Pretraining of a winner's encoder for `epochs` on the training days, without labels. `mask`: share of the patches
    of a window that are hidden."""

    epochs: Annotated[Count, MayBeLeftOut()] = 10
    mask: Annotated[float, Range(0.0, 0.95, above=True), MayBeLeftOut()] = 0.4


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelSearchParams(SearchParams):
    """Search section: that of a series study, without the phases that a panel study does not have. `pretraining`: each
    cell's winner is also trained from an encoder that was trained without labels; null: from random weights alone."""

    objective: Annotated[Literal["val_loss", "val_auc"], MayBeLeftOut()] = "val_loss"
    supplementary: Annotated[SupplementaryParams | None, MayBeLeftOut()] = None
    transfer: Annotated[bool, MayBeLeftOut()] = False
    pretraining: Annotated[PretrainingParams | None, MayBeLeftOut()] = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelTrainingParams(TrainingParams):
    """Training section: that of a series study, where a batch counts days. Trained on is the sum of the losses named in
    `loss_weights`, each times its weight.

    `horizon_weights`: horizon -> weight of its labels, for models that forecast several horizons at once; null: a model
    forecasts the horizon of its cell alone, whose weight is always 1. `train_every`: an epoch sees one of so many
    training days, another one in the next epoch. `stocks_per_day`: so many stocks are drawn on each training day; null:
    all. `day_weights`: weights of the days in the loss `regime`. `phases`: `classic` takes those of
    `tsladder.params.phases`.
    """

    loss: Annotated[str, MayBeLeftOut()] = "auto"
    monitor: Annotated[Literal["val_loss", "val_auc"], MayBeLeftOut()] = "val_loss"
    loss_weights: Mapping[str, Annotated[float, Range(0.0)]]
    horizon_weights: Annotated[Mapping[int, Annotated[float, Range(0.0)]] | None, MayBeLeftOut()] = None
    train_every: Annotated[Count, MayBeLeftOut()] = 1
    stocks_per_day: Annotated[Annotated[int, Range(2)] | None, MayBeLeftOut()] = None
    day_weights: Annotated[Literal["volatility_terciles"] | None, MayBeLeftOut()] = None
    phases: Annotated[Literal["classic"] | tuple[PhaseParams, ...] | None, MayBeLeftOut()] = None

    @property
    def phase_list(self) -> tuple[PhaseParams, ...]:
        """The phases, in their order; empty without phases."""
        if self.phases is None:
            return ()
        return CLASSIC if self.phases == "classic" else self.phases

    @property
    def mixtures(self) -> tuple[Mapping[str, float], ...]:
        """Weights of the losses that models are trained on: one mixture, or that of each phase."""
        return tuple(phase.loss_weights or self.loss_weights for phase in self.phase_list) or (self.loss_weights,)


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelParams:
    """The whole question of a panel study. `budget` None: constants and baselines alone. `graph` None: models see no
    edges between stocks."""

    study: StudyParams
    budget: str | None
    ladder: tuple[str, ...]
    horizons: tuple[Annotated[int, Range(1, 250), _SESSIONS], ...]
    data: PanelDataParams
    universe: UniverseParams
    target: RankTargetParams
    windows: PanelWindowParams
    splits: PanelSplitParams
    model: PanelModelParams
    search: PanelSearchParams
    training: PanelTrainingParams
    train: TrainParams
    evaluation: RankingEvaluationParams
    law: LawParams
    hardware: HardwareParams
    graph: Annotated[GraphParams | None, MayBeLeftOut()] = None

    def span(self, horizon: int) -> int:
        """Return the sessions after a sample's own that its label is made of: entry lag plus `horizon`."""
        return self.target.entry_lag + horizon

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of ladder x horizons, planned or not, rung by rung."""
        return cells_of(self.ladder, self.horizons)

    def is_planned(self, cell: Cell) -> bool:
        """Check whether `cell` is built: there is a top rung, and its rung is not above it."""
        return self.budget is not None and parse_budget(cell.budget) <= parse_budget(self.budget)
