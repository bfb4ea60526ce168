"""The dataset of one cell of a panel study: the sample days of its horizon, by region, on the cube of the study."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tsladder.artifacts.panel_features import PanelFeatures
from tsladder.artifacts.panel_splits import PanelSplits
from tsladder.artifacts.plans import PanelQuestion
from tsladder.data.splits import Split, Splits
from tsladder.errors import WorkFailed
from tsladder.panel.cube import Cube
from tsladder.panel.day_batches import DaySamples
from tsladder.panel.day_weights import day_weights, trailing_volatility
from tsladder.panel.days import DayAxis, sample_rows
from tsladder.vocabulary import Region


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CellDays:
    """Sample days of one region of a cell, as training and scoring see them.

    `places_M`: horizons that a model forecasts, as places in those of the cube, that of the cell first. `transform`:
    what losses see in place of returns. `weight_N`: weight of each day in losses that weigh days; None: all weigh 1.
    `entry_lag`, `horizon` and `cost_bps` are those of the portfolio that is held by a ranking.
    """

    days: DaySamples
    places_M: tuple[int, ...]
    transform: str
    entry_lag: int
    horizon: int
    cost_bps: float
    weight_N: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.days)

    @property
    def dates_N(self) -> NDArray[np.datetime64]:
        return self.days.dates_N

    def fingerprint(self) -> str:
        """Return the SHA-256 (hex) of the samples and of what is forecast of them."""
        digest = hashlib.sha256(self.days.fingerprint().encode())
        digest.update(f":{self.places_M}:{self.transform}".encode())
        if self.weight_N is not None:
            digest.update(self.weight_N.astype("<f8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DayFold:
    """Training and validation days of one model."""

    train: CellDays
    validation: CellDays


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PanelDataset:
    """The sample days of one horizon and their identity. `axis`: the sessions and their cross-sections. `folds`: folds
    of a walk forward or purged k-fold in time order; one fold otherwise."""

    features: PanelFeatures
    splits: Splits
    splits_record: PanelSplits
    cube: Cube
    axis: DayAxis
    folds: tuple[DayFold, ...]
    test: CellDays

    @property
    def train(self) -> CellDays:
        return self.folds[-1].train

    def fingerprint(self) -> str:
        """Return the identity of the members, columns and prices that everything is made of, as the stage features
        recorded it: with the plan and the splits it decides what models are shown and compared with."""
        return self.features.fingerprint

    def region(self, region: Region) -> CellDays:
        last = self.folds[-1]
        return {Region.TRAIN: last.train, Region.VALIDATION: last.validation, Region.TEST: self.test}[region]


def panel_dataset(
    question: PanelQuestion, features: PanelFeatures, stored: PanelSplits, cube: Cube, *, cost_bps: float
) -> PanelDataset:
    """Select the sample days of every region of `question.horizon` on `cube`.

    `features` and `stored` are the records of the stages features and splits. Raises WorkFailed where they belong to
    different inputs.
    """
    if stored.inputs != features.fingerprint:
        raise WorkFailed(
            f"the splits of horizon {question.horizon} are those of other features: run `dvc repro`, which makes them "
            "again"
        )
    splits = Splits.of_days(stored.days)
    axis = cube_axis(cube, question.universe.min_stocks)
    places_M = tuple(cube.horizons.index(horizon) for horizon in question.horizons)

    def days(split: Split, weight_T: NDArray[np.float64] | None) -> CellDays:
        rows_N = sample_rows(axis, split, stored.context_length, splits.horizon)
        return CellDays(
            days=DaySamples(cube=cube, rows_N=rows_N, context_length=stored.context_length),
            places_M=places_M,
            transform=question.training.transform,
            entry_lag=stored.entry_lag,
            horizon=stored.horizon,
            cost_bps=cost_bps,
            weight_N=None if weight_T is None else weight_T[rows_N],
        )

    def fold(train: Split, validation: Split) -> DayFold:
        weight_T = None
        if question.training.day_weights is not None:
            train_T = np.zeros(len(cube), dtype=np.bool_)
            train_T[sample_rows(axis, train, stored.context_length, splits.horizon)] = True
            weight_T = day_weights(trailing_volatility(cube.return_TS, cube.member_TS), train_T)
        return DayFold(train=days(train, weight_T), validation=days(validation, weight_T))

    folds = tuple(fold(one.regions[Region.TRAIN], one.regions[Region.VALIDATION]) for one in splits.folds)
    return PanelDataset(
        features=features,
        splits=splits,
        splits_record=stored,
        cube=cube,
        axis=axis,
        folds=folds,
        test=days(splits.test, None),
    )


def cube_axis(cube: Cube, min_stocks: int) -> DayAxis:
    """Return the sessions of `cube` and their cross-sections: members with a value in every column."""
    stocks_TS = np.asarray(cube.member_TS & cube.here_TS)
    first_row = int(np.argmax(stocks_TS.sum(axis=1) >= min_stocks))
    return DayAxis(dates_T=cube.dates_T, stocks_TS=stocks_TS, min_stocks=min_stocks, first_row=first_row)
