"""A daily file of an exchange rate as brokers export it: five decimals, no volume, some short bars on Sundays."""

from __future__ import annotations

import numpy as np
import pandas as pd


def fx_csv(days: int, *, daily: float = 0.005, seed: int = 0, first_day: str = "2003-01-01") -> str:
    """`days` rows of Date, Open, High, Low, Close around 1.1, with a standard deviation of `daily` a day that comes in
    waves. One week in three has a bar of Sunday evening, a tenth as lively."""
    rng = np.random.default_rng(seed)
    every = pd.date_range(first_day, periods=2 * days)
    is_sunday = every.day_of_week == 6
    traded = (every.day_of_week < 5) | (is_sunday & (np.arange(2 * days) // 7 % 3 == 0))
    dates = every[traded][:days]
    lively = np.where(dates.day_of_week == 6, 0.1, 1.0)
    volatility = daily * np.exp(0.5 * np.sin(np.arange(days) / 60.0)) * lively
    close = 1.1 * np.exp(np.cumsum(rng.normal(0.0, volatility)))
    open_ = np.concatenate([[1.1], close[:-1]]) * np.exp(rng.normal(0.0, 0.1 * volatility))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 0.6 * volatility)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 0.6 * volatility)))
    frame = pd.DataFrame({"Date": dates.strftime("%Y-%m-%d"), "Open": open_, "High": high, "Low": low, "Close": close})
    prices = ["Open", "High", "Low", "Close"]
    frame[prices] = frame[prices].round(5)
    frame["High"] = frame[prices].max(axis=1)
    frame["Low"] = frame[prices].min(axis=1)
    return frame.to_csv(index=False)
