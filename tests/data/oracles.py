"""Every column beyond the twenty once more, from its definition, in pandas and plain Python: name -> frame to series.

The frame has columns o, h, l, c, v and days as its index. Nothing of the package is imported.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

Frame = Any
Oracle = Callable[[Frame], Any]


def r(f: Frame, days: int = 1) -> Any:
    return np.log(f.c).diff(days)


def ema(x: Any, days: int) -> Any:
    """Exponential average that starts with the plain mean of its first `days` values."""
    known = x.dropna()
    out = pd.Series(np.nan, index=x.index)
    value = known.iloc[:days].mean()
    out[known.index[days - 1]] = value
    for day, today in known.iloc[days:].items():
        value += 2.0 / (days + 1.0) * (today - value)
        out[day] = value
    return out


def wilder(x: Any, days: int) -> Any:
    known = x.dropna()
    out = pd.Series(np.nan, index=x.index)
    value = known.iloc[:days].mean()
    out[known.index[days - 1]] = value
    for day, today in known.iloc[days:].items():
        value += (today - value) / days
        out[day] = value
    return out


def wma(x: Any, days: int) -> Any:
    weights = np.arange(1, days + 1)
    return x.rolling(days).apply(lambda w: (w * weights).sum() / weights.sum(), raw=True)


def true_range(f: Frame) -> Any:
    before = f.c.shift()
    return pd.concat([f.h - f.l, (f.h - before).abs(), (f.l - before).abs()], axis=1).max(axis=1).where(before.notna())


def vol(f: Frame, days: int) -> Any:
    return r(f).rolling(days).std()


def line(days: int) -> Callable[[Any], float]:
    return lambda w: float(np.polyfit(np.arange(days), w, 1)[0])


def up(f: Frame, days: int) -> Any:
    return (r(f).clip(lower=0) ** 2).rolling(days).mean() ** 0.5


def down(f: Frame, days: int) -> Any:
    return (r(f).clip(upper=0) ** 2).rolling(days).mean() ** 0.5


def weighted_past(f: Frame, decay: float) -> Any:
    return (r(f) ** 2).ewm(alpha=1 - decay, adjust=True).mean() ** 0.5


def rank(x: Any, days: int) -> Any:
    return x.rolling(days).rank(method="max", pct=True)


def middle(f: Frame, days: int) -> Any:
    return (f.h.rolling(days).max() + f.l.rolling(days).min()) / 2


def place(f: Frame, days: int) -> Any:
    low = f.l.rolling(days).min()
    return (f.c - low) / (f.h.rolling(days).max() - low)


def since(x: Any, days: int, best: Callable[[Any], Any]) -> Any:
    return x.rolling(days).apply(lambda w: days - 1 - max(np.flatnonzero(w == best(w))), raw=True)


def pattern_entropy(f: Frame, days: int, order: int) -> Any:
    closes = f.c.to_numpy()
    numbers = {p: i for i, p in enumerate(permutations(range(order)))}
    found = [
        numbers[tuple(sorted(range(order), key=lambda k, t=t: closes[t - order + 1 + k]))]
        for t in range(order - 1, len(closes))
    ]
    series = pd.Series(found, index=f.index[order - 1 :], dtype=float).reindex(f.index)

    def entropy(w: Any) -> float:
        counts = np.unique(w, return_counts=True)[1] / len(w)
        return -sum(p * math.log(p) for p in counts) / math.log(math.factorial(order))

    return series.rolling(days).apply(entropy, raw=True)


def deepest(days: int) -> Callable[[Any], float]:
    return lambda w: min(w[j] / w[i] - 1 for i in range(days) for j in (i + int(np.argmin(w[i:])),))


def rogers_satchell(f: Frame) -> Any:
    return np.log(f.h / f.c) * np.log(f.h / f.o) + np.log(f.l / f.c) * np.log(f.l / f.o)


def yang_zhang(f: Frame, days: int) -> Any:
    k = 0.34 / (1.34 + (days + 1) / (days - 1))
    night, day = np.log(f.o / f.c.shift()).rolling(days).var(), np.log(f.c / f.o).rolling(days).var()
    return (night + k * day + (1 - k) * rogers_satchell(f).rolling(days).mean()) ** 0.5


def corwin_schultz(f: Frame, days: int) -> Any:
    one = np.log(f.h / f.l) ** 2
    beta = one + one.shift()
    gamma = np.log(f.h.rolling(2).max() / f.l.rolling(2).min()) ** 2
    root = 3 - 2 * math.sqrt(2)
    alpha = ((2 * beta) ** 0.5 - beta**0.5) / root - (gamma / root) ** 0.5
    return (2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))).clip(lower=0).rolling(days).mean()


def kama(f: Frame, days: int) -> Any:
    efficiency = f.c.diff(days).abs() / f.c.diff().abs().rolling(days).sum()
    constant = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
    out = pd.Series(np.nan, index=f.index)
    value = f.c.iloc[days - 1]
    for t in range(days, len(f)):
        value += constant.iloc[t] * (f.c.iloc[t] - value)
        out.iloc[t] = value
    return out


def ultimate(f: Frame) -> Any:
    pressure = f.c - np.minimum(f.l, f.c.shift())
    fast, mid, slow = (pressure.rolling(d).sum() / true_range(f).rolling(d).sum() for d in (7, 14, 28))
    return 100 * (4 * fast + 2 * mid + slow) / 7


def directional(f: Frame, days: int) -> tuple[Any, Any]:
    rise, fall = f.h.diff(), -f.l.diff()
    plus = rise.where((rise > fall) & (rise > 0), 0.0)
    minus = fall.where((fall > rise) & (fall > 0), 0.0)
    ranges = _running(true_range(f), days)
    return 100 * _running(plus, days) / ranges, 100 * _running(minus, days) / ranges


def _running(x: Any, days: int) -> Any:
    """Wilder's running sum, begun with the sum of the first days - 1 moves."""
    moves = x.iloc[1:]
    out = pd.Series(np.nan, index=x.index)
    value = moves.iloc[: days - 1].sum()
    for day, today in moves.iloc[days - 1 :].items():
        value += today - value / days
        out[day] = value
    return out


def money_flow(f: Frame, days: int) -> Any:
    typical = (f.h + f.l + f.c) / 3
    flow = typical * f.v
    rising = flow.where(typical.diff() > 0, 0.0).iloc[1:].rolling(days).sum()
    falling = flow.where(typical.diff() < 0, 0.0).iloc[1:].rolling(days).sum()
    return (100 * rising / (rising + falling)).reindex(f.index)


def cci(f: Frame, days: int) -> Any:
    typical = (f.h + f.l + f.c) / 3
    deviation = typical.rolling(days).apply(lambda w: np.abs(w - w.mean()).mean(), raw=True)
    return (typical - typical.rolling(days).mean()) / (0.015 * deviation)


def streak(f: Frame) -> Any:
    out, run = [np.nan], 0
    for before, now in zip(f.c.iloc[:-1], f.c.iloc[1:], strict=True):
        side = int(now > before) - int(now < before)
        run = run + side if side and run * side > 0 else side
        out.append(max(-10, min(10, run)))
    return pd.Series(out, index=f.index)


def heikin_ashi(f: Frame) -> Any:
    close = f[["o", "h", "l", "c"]].mean(axis=1)
    opened = [(f.o.iloc[0] + f.c.iloc[0]) / 2]
    for before in close.iloc[:-1]:
        opened.append((opened[-1] + before) / 2)
    return (close - np.array(opened)) / f.c


def gaps_filled(f: Frame, days: int) -> Any:
    before = f.c.shift()
    higher, lower = f.o > before, f.o < before
    filled = (higher & (f.l <= before)) | (lower & (f.h >= before))
    gaps = (higher | lower).iloc[1:].rolling(days).sum()
    return (filled.iloc[1:].rolling(days).sum() / gaps).mask(gaps == 0, 0.0).reindex(f.index)


def keltner(f: Frame) -> tuple[Any, Any]:
    """Middle and half width; the average true range begins where the middle does."""
    typical = (f.h + f.l + f.c) / 3
    return ema(typical, 20), 2 * wilder(true_range(f).iloc[10:], 10).reindex(f.index)


def share(f: Frame, holds: Any, days: int) -> Any:
    return holds.iloc[1:].astype(float).rolling(days).mean().reindex(f.index)


def rsi(f: Frame, days: int) -> Any:
    rise, fall = f.c.diff().clip(lower=0), -f.c.diff().clip(upper=0)
    a, b = wilder(rise, days), wilder(fall, days)
    return 100 * a / (a + b)


def aroon(x: Any, days: int, best: Callable[[Any], Any]) -> Any:
    return 100 * (days - since(x, days + 1, best)) / days


def adx(f: Frame) -> Any:
    plus, minus = directional(f, 14)
    return wilder(100 * (plus - minus).abs() / (plus + minus), 14)


def parabolic(f: Frame) -> Any:
    """Wilder's stop and reverse; the first trend by the first day's directional movement, as TA-Lib begins it."""
    h, low = f.h.to_numpy(), f.l.to_numpy()
    rise, fall = h[1] - h[0], low[0] - low[1]
    long = not (fall > 0 and rise < fall)
    extreme, stop = (h[1], low[0]) if long else (low[1], h[0])
    step, out = 0.02, [np.nan]
    new_low, new_high = low[1], h[1]
    for t in range(1, len(f)):
        last_low, last_high = new_low, new_high
        new_low, new_high = low[t], h[t]
        if long and new_low <= stop:
            long = False
            stop = max(extreme, last_high, new_high)
            out.append(stop)
            step, extreme = 0.02, new_low
            stop = max(stop + step * (extreme - stop), last_high, new_high)
        elif long:
            out.append(stop)
            if new_high > extreme:
                extreme, step = new_high, min(step + 0.02, 0.2)
            stop = min(stop + step * (extreme - stop), last_low, new_low)
        elif new_high >= stop:
            long = True
            stop = min(extreme, last_low, new_low)
            out.append(stop)
            step, extreme = 0.02, new_high
            stop = min(stop + step * (extreme - stop), last_low, new_low)
        else:
            out.append(stop)
            if new_low < extreme:
                extreme, step = new_low, min(step + 0.02, 0.2)
            stop = max(stop + step * (extreme - stop), last_high, new_high)
    return pd.Series(out, index=f.index)


def fridays(day: Any) -> float:
    friday = day + pd.Timedelta(days=4 - day.weekday())
    weeks = calendar.monthcalendar(friday.year, friday.month)
    third = [week[4] for week in weeks if week[4]][2]
    return float(friday.day == third)


def month_turn(day: Any) -> float:
    weekdays = pd.bdate_range(day.replace(day=1), day + pd.offsets.MonthEnd(0))
    return float(day == weekdays[-1] or day in weekdays[:3] or (day > weekdays[-1]) or day < weekdays[0])


def of_days(f: Frame, value: Callable[[Any], float]) -> Any:
    return pd.Series([value(day) for day in f.index], index=f.index)


def smooth4(x: Any) -> Any:
    return (x + 2 * x.shift() + 2 * x.shift(2) + x.shift(3)) / 6


def weekly(f: Frame, of: Callable[[Any], Any]) -> Any:
    """`of` the weekly closes, shown from the first day of the next week on."""
    week = pd.Series(f.index.isocalendar().year * 100 + f.index.isocalendar().week, index=f.index)
    known = of(f.c.groupby(week).last()).shift()
    return week.map(known)


def amihud(f: Frame, days: int) -> Any:
    return (r(f).abs() / (f.c * f.v)).rolling(days).mean()


def tsi(f: Frame) -> Any:
    moved = f.c.diff()
    return 100 * ema(ema(moved, 25), 13) / ema(ema(moved.abs(), 25), 13)


def macd_histogram(f: Frame) -> Any:
    """Both averages begin on the day of the slower one's first value, as TA-Lib has it."""
    macd = _ema_from(f.c, 12, 25) - ema(f.c, 26)
    return macd - ema(macd, 9)


def _ema_from(x: Any, days: int, first: int) -> Any:
    return ema(x.iloc[first - days + 1 :], days).reindex(x.index)


ORACLES: dict[str, Oracle] = {
    **{f"return_{d}": (lambda f, d=d: r(f, d)) for d in (1, 2, 5, 10, 21, 42, 63, 126, 189, 252)},
    "momentum_252_21": lambda f: np.log(f.c.shift(21) / f.c.shift(252)),
    **{f"acceleration_{d}": (lambda f, d=d: np.log(f.c * f.c.shift(2 * d) / f.c.shift(d) ** 2)) for d in (5, 21)},
    "best_day_21": lambda f: r(f).rolling(21).max(),
    "worst_day_21": lambda f: r(f).rolling(21).min(),
    **{f"realised_vol_{d}": (lambda f, d=d: vol(f, d)) for d in (5, 10, 21, 63, 126, 252)},
    **{f"realised_vol_slope_{d}": (lambda f, d=d: vol(f, d).rolling(d).apply(line(d), raw=True)) for d in (21, 63)},
    "realised_vol_ratio_5_63": lambda f: vol(f, 5) / vol(f, 63),
    "realised_vol_ratio_21_252": lambda f: vol(f, 21) / vol(f, 252),
    "ewma_vol_94": lambda f: weighted_past(f, 0.94),
    "downside_vol_21": lambda f: down(f, 21),
    "vol_of_vol_21": lambda f: vol(f, 5).rolling(21).std(),
    "realised_vol_percentile_126": lambda f: rank(vol(f, 21), 126),
    "typical_move_63": lambda f: r(f).abs().rolling(63).median(),
    "vol_asymmetry_63": lambda f: (up(f, 63) - down(f, 63)) / (up(f, 63) + down(f, 63)),
    "jump_share_21": lambda f: (
        1 - math.pi / 2 * (r(f).abs() * r(f).shift().abs()).rolling(21).sum() / (r(f) ** 2).rolling(21).sum()
    ).clip(lower=0),
    **{
        f"parkinson_{d}": (lambda f, d=d: ((np.log(f.h / f.l) ** 2).rolling(d).mean() / (4 * math.log(2))) ** 0.5)
        for d in (5, 21)
    },
    "garman_klass_21": lambda f: (
        (0.5 * np.log(f.h / f.l) ** 2 - (2 * math.log(2) - 1) * np.log(f.c / f.o) ** 2).rolling(21).mean() ** 0.5
    ),
    "yang_zhang_21": lambda f: yang_zhang(f, 21),
    "range_expansion_5_20": lambda f: true_range(f).rolling(5).mean() / true_range(f).rolling(20).mean(),
    "true_range": lambda f: true_range(f) / f.c.shift(),
    "chaikin_volatility_10": lambda f: 100 * ema(f.h - f.l, 10).pct_change(10, fill_method=None),
    "mass_index_25": lambda f: (ema(f.h - f.l, 9) / ema(ema(f.h - f.l, 9), 9)).rolling(25).sum(),
    "range_percentile_63": lambda f: rank(np.log(f.h / f.l), 63),
    "corwin_schultz_21": lambda f: corwin_schultz(f, 21),
    **{f"sharpe_{d}": (lambda f, d=d: r(f).rolling(d).mean() / vol(f, d)) for d in (20, 60, 120, 252)},
    **{f"sortino_{d}": (lambda f, d=d: r(f).rolling(d).mean() / down(f, d)) for d in (20, 60)},
    "drawdown_252": lambda f: f.c / f.c.rolling(252).max() - 1,
    **{f"max_drawdown_{d}": (lambda f, d=d: f.c.rolling(d).apply(deepest(d), raw=True)) for d in (63, 252)},
    "ulcer_index_14": lambda f: ((f.c / f.c.rolling(14).max() - 1) ** 2).rolling(14).mean() ** 0.5,
    "gain_share_63": lambda f: r(f).clip(lower=0).rolling(63).sum() / r(f).abs().rolling(63).sum(),
    "value_at_risk_63": lambda f: r(f).rolling(63).quantile(0.05),
    "expected_shortfall_126": lambda f: r(f).rolling(126).apply(lambda w: np.mean(sorted(w)[:6]), raw=True),
    "tail_asymmetry_126": lambda f: (
        (r(f).rolling(126).quantile(0.95).abs() - r(f).rolling(126).quantile(0.05).abs())
        / (r(f).rolling(126).quantile(0.95).abs() + r(f).rolling(126).quantile(0.05).abs())
    ),
    "calmar_126": lambda f: (r(f, 126) / -f.c.rolling(127).apply(deepest(127), raw=True)).clip(-10, 10),
    "rise_from_low_252": lambda f: f.c / f.c.rolling(252).min() - 1,
    **{f"distance_ema_{d}": (lambda f, d=d: f.c / ema(f.c, d) - 1) for d in (10, 20, 50, 100, 200)},
    "kama_30": lambda f: kama(f, 30),
    "tema_30": lambda f: 3 * ema(f.c, 30) - 3 * ema(ema(f.c, 30), 30) + ema(ema(ema(f.c, 30), 30), 30),
    "wma_30": lambda f: wma(f.c, 30),
    "hma_20": lambda f: wma(2 * wma(f.c, 10) - wma(f.c, 20), 4),
    "distance_sma_5": lambda f: f.c / f.c.rolling(5).mean() - 1,
    "sma_cross_50_200": lambda f: f.c.rolling(50).mean() / f.c.rolling(200).mean() - 1,
    "sma_return_200_21": lambda f: f.c.rolling(200).mean().pct_change(21, fill_method=None),
    "distance_sar": lambda f: (f.c - parabolic(f)) / f.c,
    **{
        f"bollinger_width_{d}": (lambda f, d=d: 4 * f.c.rolling(d).std(ddof=0) / f.c.rolling(d).mean())
        for d in (20, 50)
    },
    "bollinger_b_50": lambda f: 0.5 + (f.c - f.c.rolling(50).mean()) / (4 * f.c.rolling(50).std(ddof=0)),
    **{f"donchian_place_{d}": (lambda f, d=d: place(f, d)) for d in (20, 55)},
    "distance_high_20": lambda f: f.c / f.h.rolling(20).max() - 1,
    "distance_low_20": lambda f: f.c / f.l.rolling(20).min() - 1,
    "keltner_place_20": lambda f: (f.c - keltner(f)[0]) / keltner(f)[1],
    "squeeze_20": lambda f: 2 * f.c.rolling(20).std(ddof=0) / keltner(f)[1],
    "distance_tenkan_9": lambda f: f.c / middle(f, 9) - 1,
    "distance_kijun_26": lambda f: f.c / middle(f, 26) - 1,
    "distance_senkou_a": lambda f: f.c / ((middle(f, 9) + middle(f, 26)) / 2).shift(26) - 1,
    "distance_senkou_b": lambda f: f.c / middle(f, 52).shift(26) - 1,
    **{f"days_since_high_{d}": (lambda f, d=d: since(f.h, d, np.max)) for d in (63, 252)},
    **{f"days_since_low_{d}": (lambda f, d=d: since(f.l, d, np.min)) for d in (63, 252)},
    "donchian_width_126": lambda f: np.log(f.h.rolling(126).max() / f.l.rolling(126).min()),
    "ichimoku_cross": lambda f: middle(f, 9) / middle(f, 26) - 1,
    "ichimoku_cloud": lambda f: ((middle(f, 9) + middle(f, 26)) / 2 / middle(f, 52) - 1).shift(26),
    "distance_pivot": lambda f: f.c / ((f.h + f.l + f.c) / 3).shift() - 1,
    "new_extremes_63": lambda f: (
        ((f.h > f.h.rolling(20).max().shift()).astype(float) - (f.l < f.l.rolling(20).min().shift()).astype(float))
        .iloc[20:]
        .rolling(63)
        .mean()
        .reindex(f.index)
    ),
    "cci_14": lambda f: cci(f, 14),
    "williams_r_14": lambda f: 100 * (place(f, 14) - 1),
    "stoch_k_14": lambda f: 100 * place(f, 14).rolling(3).mean(),
    "stoch_d_14": lambda f: 100 * place(f, 14).rolling(3).mean().rolling(3).mean(),
    **{f"aroon_up_{d}": (lambda f, d=d: aroon(f.h, d, np.max)) for d in (14, 50)},
    **{f"aroon_down_{d}": (lambda f, d=d: aroon(f.l, d, np.min)) for d in (14, 50)},
    "ultimate_oscillator": ultimate,
    "trix_15": lambda f: 100 * ema(ema(ema(f.c, 15), 15), 15).pct_change(fill_method=None),
    "plus_di_14": lambda f: directional(f, 14)[0],
    "minus_di_14": lambda f: directional(f, 14)[1],
    "macd_histogram": macd_histogram,
    **{f"rsi_{d}": (lambda f, d=d: rsi(f, d)) for d in (2, 28)},
    "adxr_14": lambda f: (adx(f) + adx(f).shift(13)) / 2,
    "vortex_14": lambda f: (
        ((f.h - f.l.shift()).abs() - (f.l - f.h.shift()).abs()).rolling(14).sum() / true_range(f).rolling(14).sum()
    ),
    "true_strength_25_13": tsi,
    "coppock": lambda f: 100 * wma(f.c.pct_change(14, fill_method=None) + f.c.pct_change(11, fill_method=None), 10),
    "awesome_oscillator": lambda f: ((f.h + f.l) / 2).rolling(5).mean() - ((f.h + f.l) / 2).rolling(34).mean(),
    "bull_power_13": lambda f: f.h - ema(f.c, 13),
    "bear_power_13": lambda f: f.l - ema(f.c, 13),
    "relative_vigor_10": lambda f: smooth4(f.c - f.o).rolling(10).mean() / smooth4(f.h - f.l).rolling(10).mean(),
    **{f"volume_ratio_{d}": (lambda f, d=d: f.v / f.v.rolling(d).mean()) for d in (5, 20)},
    "mfi_14": lambda f: money_flow(f, 14),
    "volume_trend_5_60": lambda f: f.v.rolling(5).mean() / f.v.rolling(60).mean(),
    "chaikin_money_flow_20": lambda f: (
        (((f.c - f.l) - (f.h - f.c)) / (f.h - f.l) * f.v).rolling(20).sum() / f.v.rolling(20).sum()
    ),
    "signed_volume_20": lambda f: (np.sign(f.c.diff()) * f.v).rolling(20).sum() / f.v.rolling(20).sum(),
    "force_index_13": lambda f: ema(f.c.diff() * f.v, 13) / ema((f.c.diff() * f.v).abs(), 13),
    "volume_trend_20_120": lambda f: f.v.rolling(20).mean() / f.v.rolling(120).mean(),
    "volume_variation_20": lambda f: f.v.rolling(20).std() / f.v.rolling(20).mean(),
    "volume_percentile_126": lambda f: rank(f.v, 126),
    "return_volume_correlation_21": lambda f: r(f).rolling(21).corr(f.v),
    "move_volume_correlation_63": lambda f: r(f).abs().rolling(63).corr(f.v),
    "amihud_ratio_5_63": lambda f: amihud(f, 5) / amihud(f, 63),
    "ease_of_movement_14": lambda f: (
        (((f.h + f.l) / 2).diff() / f.c * (f.h - f.l) / f.c / (f.v / f.v.rolling(60).mean())).rolling(14).mean()
    ),
    "volume_weighted_return_21": lambda f: (r(f) * f.v).rolling(21).sum() / f.v.rolling(21).sum(),
    "busy_day_return_63": lambda f: r(f).where(f.v.diff() > 0, 0.0).where(r(f).notna()).rolling(63).sum(),
    "quiet_day_return_63": lambda f: r(f).where(f.v.diff() < 0, 0.0).where(r(f).notna()).rolling(63).sum(),
    "days_since_volume_high_63": lambda f: since(f.v, 63, np.max),
    "gap": lambda f: np.log(f.o) - np.log(f.c.shift()),
    "close_place": lambda f: (f.c - f.l) / (f.h - f.l),
    "candle_body": lambda f: (f.c - f.o) / (f.h - f.l),
    "upper_shadow": lambda f: (f.h - f[["o", "c"]].max(axis=1)) / (f.h - f.l),
    "lower_shadow": lambda f: (f[["o", "c"]].min(axis=1) - f.l) / (f.h - f.l),
    "range_to_atr_14": lambda f: true_range(f) / wilder(true_range(f), 14),
    "streak": streak,
    "candle_body_mean_5": lambda f: ((f.c - f.o) / (f.h - f.l)).rolling(5).mean(),
    "close_place_mean_10": lambda f: ((f.c - f.l) / (f.h - f.l)).rolling(10).mean(),
    "upper_shadow_mean_10": lambda f: ORACLES["upper_shadow"](f).rolling(10).mean(),
    "lower_shadow_mean_10": lambda f: ORACLES["lower_shadow"](f).rolling(10).mean(),
    "inside_days_20": lambda f: share(f, (f.h < f.h.shift()) & (f.l > f.l.shift()), 20),
    "higher_highs_20": lambda f: share(f, f.h > f.h.shift(), 20),
    "higher_lows_20": lambda f: share(f, f.l > f.l.shift(), 20),
    "up_days_21": lambda f: share(f, f.c > f.c.shift(), 21),
    "gap_size_mean_21": lambda f: np.log(f.o / f.c.shift()).abs().rolling(21).mean(),
    "gap_filled_21": lambda f: gaps_filled(f, 21),
    "heikin_ashi_body": heikin_ashi,
    "weekday_sin": lambda f: of_days(f, lambda d: math.sin(2 * math.pi * d.weekday() / 7)),
    "weekday_cos": lambda f: of_days(f, lambda d: math.cos(2 * math.pi * d.weekday() / 7)),
    "month_sin": lambda f: of_days(f, lambda d: math.sin(2 * math.pi * (d.month - 1) / 12)),
    "month_cos": lambda f: of_days(f, lambda d: math.cos(2 * math.pi * (d.month - 1) / 12)),
    "month_passed": lambda f: of_days(f, lambda d: (d.day - 1) / (d.days_in_month - 1)),
    "turn_of_month": lambda f: of_days(f, month_turn),
    "expiry_week": lambda f: of_days(f, fridays),
    "nights": lambda f: f.index.to_series().diff().dt.days,
    "permutation_entropy_63": lambda f: pattern_entropy(f, 63, 3),
    "permutation_entropy_126": lambda f: pattern_entropy(f, 126, 4),
    **{f"autocorrelation_{d}": (lambda f, d=d: r(f).rolling(d).corr(r(f).shift())) for d in (21, 63)},
    "move_autocorrelation_63": lambda f: r(f).abs().rolling(63).corr(r(f).abs().shift()),
    **{
        f"skew_{d}": (
            lambda f, d=d: r(f).rolling(d).apply(lambda w: ((w - w.mean()) ** 3).mean() / w.std() ** 3, raw=True)
        )
        for d in (21, 126)
    },
    "kurtosis_63": lambda f: r(f).rolling(63).apply(lambda w: ((w - w.mean()) ** 4).mean() / w.std() ** 4, raw=True),
    **{
        f"efficiency_ratio_{d}": (lambda f, d=d: f.c.diff(d).abs() / f.c.diff().abs().rolling(d).sum())
        for d in (10, 63)
    },
    "variance_ratio_5_63": lambda f: r(f, 5).rolling(63).var() / (5 * r(f).rolling(63).var()) - 1,
    "trend_63": lambda f: np.log(f.c).rolling(63).apply(line(63), raw=True),
    **{
        f"trend_fit_{d}": (
            lambda f, d=d: (
                np.log(f.c).rolling(d).apply(lambda w: np.corrcoef(np.arange(len(w)), w)[0, 1] ** 2, raw=True)
            )
        )
        for d in (21, 63)
    },
    "turns_21": lambda f: (
        (f.c.diff() * f.c.diff().shift() < 0).astype(float).iloc[2:].rolling(21).mean().reindex(f.index)
    ),
    **{f"weekly_return_{w}": (lambda f, w=w: weekly(f, lambda c: np.log(c).diff(w))) for w in (1, 4, 13)},
    "weekly_vol_13": lambda f: weekly(f, lambda c: np.log(c).diff().rolling(13).std()),
    "weekly_distance_sma_10": lambda f: weekly(f, lambda c: c / c.rolling(10).mean() - 1),
}
