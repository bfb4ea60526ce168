"""What rankings reach on the bundled panels: the numbers that were found when the study was specified.

All is fitted on the days before validation whose labels end there; test is the days after it, one day's lag.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from tests.bundled_data import bundled_panel

from tsladder.artifacts.ranking_scores import PortfolioScores
from tsladder.panel.columns import C21, build_columns
from tsladder.panel.normalise import normalise
from tsladder.panel.targets import forward_returns
from tsladder.panel.universe import find_universe
from tsladder.params import RankTargetParams, UniverseParams
from tsladder.ranking.baselines import BY_COLUMN, StockTable, fit_baselines, static_order
from tsladder.ranking.metrics import daily_metrics
from tsladder.ranking.portfolio import book_of, entry_returns, score_book

LAG = 1


@dataclass(frozen=True)
class Known:
    """A panel at one horizon, cut into training before `validation` and test from `test` on."""

    table: StockTable
    horizon: int
    train_D: np.ndarray
    history_D: np.ndarray
    test_D: np.ndarray

    def rank_ic(self, score_DS: np.ndarray) -> float:
        rows = self.test_D
        daily = daily_metrics(
            score_DS[rows], self.table.return_DS[rows], self.table.member_DS[rows], horizon=self.horizon
        )
        return float(daily.rank_ic_N.mean())

    def portfolio(self, score_DS: np.ndarray) -> PortfolioScores:
        """At costs of 5 bps."""
        rows = np.flatnonzero(self.test_D)
        simple_DS = np.expm1(self.table.past_return_DS)
        book = book_of(
            score_DS[rows], entry_returns(simple_DS, rows, LAG), self.table.member_DS[rows], horizon=self.horizon
        )
        return score_book(book, cost_bps=5.0)


@cache
def known(name: str, horizon: int, validation: dt.date, test: dt.date) -> Known:
    panel = bundled_panel(name)
    universe = find_universe(panel, UniverseParams())
    made = build_columns(panel, universe, C21)
    log_DS = np.log(panel.close_TS)
    table = StockTable(
        columns=dict(zip(made.names, np.moveaxis(made.values_TSF, -1, 0), strict=True)),
        return_DS=forward_returns(panel, RankTargetParams(entry_lag=LAG), (horizon,)).y_TSM[..., 0],
        past_return_DS=np.diff(log_DS, axis=0, prepend=np.full((1, log_DS.shape[1]), np.nan)),
        member_DS=universe.member_TS & normalise(made.values_TSF, universe.member_TS, "rank").here_TS,
    )
    history_D = panel.dates_T < np.datetime64(validation)
    train_D = np.arange(len(history_D)) < history_D.sum() - LAG - horizon
    test_D = panel.dates_T >= np.datetime64(test)
    return Known(table=table, horizon=horizon, train_D=train_D, history_D=history_D, test_D=test_D)


NYSE36 = ("nyse36", dt.date(1978, 1, 1), dt.date(1981, 1, 1))
SP20 = ("sp20", dt.date(2006, 1, 1), dt.date(2011, 1, 1))


@pytest.mark.parametrize(
    ("horizon", "ridge", "reversal_5", "static", "sharpe", "turnover", "break_even"),
    [
        (1, 0.0484, 0.0426, -0.0028, 3.3, 0.29, 13.0),
        pytest.param(5, 0.0780, 0.0769, -0.0072, 3.0, 0.11, 25.0, marks=pytest.mark.slow),
    ],
)
def test_nyse36_holds_real_skill_that_costs_of_its_time_ate(
    horizon: int, ridge: float, reversal_5: float, static: float, sharpe: float, turnover: float, break_even: float
) -> None:
    name, validation, test = NYSE36
    found = known(name, horizon, validation, test)
    scores = fit_baselines(found.table, train_D=found.train_D, history_D=found.history_D)
    assert found.rank_ic(scores["ridge"]) == pytest.approx(ridge, abs=0.002)
    assert found.rank_ic(scores["reversal_5"]) == pytest.approx(reversal_5, abs=0.002)
    assert found.rank_ic(scores["static_order"]) == pytest.approx(static, abs=0.002)
    portfolio = found.portfolio(scores["ridge"])
    assert portfolio.sharpe_gross == pytest.approx(sharpe, abs=0.15)
    assert portfolio.turnover == pytest.approx(turnover, abs=0.01)
    assert portfolio.break_even_bps == pytest.approx(break_even, abs=1.0)


def test_on_sp20_an_order_that_never_changes_and_momentum_do_as_well_as_any_model() -> None:
    name, validation, test = SP20
    found = known(name, 1, validation, test)
    static = static_order(found.table.past_return_DS, found.history_D[:, None])
    assert found.rank_ic(static) == pytest.approx(0.0111, abs=0.001)
    column, sign = BY_COLUMN["momentum_252_21"]
    assert found.rank_ic(sign * found.table.columns[column]) == pytest.approx(0.0192, abs=0.001)
