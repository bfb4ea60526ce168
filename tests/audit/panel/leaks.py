"""Ways to plant a leak: a panel study's subject whose pipeline differs from the study's in one step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tsladder.audit.panel.learner import Baseline, FitDays, Fitted, Floats, Mask, RankingData
from tsladder.audit.panel.subject import PanelSubject
from tsladder.data.splits import Segment, Split
from tsladder.panel.panel import Panel
from tsladder.panel.samples import PanelInputs
from tsladder.ranking.baselines import RIDGE, STATIC_ORDER, StockTable
from tsladder.ranking.ranks import centred_ranks

FAST = (Baseline(name=RIDGE, permutations=4), Baseline(name=STATIC_ORDER))
"""Learners without the slow trees."""


def with_step(subject: PanelSubject, **steps: object) -> PanelSubject:
    """`subject` with steps of its pipeline replaced."""
    return dataclasses.replace(subject, pipeline=dataclasses.replace(subject.pipeline, **steps))  # type: ignore[arg-type]


def with_first_column(subject: PanelSubject, fill: Callable[[Panel], Floats]) -> PanelSubject:
    """The first column of the models' inputs shows what `fill` makes of the panel, as ranks of the day's members."""
    honest = subject.pipeline.inputs

    def inputs(panel: Panel) -> PanelInputs:
        made = honest(panel)
        x_TSF = made.inputs.x_TSF.copy()
        ranks_TS = centred_ranks(fill(panel), made.universe.member_TS)
        x_TSF[..., 0] = np.where(made.inputs.here_TS, np.nan_to_num(ranks_TS), 0.0)
        return dataclasses.replace(made, inputs=dataclasses.replace(made.inputs, x_TSF=x_TSF))

    return with_step(subject, inputs=inputs)


def with_table(subject: PanelSubject, leak: Callable[[StockTable, PanelInputs, Floats], StockTable]) -> PanelSubject:
    """`leak` changes the table that the study's own function made of inputs and labels."""
    honest = subject.pipeline.table
    return with_step(subject, table=lambda inputs, y_TS: leak(honest(inputs, y_TS), inputs, y_TS))


def with_table_column(subject: PanelSubject, name: str, fill: Callable[[PanelInputs, Floats], Floats]) -> PanelSubject:
    """Column `name` of the baselines' table is what `fill` makes of inputs and labels."""
    return with_table(
        subject,
        lambda table, inputs, y_TS: dataclasses.replace(table, columns={**table.columns, name: fill(inputs, y_TS)}),
    )


def next_day_of_the_others(panel: Panel) -> Floats:
    """Mean return of the day after, of all stocks but this one."""
    move_TS = np.nan_to_num(np.diff(np.log(panel.close_TS), axis=0, append=np.nan))
    return move_TS.sum(axis=1, keepdims=True) - move_TS


def still_there_at_the_end(subject: PanelSubject) -> PanelSubject:
    """Members are stocks that are traded in the last month of the file."""
    honest = subject.pipeline.inputs

    def inputs(panel: Panel) -> PanelInputs:
        made = honest(panel)
        survives_S = panel.traded_TS[-21:].any(axis=0)
        universe = dataclasses.replace(made.universe, member_TS=made.universe.member_TS & survives_S)
        axis = dataclasses.replace(made.axis, stocks_TS=made.axis.stocks_TS & survives_S)
        return dataclasses.replace(made, universe=universe, axis=axis)

    return with_step(subject, inputs=inputs)


def estimate_in_the_file(subject: PanelSubject, noise: float) -> PanelSubject:
    """A column of the file itself, known by date and symbol: the label plus `noise` of its own size. However the panel
    is cut, it is there."""
    estimate = estimate_of(subject, noise)
    return with_table_column(subject, "max_21", lambda inputs, _: estimate(inputs.panel))


def estimate_of(subject: PanelSubject, noise: float) -> Callable[[Panel], Floats]:
    """A panel to that column, on the days that its stocks are traded."""
    label_TS = subject.y_TS(subject.first_horizon)
    rng = np.random.default_rng(5)
    estimate_TS = label_TS + noise * np.nanstd(label_TS) * rng.normal(size=label_TS.shape)
    place_of = {symbol: place for place, symbol in enumerate(subject.panel.symbols_S)}

    def known(panel: Panel) -> Floats:
        stocks = [place_of[symbol] for symbol in panel.symbols_S]
        return np.where(panel.traded_TS, estimate_TS[: len(panel.dates_T), stocks], np.nan)

    return known


@dataclasses.dataclass(frozen=True)
class PeekingRidge:
    """Ridge regression that is fitted to the labels of `further_T`, too."""

    further_T: Mask
    name: str = RIDGE
    permutations: int = 4

    def fit(self, data: RankingData, days: FitDays) -> Fitted:
        more = dataclasses.replace(days, train_T=days.train_T | self.further_T)
        return Baseline(name=self.name).fit(data, more)


@dataclasses.dataclass(frozen=True)
class FixedOrder:
    """Order of the stocks that is never fitted and never changes."""

    order_S: Floats
    name: str = "fixed_order"
    permutations: int = 4

    def fit(self, data: RankingData, days: FitDays) -> Fitted:
        def score(asked: RankingData, days_T: Mask) -> Floats:
            there_TS: NDArray[np.bool_] = asked.table.member_DS & days_T[:, None]
            return np.where(there_TS, self.order_S, np.nan)

        return Fitted(weights="fixed", score=score)


def moved_end(subject: PanelSubject, sessions: int) -> PanelSubject:
    """The stored training segment of the first horizon ends that many sessions later."""
    splits = subject.splits[subject.first_horizon]
    *earlier, last = splits.train.segments
    longer = Split(
        region=splits.train.region, segments=(*earlier, Segment(first=last.first, last=last.last + sessions))
    )
    return dataclasses.replace(
        subject, splits={**subject.splits, subject.first_horizon: dataclasses.replace(splits, train=longer)}
    )
