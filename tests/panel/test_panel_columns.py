"""Columns of a panel against their definitions, one stock and day at a time, and what must not move them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.panel.made_up import changed, made_up, prices_of

from tsladder.errors import BadInput
from tsladder.panel.columns import C21, O33, PAUSE, TIERS, V27, ColumnValues, build_columns
from tsladder.panel.normalise import Inputs, normalise
from tsladder.panel.panel import Panel, until
from tsladder.panel.universe import Universe, find_universe
from tsladder.params import UniverseParams

RULES = UniverseParams(min_history=60, min_price=10.0, top=10, min_stocks=3)


def universe_of(panel: Panel) -> Universe:
    return find_universe(panel, RULES)


def columns_of(panel: Panel) -> ColumnValues:
    return build_columns(panel, universe_of(panel), O33)


def inputs_of(panel: Panel) -> Inputs:
    return normalise(columns_of(panel).values_TSF, universe_of(panel).member_TS, "rank")


# --------------------------------------------------------------------------- definitions


def last_prices(panel: Panel, stock: int) -> Any:
    """Close of one stock, kept over short pauses, by a walk through the days."""
    kept, age, price = [], PAUSE + 1, math.nan
    for close in panel.close_TS[:, stock]:
        price, age = (close, 0) if math.isfinite(close) else (price, age + 1)
        kept.append(price if age <= PAUSE else math.nan)
    return np.array(kept)


def market(panel: Panel) -> Any:
    closes = np.stack([last_prices(panel, stock) for stock in range(len(panel.symbols_S))], axis=1)
    listed_TS = universe_of(panel).listed_TS
    found = [math.nan]
    for row in range(1, len(closes)):
        there = [
            math.log(now / before)
            for now, before, listed in zip(closes[row], closes[row - 1], listed_TS[row], strict=True)
            if listed and math.isfinite(now) and math.isfinite(before)
        ]
        found.append(sum(there) / len(there) if there else math.nan)
    return np.array(found)


def by_definition(panel: Panel, stock: int, row: int, market_T: Any) -> dict[str, float]:
    """Every column of one stock on one day, from slices of its own series."""
    close = last_prices(panel, stock)
    traded = np.isfinite(panel.close_TS[:, stock])
    ret = np.concatenate([[np.nan], np.diff(np.log(close))])

    def own(array_TS: Any, otherwise: Any) -> Any:
        return np.where(traded, array_TS[:, stock], otherwise)

    assert panel.open_TS is not None
    assert panel.high_TS is not None
    assert panel.low_TS is not None
    assert panel.volume_TS is not None
    turnover = np.where(np.isnan(close), np.nan, own(panel.close_TS * panel.volume_TS, 0.0))
    gap = np.where(
        np.isnan(close), np.nan, own(np.log(panel.open_TS), 0.0) - np.where(traded, np.log(np.roll(close, 1)), 0)
    )
    day = np.where(np.isnan(close), np.nan, own(np.log(panel.close_TS / panel.open_TS), 0.0))
    high_low = np.where(np.isnan(close), np.nan, own(np.log(panel.high_TS / panel.low_TS), 0.0))

    def last(series: Any, days: int, end: int = row) -> Any:
        return series[end - days + 1 : end + 1] if end - days + 1 >= 0 else np.full(days, np.nan)

    def line(end: int) -> Any:
        return np.polyfit(last(market_T, 63, end), last(ret, 63, end), 1)

    def defined(*arrays: Any) -> bool:
        return all(bool(np.isfinite(array).all()) for array in arrays)

    out = {f"ret_{n}": math.log(close[row] / close[row - n]) for n in (1, 2, 3, 5, 10, 21, 63, 126) if row >= n}
    if row >= 252:
        out["momentum_252_21"] = math.log(close[row - 21] / close[row - 252])
    out |= {f"vol_{n}": float(np.std(last(ret, n), ddof=1)) for n in (5, 21, 63)}
    if defined(last(ret, 63), last(market_T, 63)):
        slope, level = line(row)
        out["beta_63"] = slope
        left = last(ret, 63) - level - slope * last(market_T, 63)
        out["idio_vol_63"] = math.sqrt(float((left**2).sum()) / 62)
    if defined(last(ret, 64), last(market_T, 64)):
        before = line(row - 1)[0]
        for n in (5, 21):
            out[f"residual_{n}"] = out[f"ret_{n}"] - before * float(last(market_T, n).sum())
    out |= {f"sma_distance_{n}": math.log(close[row] / float(last(close, n).mean())) for n in (20, 60, 200)}
    out["max_21"] = float(last(ret, 21).max())
    out["high_distance_252"] = math.log(close[row] / float(last(close, 252).max()))
    long = float(last(turnover, 63).mean())
    out |= {f"turnover_shock_{n}": math.log(float(last(turnover, n).mean()) / long) for n in (1, 5)}
    out["log_turnover_63"] = math.log(long)
    some = last(turnover, 21) > 0
    out["illiquidity_21"] = (
        float(np.mean(np.abs(last(ret, 21))[some] / last(turnover, 21)[some])) if defined(last(ret, 21)) else np.nan
    )
    out["turnover_vol_21"] = float(np.std(last(turnover, 21), ddof=1) / last(turnover, 21).mean())
    out["return_turnover_corr_21"] = float(np.corrcoef(last(ret, 21), last(turnover, 21))[0, 1])
    out["overnight"], out["intraday"] = float(gap[row]), float(day[row])
    out |= {f"parkinson_{n}": math.sqrt(float((last(high_low, n) ** 2).mean()) / (4 * math.log(2))) for n in (5, 21)}
    high, low = panel.high_TS[row, stock], panel.low_TS[row, stock]
    out["close_location"] = 0.5 if high == low else (panel.close_TS[row, stock] - low) / (high - low)
    gaps, days = (float(np.abs(last(series, 21)).sum()) for series in (gap, day))
    out["gap_share_21"] = gaps / (gaps + days)
    return {name: value for name, value in out.items() if math.isfinite(value)}


@pytest.mark.parametrize("gaps", [False, True])
def test_every_column_is_what_its_definition_gives(gaps: bool) -> None:
    panel = made_up(gaps=gaps, seed=3)
    made, market_T = columns_of(panel), market(panel)
    assert np.isnan(made.values_TSF[~panel.traded_TS]).all()
    rng = np.random.default_rng(0)
    traded = np.argwhere(panel.traded_TS & (np.arange(420)[:, None] >= 64))
    for row, stock in traded[rng.permutation(len(traded))[:120]]:
        expected = by_definition(panel, int(stock), int(row), market_T)
        found = dict(zip(made.names, made.values_TSF[row, stock].tolist(), strict=True))
        found = {name: value for name, value in found.items() if math.isfinite(value)}
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-11), (row, stock)


def test_tiers_have_as_many_columns_as_their_names_say_and_each_holds_the_one_before() -> None:
    assert {name: len(columns) for name, columns in TIERS.items()} == {"s9": 9, "c21": 21, "v27": 27, "o33": 33}
    assert set(TIERS["s9"]) < set(C21) < set(V27) < set(O33)
    assert all(len(set(columns)) == len(columns) for columns in TIERS.values())


@pytest.mark.parametrize("tier", ["s9", "c21"])
def test_the_first_whole_row_of_an_unbroken_panel_is_252(bundled: Callable[[str], Panel], tier: str) -> None:
    panel = bundled("sp20")
    values_TSF = build_columns(panel, find_universe(panel, UniverseParams()), TIERS[tier]).values_TSF
    whole_TS = np.isfinite(values_TSF).all(axis=-1)
    assert not whole_TS[:252].any()
    assert whole_TS[252:].all()


def test_a_stock_whose_price_stands_still_has_spread_zero_and_no_noise() -> None:
    panel = made_up(gaps=False)
    still = changed(panel, close_TS=np.where(np.arange(14) == 5, 17.123, panel.close_TS))
    made = build_columns(still, universe_of(still), ("vol_63", "idio_vol_63", "ret_5", "sma_distance_20", "beta_63"))
    values = made.values_TSF[300, 5]
    assert values[[0, 1, 2]].tolist() == [0.0, 0.0, 0.0]
    assert np.abs(values[[3, 4]]).max() < 1e-12


def test_stocks_that_all_move_alike_have_beta_1_and_nothing_of_their_own() -> None:
    panel = made_up(gaps=False)
    alike = changed(panel, close_TS=panel.close_TS[:, :1] * np.array([1.0, 0.7, 31.0] * 4 + [2.0, 3.3]))
    values_TSF = build_columns(alike, universe_of(alike), ("beta_63", "idio_vol_63")).values_TSF[63:]
    np.testing.assert_allclose(values_TSF[..., 0], 1.0, atol=1e-12)
    np.testing.assert_array_equal(values_TSF[..., 1], 0.0)


def test_a_turnover_that_stands_still_has_spread_zero_and_no_correlation() -> None:
    panel = made_up(gaps=False)
    still = changed(panel, turnover_TS=np.full_like(panel.close_TS, 1234.56))
    made = build_columns(still, universe_of(still), ("turnover_vol_21", "return_turnover_corr_21"))
    np.testing.assert_array_equal(made.values_TSF[63:], 0.0)


def test_a_column_that_is_published_late_is_the_earlier_one() -> None:
    panel = made_up(gaps=False)
    universe = universe_of(panel)
    late = build_columns(panel, universe, ("ret_1", "vol_21"), {"vol_21": 3}).values_TSF
    now = build_columns(panel, universe, ("ret_1", "vol_21")).values_TSF
    np.testing.assert_array_equal(late[..., 0], now[..., 0])
    np.testing.assert_array_equal(late[3:, :, 1], now[:-3, :, 1])


@pytest.mark.parametrize(
    ("missing", "names", "lags", "words"),
    [
        ({}, ("ret_1", "ret_4"), {}, "no column of a panel is called ret_4"),
        ({}, ("ret_1",), {"ret_2": 1}, "data.lags"),
        ({}, ("ret_1",), {"ret_1": -1}, "data.lags"),
        ({"volume_TS": None}, V27, {}, "neither Turnover nor Volume"),
        ({"open_TS": None}, O33, {}, "lacks Open, High or Low"),
    ],
)
def test_columns_that_cannot_be_made_are_refused(
    missing: dict[str, Any], names: tuple[str, ...], lags: dict[str, int], words: str
) -> None:
    panel = made_up(days=80)
    universe = universe_of(panel)
    with pytest.raises(BadInput, match=words):
        build_columns(changed(panel, **missing), universe, names, lags)


# --------------------------------------------------------------------------- no look ahead, no unit of price


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), row=st.integers(260, 418))
def test_a_panel_cut_off_after_a_day_has_the_same_columns_members_and_ranks_up_to_it(seed: int, row: int) -> None:
    """Stocks that first appear later are gone from the cut panel."""
    panel = made_up(seed=seed)
    short = until(panel, row)
    seen = [panel.symbols_S.index(symbol) for symbol in short.symbols_S]
    whole, part = universe_of(panel), universe_of(short)
    np.testing.assert_array_equal(whole.member_TS[: row + 1, seen], part.member_TS)
    assert not whole.member_TS[: row + 1].any(axis=0)[np.setdiff1d(np.arange(14), seen)].any()
    np.testing.assert_array_equal(columns_of(panel).values_TSF[: row + 1, seen], columns_of(short).values_TSF)
    everything, known = inputs_of(panel), inputs_of(short)
    np.testing.assert_array_equal(everything.x_TSF[: row + 1, seen], known.x_TSF)
    np.testing.assert_array_equal(everything.here_TS[: row + 1, seen], known.here_TS)


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), row=st.integers(260, 410), traded=st.booleans())
def test_what_happens_later_to_other_stocks_changes_no_input(seed: int, row: int, traded: bool) -> None:
    """Their later prices are noise, or they are never traded again: labels that are missing change no input either."""
    panel = made_up(seed=seed)
    rng = np.random.default_rng(seed)
    others = np.arange(14) != 6
    noise = {}
    for name, price_TS in (*prices_of(panel).items(), ("volume_TS", panel.volume_TS)):
        noise[name] = price_TS.copy()
        later = np.ix_(np.arange(row + 1, 420), others)
        noise[name][later] = rng.lognormal(3.0, 1.0, noise[name][later].shape) if traded else np.nan
    other = changed(panel, **noise)
    np.testing.assert_array_equal(universe_of(panel).member_TS[: row + 1], universe_of(other).member_TS[: row + 1])
    before, after = inputs_of(panel), inputs_of(other)
    np.testing.assert_array_equal(before.x_TSF[: row + 1], after.x_TSF[: row + 1])
    np.testing.assert_array_equal(before.here_TS[: row + 1], after.here_TS[: row + 1])


@settings(max_examples=12)
@given(seed=st.integers(0, 10**6), stock=st.integers(0, 13), factor=st.floats(1e-3, 1e3))
def test_the_unit_of_a_stocks_price_changes_nothing(seed: int, stock: int, factor: float) -> None:
    """As if a split had been adjusted later: prices times a factor, volume over it. What was paid stays."""
    panel = made_up(seed=seed)
    unit_S = np.where(np.arange(14) == stock, factor, 1.0)
    assert panel.volume_TS is not None
    scaled = {name: price_TS * unit_S for name, price_TS in prices_of(panel).items()}
    other = changed(panel, volume_TS=panel.volume_TS / unit_S, **scaled)
    np.testing.assert_array_equal(universe_of(panel).member_TS, universe_of(other).member_TS)
    np.testing.assert_allclose(columns_of(other).values_TSF, columns_of(panel).values_TSF, rtol=1e-8, atol=1e-11)
    np.testing.assert_array_equal(inputs_of(other).x_TSF, inputs_of(panel).x_TSF)


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_the_stocks_changes_nothing(seed: int) -> None:
    panel = made_up(seed=seed)
    order = np.random.default_rng(seed).permutation(14)
    moved = {name: value[:, order] for name, value in prices_of(panel).items()}
    assert panel.volume_TS is not None
    assert panel.close_raw_TS is not None
    assert panel.member_TS is not None
    other = changed(
        panel,
        volume_TS=panel.volume_TS[:, order],
        close_raw_TS=panel.close_raw_TS[:, order],
        member_TS=panel.member_TS[:, order],
        **moved,
    )
    np.testing.assert_array_equal(universe_of(other).member_TS, universe_of(panel).member_TS[:, order])
    np.testing.assert_allclose(
        columns_of(other).values_TSF, columns_of(panel).values_TSF[:, order], rtol=1e-8, atol=1e-11
    )
    np.testing.assert_array_equal(inputs_of(other).x_TSF, inputs_of(panel).x_TSF[:, order])
