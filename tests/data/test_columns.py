"""Every column of a200 beyond the twenty against its definition, written once more in pandas; and its special days."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.data.oracles import ORACLES

from tsladder.data.bars import Bars, bars_until
from tsladder.data.columns.core import A20
from tsladder.data.tiers import a200

NEW = {indicator.column.name: indicator for indicator in a200.indicators()[len(A20) :]}
DAYS = 600


def frame(bars: Bars) -> pd.DataFrame:
    values = {name: getattr(bars, f"{long}_T") for name, long in zip("ohlcv", SERIES, strict=True)}
    return pd.DataFrame(values, index=pd.DatetimeIndex(bars.dates_T.astype("datetime64[ns]")))


SERIES = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def sp500_start(sp500: Bars) -> Bars:
    return bars_until(sp500, sp500.dates_T[DAYS - 1])


@pytest.fixture(scope="module")
def walk(make_bars: Any) -> Bars:
    bars: Bars = make_bars(DAYS, 21)
    return bars


def test_every_column_beyond_the_twenty_has_a_definition_to_be_held_against() -> None:
    assert set(NEW) == set(ORACLES)


@pytest.mark.parametrize("name", NEW)
def test_a_column_is_what_its_definition_says(name: str, sp500_start: Bars, walk: Bars) -> None:
    for bars in (sp500_start, walk):
        ours = NEW[name].fill(bars)
        theirs = ORACLES[name](frame(bars)).to_numpy(dtype=float)
        known = np.isfinite(ours)
        assert known.any()
        scale = np.abs(theirs[known]).max()
        np.testing.assert_allclose(ours[known], theirs[known], rtol=0, atol=1e-9 * scale)


@pytest.fixture(scope="module")
def still(make_bars: Any) -> Bars:
    """Moves, then 300 days of one price without trade."""
    bars = make_bars(DAYS, 4)
    changed = {f"{name}_T": getattr(bars, f"{name}_T").copy() for name in SERIES}
    for name in SERIES[:-1]:
        changed[f"{name}_T"][300:] = bars.close_T[300]
    changed["volume_T"][300:] = 0.0
    return dataclasses.replace(bars, **changed)


STILL = {
    0.0: """
        return_5 return_252 realised_vol_21 realised_vol_slope_21 realised_vol_ratio_5_63 downside_vol_21
        vol_asymmetry_63 jump_share_21 parkinson_21 garman_klass_21 yang_zhang_21
        true_range corwin_schultz_21 sharpe_20 sharpe_60 sortino_20 sortino_60 drawdown_252 max_drawdown_252
        ulcer_index_14 tail_asymmetry_126 calmar_126 bollinger_width_20 squeeze_20 cci_14 williams_r_14
        stoch_k_14 mfi_14 vortex_14 ultimate_oscillator relative_vigor_10 chaikin_money_flow_20
        signed_volume_20 volume_variation_20 return_volume_correlation_21 volume_weighted_return_21
        ease_of_movement_14 gap candle_body upper_shadow lower_shadow streak gap_filled_21 autocorrelation_63
        move_autocorrelation_63 skew_126 kurtosis_63 variance_ratio_5_63 trend_63 trend_fit_63 turns_21
        weekly_return_13 weekly_vol_13 days_since_high_252 permutation_entropy_63
    """,
    0.5: "donchian_place_55 gain_share_63 close_place bollinger_b_50",
    1.0: """
        volume_ratio_20 volume_trend_5_60 amihud_ratio_5_63 range_expansion_5_20 realised_vol_percentile_126
        range_percentile_63 efficiency_ratio_63
    """,
}


@pytest.mark.parametrize(("value", "name"), [(value, name) for value, names in STILL.items() for name in names.split()])
def test_days_that_stand_still_have_the_value_that_the_words_say(still: Bars, value: float, name: str) -> None:
    # TA-Lib's running sums leave 5e-14 of a hundred.
    assert NEW[name].fill(still)[-1] == pytest.approx(value, abs=1e-12)


def test_a_window_without_a_loss_is_cut_at_ten(make_bars: Any) -> None:
    bars = make_bars(300, 1)
    rising = dataclasses.replace(bars, close_T=100.0 * 1.001 ** np.arange(300) * (1 + 1e-4 * np.arange(300)))
    assert NEW["sortino_20"].fill(rising)[-1] == pytest.approx(10.0)
    assert NEW["calmar_126"].fill(rising)[-1] == pytest.approx(10.0)


def test_a_price_that_grows_evenly_has_no_volatility_to_divide_by(make_bars: Any) -> None:
    even = dataclasses.replace(make_bars(300, 1), close_T=100.0 * 1.001 ** np.arange(300))
    for name in ("realised_vol_21", "sharpe_20", "skew_21", "kurtosis_63", "autocorrelation_63"):
        assert abs(NEW[name].fill(even)[-1]) < 1e-12, name
    assert NEW["trend_63"].fill(even)[-1] == pytest.approx(np.log(1.001))
    assert NEW["trend_fit_63"].fill(even)[-1] == pytest.approx(1.0)


def test_the_calendar_of_a_seven_day_week_is_finite_and_knows_saturday_from_monday(make_bars: Any) -> None:
    bars = make_bars(60, 2)
    daily = dataclasses.replace(bars, dates_T=np.datetime64("2023-12-02") + np.arange(60))
    sin_T, cos_T = (NEW[name].fill(daily) for name in ("weekday_sin", "weekday_cos"))
    assert len({(round(a, 9), round(b, 9)) for a, b in zip(sin_T.tolist(), cos_T.tolist(), strict=True)}) == 7
    assert NEW["nights"].fill(daily)[1:].tolist() == [1.0] * 59
