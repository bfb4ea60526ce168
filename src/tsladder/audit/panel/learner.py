"""Port `Learner`: a model that the probes fit on training days and that scores days; the fitted baselines as learners.

A further model joins the audit by one more implementation in `PanelPipeline.learners`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tsladder.panel.samples import PanelInputs
from tsladder.ranking.baselines import BOOSTED_TREES, BY_COLUMN, RIDGE, STATIC_ORDER, StockTable, fit_baseline

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RankingData:
    """All that a learner may read, on all T sessions of a panel. `table.return_DS` holds the labels of one horizon."""

    inputs: PanelInputs
    table: StockTable


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FitDays:
    """Sessions that a fit may use. `train_T`: sample days whose labels are fitted to. `history_T`: sessions whose past
    returns may be averaged. `validation_T`: days whose labels may choose among epochs; all False: none are chosen."""

    train_T: Mask
    history_T: Mask
    validation_T: Mask


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fitted:
    """Fitted model. `weights`: hash of all its weights; None where its scores tell them. `score`: data and days_T to
    score_TS, finite for every ranked stock of those days and NaN elsewhere; no label of the data is read."""

    weights: str | None
    score: Callable[[RankingData, Mask], Floats]


class Learner(Protocol):
    """Model under audit. `permutations`: how many sets of permuted labels it is fitted to; 0: it is not fitted to
    labels at all."""

    @property
    def name(self) -> str: ...

    @property
    def permutations(self) -> int: ...

    def fit(self, data: RankingData, days: FitDays) -> Fitted:
        """Fit to the training days; the same data and days give the same model, bit for bit."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """Baseline of the study as a learner."""

    name: str
    permutations: int = 0

    def fit(self, data: RankingData, days: FitDays) -> Fitted:
        known_T = days.train_T | days.history_T
        known = rows_of(data.table, known_T)
        rank = fit_baseline(self.name, known, train_D=days.train_T[known_T], history_D=days.history_T[known_T])

        def score(asked: RankingData, days_T: Mask) -> Floats:
            score_TS = np.full(asked.table.member_DS.shape, np.nan)
            of_days = rows_of(asked.table, days_T)
            score_TS[days_T] = np.where(of_days.member_DS, rank(of_days), np.nan)
            return score_TS

        return Fitted(weights=None, score=score)


BASELINES: tuple[Learner, ...] = (
    Baseline(name=RIDGE, permutations=4),
    Baseline(name=BOOSTED_TREES, permutations=2),
    *(Baseline(name=name) for name in (STATIC_ORDER, *BY_COLUMN)),
)
"""Trees take fifty times as long as a ridge regression and find labels that are no straight line."""


def rows_of(table: StockTable, days_T: Mask) -> StockTable:
    """Return the days `days_T` of `table`, which then need not be consecutive."""
    return dataclasses.replace(
        table,
        columns={name: value_TS[days_T] for name, value_TS in table.columns.items()},
        return_DS=table.return_DS[days_T],
        past_return_DS=table.past_return_DS[days_T],
        member_DS=table.member_DS[days_T],
    )
