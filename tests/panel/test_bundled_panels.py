"""The bundled panels: what they hold, that nyse36 has the days of its moves, and the known skill of rankings."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from tsladder.panel.bundled import NYSE_O, SKFOLIO, write_bundled
from tsladder.panel.columns import build_columns
from tsladder.panel.file import read_panel
from tsladder.panel.panel import Panel, UniverseKind
from tsladder.panel.targets import forward_returns
from tsladder.panel.universe import find_universe
from tsladder.params import RankTargetParams, UniverseParams

# Days on which the whole market rose by more than 2.5 %, from the indices of the time.
GREAT_DAYS = ("1971-08-16", "1974-10-07", "1974-10-09", "1978-11-01", "1982-08-17", "1984-08-03")

# Mean RankIC over all days with a score and a label, and how many: panel, score, horizon 1 and 5.
KNOWN = [
    ("sp20", "reversal_1", 0.01773, 8310, 0.01722),
    ("sp20", "reversal_5", 0.01390, 8306, 0.02167),
    ("sp20", "momentum", 0.01918, 8059, 0.02814),
    ("sp20", "low_vol", 0.00687, 8248, -0.00802),
    ("nyse36", "reversal_1", 0.01170, 3534, 0.04088),
    ("nyse36", "reversal_5", 0.03633, 3530, 0.06501),
    ("nyse36", "momentum", 0.01146, 3283, 0.02197),
    ("nyse36", "low_vol", 0.01515, 3472, 0.02087),
]
SCORES = {
    "reversal_1": ("ret_1", -1.0),
    "reversal_5": ("ret_5", -1.0),
    "momentum": ("momentum_252_21", 1.0),
    "low_vol": ("vol_63", -1.0),
}


def daily_rank_ic(score_TS: np.ndarray, return_TS: np.ndarray) -> np.ndarray:
    """Spearman's correlation of every day that has all scores and returns."""
    known_T = (np.isfinite(score_TS) & np.isfinite(return_TS)).all(axis=1)
    a_TS, b_TS = (rankdata(x_TS[known_T], axis=1) for x_TS in (score_TS, return_TS))
    a_TS, b_TS = (x_TS - x_TS.mean(axis=1, keepdims=True) for x_TS in (a_TS, b_TS))
    size_T = np.sqrt((a_TS**2).sum(axis=1) * (b_TS**2).sum(axis=1))
    return np.divide((a_TS * b_TS).sum(axis=1), size_T, out=np.zeros_like(size_T), where=size_T > 0.0)


def test_they_hold_the_stocks_and_sessions_that_the_documentation_names(bundled: Callable[[str], Panel]) -> None:
    for name, shape, span in (
        ("nyse36", (3537, 36), ["1971-01-04", "1984-12-31"]),
        ("sp20", (8313, 20), ["1990-01-02", "2022-12-28"]),
    ):
        panel = bundled(name)
        assert panel.close_TS.shape == shape
        assert panel.dates_T[[0, -1]].astype(str).tolist() == span
        assert bool(panel.traded_TS.all())
        assert panel.manifest.origin.universe is UniverseKind.SURVIVORS
        assert len(panel.manifest.origin.bias) > 0


def test_the_great_days_of_the_market_are_great_days_of_nyse36(bundled: Callable[[str], Panel]) -> None:
    panel = bundled("nyse36")
    mean_T = (panel.close_TS[1:] / panel.close_TS[:-1]).mean(axis=1) - 1.0
    rows = np.searchsorted(panel.dates_T, np.array(GREAT_DAYS, dtype="datetime64[D]")) - 1
    assert (mean_T[rows] > 0.025).all()
    # One session earlier or later they are days as any other: none but two of them stood side by side.
    for other in (-1, 1):
        assert np.median(np.abs(mean_T[rows + other])) < 0.02


@pytest.mark.parametrize(("name", "score", "at_1", "days", "at_5"), KNOWN)
def test_simple_rankings_have_the_skill_they_are_known_to_have(
    bundled: Callable[[str], Panel], name: str, score: str, at_1: float, days: int, at_5: float
) -> None:
    panel = bundled(name)
    column, sign = SCORES[score]
    made = build_columns(panel, find_universe(panel, UniverseParams()), (column,))
    labels = forward_returns(panel, RankTargetParams(entry_lag=1), (1, 5))
    found = [daily_rank_ic(sign * made.values_TSF[..., 0], labels.y_TSM[..., place]) for place in (0, 1)]
    assert len(found[0]) == days
    assert [daily_T.mean() for daily_T in found] == pytest.approx([at_1, at_5], abs=2e-5)


def test_bundled_panels_are_made_from_the_files_inside_the_two_packages(tmp_path: Path) -> None:
    """Small files of the same form stand for the packages."""
    relatives = pd.DataFrame({"A": [1.1, 1.21, 1.331, 1.4641], "a": [1.0, 0.9, 0.9, 0.99]})
    closes = pd.DataFrame({"Date": ["2020-01-06", "2020-01-07"], "KO": [1.5, 1.6], "AMD": [2.0, 2.1]})
    with zipfile.ZipFile(tmp_path / "portfolios.whl", "w") as wheel:
        wheel.writestr(NYSE_O, relatives.to_csv(index=False))
    closes.to_csv(tmp_path / "closes.csv.gz", index=False)
    with zipfile.ZipFile(tmp_path / "skfolio.whl", "w") as wheel:
        wheel.write(tmp_path / "closes.csv.gz", SKFOLIO)
    sessions_T = np.array(["1984-12-28", "1984-12-31"], dtype="datetime64[ns]")
    written = write_bundled(tmp_path, tmp_path / "portfolios.whl", tmp_path / "skfolio.whl", sessions_T)
    nyse36, sp20 = (read_panel(tmp_path / f"{name}.parquet") for name in written)
    assert nyse36.symbols_S == ("A", "a")
    np.testing.assert_array_equal(nyse36.close_TS, relatives.to_numpy()[2:])
    assert [dropped.count for dropped in nyse36.manifest.origin.dropped] == [4]
    assert sp20.symbols_S == ("AMD", "KO")
    np.testing.assert_array_equal(sp20.close_TS, [[2.0, 1.5], [2.1, 1.6]])
