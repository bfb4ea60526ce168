"""Sums by blocks of rows are, bit for bit, those of all rows at once; so are ranks and scores within a day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.panel.made_up import made_up

from tsladder.panel import normalise as normalising
from tsladder.panel import rolling
from tsladder.panel.columns import O33, build_columns
from tsladder.panel.normalise import Normalisation, normalise, ranks, zscores
from tsladder.panel.universe import find_universe
from tsladder.params import UniverseParams

Floats = NDArray[np.float64]


def total(x_TS: Floats, days: int) -> Floats:
    """Each window added up term by term, the newest first."""
    out_TS = np.full_like(x_TS, np.nan)
    for row in range(days - 1, len(x_TS)):
        for stock in range(x_TS.shape[1]):
            out_TS[row, stock] = added(x_TS[row - days + 1 : row + 1, stock][::-1])
    return out_TS


def added(terms: Floats) -> float:
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return float(found)


def highest(x_TS: Floats, days: int) -> Floats:
    out_TS = np.full_like(x_TS, np.nan)
    for row in range(days - 1, len(x_TS)):
        out_TS[row] = x_TS[row - days + 1 : row + 1].max(axis=0)
    return out_TS


def products(a_TS: Floats, b_TS: Floats, days: int) -> Floats:
    shape = np.broadcast_shapes(a_TS.shape, b_TS.shape)
    out_TS = np.full(shape, np.nan)
    mean_a_TS, mean_b_TS = (np.broadcast_to(total(x_TS, days) / days, shape) for x_TS in (a_TS, b_TS))
    a_TS, b_TS = (np.broadcast_to(x_TS, shape) for x_TS in (a_TS, b_TS))
    for row in range(days - 1, shape[0]):
        for stock in range(shape[1]):
            a, b = (x_TS[row - days + 1 : row + 1, stock][::-1] for x_TS in (a_TS, b_TS))
            moves = (a - mean_a_TS[row, stock]) * (b - mean_b_TS[row, stock])
            out_TS[row, stock] = added(np.concatenate([[0.0], moves]))
    return out_TS


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(1, 30),
    stocks=st.integers(1, 5),
    days=st.integers(2, 12),
    block=st.integers(1, 60),
)
def test_sums_by_blocks_are_those_of_each_window_bit_for_bit(
    seed: int, rows: int, stocks: int, days: int, block: int
) -> None:
    rng = np.random.default_rng(seed)
    a_TS, b_TS = np.exp(rng.normal(0.0, 3.0, (2, rows, stocks)))
    a_TS[rng.random(a_TS.shape) < 0.05] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rolling, "_BLOCK", block)
        np.testing.assert_array_equal(rolling.total(a_TS, days), total(a_TS, days))
        np.testing.assert_array_equal(rolling.highest(a_TS, days), highest(a_TS, days))
        for one_TS, other_TS in ((a_TS, b_TS), (a_TS, a_TS), (a_TS, b_TS[:, :1]), (b_TS[:, :1], b_TS[:, :1])):
            found_TS = rolling.products(one_TS, other_TS, days)
            np.testing.assert_array_equal(found_TS, products(one_TS, other_TS, days))


def test_no_column_depends_on_the_size_of_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = made_up()
    universe = find_universe(panel, UniverseParams(min_history=30))
    whole = build_columns(panel, universe, O33).values_TSF
    for block in (1, 100, 10**9):
        monkeypatch.setattr(rolling, "_BLOCK", block)
        assert build_columns(panel, universe, O33).values_TSF.tobytes() == whole.tobytes()


WAYS: dict[Normalisation, Callable[..., Floats]] = {"rank": ranks, "zscore": zscores, "none": lambda x_TS, _: x_TS}


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("block", [1, 37, 10**9])
def test_ranks_and_scores_by_blocks_are_those_of_all_days_at_once_bit_for_bit(
    kind: Normalisation, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    values_TSF = np.round(rng.normal(size=(31, 7, 4)), 1)
    values_TSF[rng.random(values_TSF.shape) < 0.05] = np.nan
    member_TS = rng.random((31, 7)) < 0.7
    here_TS = np.isfinite(values_TSF).all(axis=-1)
    expected_TSF = np.stack([WAYS[kind](values_TSF[..., place], member_TS) for place in range(4)], axis=-1)
    monkeypatch.setattr(normalising, "_BLOCK", block)
    found = normalise(values_TSF, member_TS, kind)
    np.testing.assert_array_equal(found.here_TS, here_TS)
    np.testing.assert_array_equal(found.x_TSF, np.where(here_TS[..., None], expected_TSF, 0.0).astype(np.float32))
