"""Bars to test on: the bundled series, and a reproducible random walk of any length."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tsladder.data.bars import Bars, read_bars
from tsladder.data.bundled import write_bundled
from tsladder.data.features import FeatureTable
from tsladder.data.indicators import build_features
from tsladder.params import DataParams, SplitParams, TargetParams

MakeBars = Callable[..., Bars]


@pytest.fixture(scope="session")
def bundled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundled")
    write_bundled(folder)
    return folder


@pytest.fixture(scope="session")
def sp500(bundled_folder: Path) -> Bars:
    return read_bars(bundled_folder / "sp500.parquet", "sp500")


@pytest.fixture(scope="session")
def bundled(bundled_folder: Path) -> Callable[[str], Bars]:
    return lambda symbol: read_bars(bundled_folder / f"{symbol}.parquet", symbol)


@pytest.fixture(scope="session")
def a25() -> DataParams:
    return DataParams(symbol="sp500", tier="a25", ohlcv=True)


@pytest.fixture(scope="session")
def sp500_table(sp500: Bars, a25: DataParams) -> FeatureTable:
    return build_features(sp500, a25)


@pytest.fixture(scope="session")
def touch_1pct() -> TargetParams:
    return TargetParams(task="threshold_1pct", price="high")


@pytest.fixture(scope="session")
def by_date() -> SplitParams:
    return SplitParams(
        kind="dates",
        validation_start=dt.date(2011, 1, 1),
        test_start=dt.date(2015, 1, 1),
        validation_fraction=0.15,
        test_fraction=0.15,
        block_days=252,
        windows_per_block="all",
        min_positives=30,
    )


@pytest.fixture(scope="session")
def make_bars() -> MakeBars:
    """A random walk on weekdays, some of them holidays."""

    def make(days: int = 320, seed: int = 0, daily_sd: float = 0.012) -> Bars:
        rng = np.random.default_rng(seed)
        close_T = 100.0 * np.exp(np.cumsum(rng.normal(0.0002, daily_sd, days)))
        open_T = np.concatenate([close_T[:1], close_T[:-1]]) * np.exp(rng.normal(0, daily_sd / 4, days))
        weekdays = np.datetime64("2001-01-03") + np.arange(2 * days + 20)
        weekdays = weekdays[np.is_busday(weekdays)]
        calendar = np.sort(rng.permutation(weekdays[: int(days * 1.04) + 1])[:days])
        return Bars(
            symbol="walk",
            dates_T=calendar,
            open_T=open_T,
            high_T=np.maximum(open_T, close_T) * np.exp(np.abs(rng.normal(0, daily_sd / 2, days))),
            low_T=np.minimum(open_T, close_T) * np.exp(-np.abs(rng.normal(0, daily_sd / 2, days))),
            close_T=close_T,
            volume_T=np.round(rng.lognormal(15, 0.4, days)),
        )

    return make
