"""Pictures of a panel study with models: what they draw is that of the records."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lines import trial_line
from tests.report.panel import finished, made_up

from tsladder.artifacts.trials import TrialRecord
from tsladder.ranking.daily_figures import DailyFigures
from tsladder.report.panel.facts import mean_of_seeds
from tsladder.report.panel.fifths import daily_fifths
from tsladder.report.panel.figures.best_so_far import progress_of
from tsladder.report.panel.figures.by_month import draw_by_month, monthly
from tsladder.report.panel.figures.lines import looks
from tsladder.report.panel.figures.names import BEST_SO_FAR, BY_MONTH, CUMULATIVE, FIFTHS, OVER_TIME, RANK_IC
from tsladder.report.panel.figures.over_time import parts_of
from tsladder.report.panel.figures.pictures import pictures_of
from tsladder.report.panel.files import read_panel_facts
from tsladder.report.panel.rankings import followed, legend_of, rungs_among
from tsladder.vocabulary import Region

H = finished.HORIZON


@pytest.fixture(scope="module")
def facts(finished_study):
    return read_panel_facts(finished_study, finished.params(), made_up.HERE)


def without(facts, *budgets):
    rungs = {cell: rung for cell, rung in facts.rungs.items() if cell.budget not in budgets}
    return dataclasses.replace(facts, rungs=rungs)


@pytest.mark.slow
def test_each_picture_has_ink_and_no_date(facts):
    from matplotlib.image import imread

    drawn = pictures_of(facts)
    assert {RANK_IC, CUMULATIVE, OVER_TIME, BY_MONTH, FIFTHS, BEST_SO_FAR} <= set(drawn)
    for name, png in drawn.items():
        if name == "scaling.png":
            assert png == finished.PNG
            continue
        assert png is not None, name
        assert all(word not in png for word in (b"tEXt", b"tIME", b"iTXt"))
        image = imread(io.BytesIO(png))[..., :3]
        assert ((image.max(axis=-1) - image.min(axis=-1)) > 0.2).sum() > 100


def test_the_same_facts_draw_the_same_bytes_and_other_rungs_others(facts):
    drawn = draw_by_month(facts)
    assert draw_by_month(facts) == drawn
    assert draw_by_month(without(facts, "25k")) != drawn


def test_the_best_and_the_largest_rung_are_followed_beside_the_best_baseline(facts):
    level = facts.region(H)
    daily = followed(facts, level)
    assert tuple(daily) == ("25k-h5", "50k-h5", "ridge", level.stricter)
    assert [legend_of(facts, level, name) for name in daily] == [
        "rung 25k (best)", "rung 50k (largest)", "ridge regression", "static order (constant)",
    ]  # fmt: skip
    assert rungs_among(facts, daily) == 2


def test_a_rung_that_is_best_and_largest_is_drawn_once(facts):
    smaller = without(facts, "50k")
    level = facts.region(H)
    daily = followed(smaller, level)
    assert tuple(daily) == ("25k-h5", "ridge", level.stricter)
    assert legend_of(smaller, level, "25k-h5") == "rung 25k (best and largest)"


def test_the_baseline_looks_the_same_beside_one_rung_and_beside_two():
    one = looks(("a", "ridge", "no_order"), "no_order", rungs=1)
    two = looks(("a", "b", "ridge", "no_order"), "no_order", rungs=2)
    assert one["ridge"] == two["ridge"]
    assert len({(look.style, look.marker) for look in two.values()}) == 4


def test_without_rungs_the_three_best_baselines_are_followed(facts):
    alone = dataclasses.replace(facts, rungs={})
    names = tuple(followed(alone, facts.region(H)))
    assert names[0] == "ridge"
    assert set(names) == {"ridge", "reversal_5", "momentum_252_21", facts.region(H).stricter}


def test_a_rung_is_followed_by_the_mean_of_its_seeds(finished_study, facts):
    cell = facts.best_rung(H).cell
    rows = pd.read_parquet(finished_study.predictions(cell))
    rows = rows[(rows["region"] == "test") & rows["model"].str.startswith("seed-")]
    own = facts.rungs[cell].daily
    for column, values_N in (
        ("rank_ic", own.rank_ic_N),
        ("gross_return", own.gross_return_N),
        ("traded", own.traded_N),
    ):
        assert values_N == pytest.approx(rows.groupby("date")[column].mean().to_numpy())
    portfolio = facts.rungs[cell].regions[Region.TEST].mean.portfolio
    assert 252.0 * own.net_return_N(5.0).mean() == pytest.approx(portfolio.annual_return_net, rel=1e-9)
    assert 0.5 * own.traded_N.mean() == pytest.approx(portfolio.turnover, rel=1e-9)


def test_costs_of_the_seeds_are_those_of_separate_portfolios():
    days = np.arange("2004-01-01", "2004-01-03", dtype="datetime64[D]")
    seeds = {
        f"seed-{k}": DailyFigures(
            dates_N=days, rank_ic_N=np.full(2, k), gross_return_N=np.zeros(2), traded_N=np.ones(2)
        )
        for k in (1.0, 2.0)
    }
    assert mean_of_seeds(seeds).rank_ic_N.tolist() == [1.5, 1.5]
    assert mean_of_seeds(seeds).net_return_N(10.0).tolist() == [-0.001, -0.001]


def test_months_weighed_by_their_days_give_the_rank_ic_on_record(facts):
    rung = facts.best_rung(H)
    months, means = monthly(rung.daily)
    days = [int((rung.daily.dates_N.astype("datetime64[M]") == month).sum()) for month in months]
    assert np.average(means, weights=days) == pytest.approx(rung.regions[Region.TEST].mean.rank_ic)
    assert (len(months), sum(days)) == (5, finished.DAYS[Region.TEST])


def test_parts_of_the_test_days_average_to_the_rank_ic_of_a_rung(facts):
    level = facts.region(H)
    daily = followed(facts, level)
    parts = parts_of(facts, level, daily)
    days = daily["25k-h5"].dates_N.astype("datetime64[M]").astype(str)
    mean = np.average([part.means[0] for part in parts], weights=[int((days == part.name).sum()) for part in parts])
    assert mean == pytest.approx(facts.best_rung(H).regions[Region.TEST].mean.rank_ic)


def test_the_highest_fifth_less_the_lowest_is_the_quantile_spread_on_record(facts):
    level, best = facts.region(H), facts.best_rung(H)
    spreads = {str(best.cell): best.regions[Region.TEST].mean, "ridge": level.baselines["ridge"]}
    assert set(facts.fifths[H]) == set(spreads)
    for name, found in facts.fifths[H].items():
        assert found.means[-1] - found.means[0] == pytest.approx(spreads[name].quantile_spread, rel=1e-9)
        assert found.spread_N.mean() == pytest.approx(spreads[name].quantile_spread, rel=1e-9)
        assert found.dates_N.size == level.windows
        assert all(own.low < own.value < own.high for own in found.intervals)


def test_a_score_that_is_the_return_makes_rising_fifths_and_a_constant_one_none():
    return_DS = np.linspace(-0.02, 0.03, 20)[None, :]
    rising = daily_fifths(return_DS, return_DS, 1)[0]
    assert (np.diff(rising) > 0.0).all()
    assert daily_fifths(np.zeros((1, 20)), return_DS, 1)[0] == pytest.approx(np.zeros(5), abs=1e-9)
    assert daily_fifths(-return_DS, return_DS, 1)[0] == pytest.approx(rising[::-1])


@given(stocks=st.integers(2, 23), ties=st.integers(1, 5), missing=st.integers(0, 4), seed=st.integers(0, 2**16))
def test_fifths_share_all_stocks_of_a_day_and_its_mean_return(stocks, ties, missing, seed):
    rng = np.random.default_rng(seed)
    score_DS = rng.integers(0, max(2, stocks // ties), (3, stocks + missing)).astype(float)
    return_DS = rng.standard_normal(score_DS.shape)
    return_DS[:, stocks:] = np.nan
    fifths_NK = daily_fifths(score_DS, return_DS, 5)
    fifth = max(stocks // 5, 1)
    sizes_K = np.array([fifth, *[(stocks - 2 * fifth) / 3] * 3, fifth])
    # What lies above the day's mean in some fifths lies below it in the others.
    assert fifths_NK @ sizes_K == pytest.approx(np.zeros(len(fifths_NK)), abs=1e-6)


def test_the_best_so_far_never_falls_and_leaves_out_what_was_not_trained_to_its_end(facts):
    cell = facts.of_horizon(H)[0]
    losses = [("complete", 0.98), ("pruned", 0.90), ("failed", None), ("complete", 0.99), ("complete", 0.96)]
    trials = tuple(
        TrialRecord.from_json(trial_line(number, state=state, best_val_loss=loss))
        for number, (state, loss) in enumerate(losses)
    )
    tried = dataclasses.replace(cell, search=dataclasses.replace(cell.search, trials=trials))
    progress = progress_of(tried)
    assert progress.numbers == (1, 4, 5)
    assert progress.rank_ics == pytest.approx((0.02, 0.01, 0.04))
    assert progress.best == pytest.approx((0.02, 0.02, 0.04))


def test_a_trial_that_was_repeated_counts_once_with_its_last_attempt(facts):
    cell = facts.of_horizon(H)[0]
    trials = tuple(
        TrialRecord.from_json(trial_line(0, attempt=attempt, state=state, best_val_loss=loss))
        for attempt, state, loss in ((1, "interrupted", 0.9), (2, "complete", 0.97))
    )
    tried = dataclasses.replace(cell, search=dataclasses.replace(cell.search, trials=trials))
    assert progress_of(tried).rank_ics == pytest.approx((0.03,))
