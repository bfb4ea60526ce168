"""Ranks and scores of a day against scipy, and how those who are no members are placed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation, rankdata

from tsladder.panel.normalise import normalise, ranks, zscores


def day(seed: int, stocks: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Values with ties and gaps, and who is a member."""
    rng = np.random.default_rng(seed)
    values_TS = np.round(rng.normal(0.0, 1.0, (3, stocks)), 1) * 1e-7
    values_TS[rng.random((3, stocks)) < 0.2] = np.nan
    return values_TS, rng.random((3, stocks)) < 0.7


@given(st.integers(0, 10**6))
def test_ranks_of_members_are_average_ranks_in_units_of_their_spread(seed: int) -> None:
    values_TS, member_TS = day(seed)
    found_TS = ranks(values_TS, member_TS)
    for values_S, member_S, found_S in zip(values_TS, member_TS, found_TS, strict=True):
        inside_S = member_S & np.isfinite(values_S)
        n = int(inside_S.sum())
        expected = np.sqrt(12.0) * ((rankdata(values_S[inside_S]) - 0.5) / n - 0.5)
        np.testing.assert_allclose(found_S[inside_S], expected, atol=1e-12)
        assert abs(expected.mean()) < 1e-12
        np.testing.assert_array_equal(np.isnan(found_S), np.isnan(values_S))


@given(st.integers(0, 10**6))
def test_a_stock_that_is_no_member_stands_between_the_members_around_it_and_moves_none_of_them(seed: int) -> None:
    values_TS, member_TS = day(seed)
    found_TS, alone_TS = ranks(values_TS, member_TS), ranks(np.where(member_TS, values_TS, np.nan), member_TS)
    np.testing.assert_array_equal(found_TS[member_TS], alone_TS[member_TS])
    for values_S, member_S, found_S in zip(values_TS, member_TS, found_TS, strict=True):
        inside = values_S[member_S & np.isfinite(values_S)]
        for value, found in zip(values_S[~member_S], found_S[~member_S], strict=True):
            if np.isfinite(value):
                place = ((inside < value).sum() + (inside <= value).sum()) / 2.0
                assert found == pytest.approx(np.sqrt(12.0) * (place / len(inside) - 0.5))


def test_a_stock_that_is_no_member_moves_no_member_however_large_its_value_is() -> None:
    values_TS = np.array([[1e15, 3.0, 1.0, 2.0]])
    member_TS = np.array([[False, True, True, True]])
    alone = ranks(values_TS[:, 1:], member_TS[:, 1:])
    np.testing.assert_array_equal(ranks(values_TS, member_TS)[:, 1:], alone)
    assert len(set(alone[0])) == 3


def test_values_that_differ_by_rounding_alone_are_ties() -> None:
    values_TS = np.array([[0.1 + 0.2, 0.3, 0.5, 0.1]])
    found_TS = ranks(values_TS, np.ones((1, 4), dtype=np.bool_))
    assert found_TS[0, 0] == found_TS[0, 1]
    assert len(set(found_TS[0].tolist())) == 3


@given(st.integers(0, 10**6))
def test_scores_are_distances_from_the_median_in_robust_standard_deviations(seed: int) -> None:
    values_TS, member_TS = day(seed)
    values_TS = values_TS + np.random.default_rng(seed).normal(0.0, 1e-8, values_TS.shape)
    found_TS = zscores(values_TS, member_TS)
    for values_S, member_S, found_S in zip(values_TS, member_TS, found_TS, strict=True):
        inside = values_S[member_S & np.isfinite(values_S)]
        sd = 1.4826 * median_abs_deviation(inside)
        np.testing.assert_allclose(found_S, np.clip((values_S - np.median(inside)) / sd, -3.0, 3.0), rtol=1e-9)


def test_a_day_on_which_all_are_equal_or_none_is_a_member_gives_zeros() -> None:
    equal_TS, all_TS = np.full((1, 4), 7.0), np.ones((1, 4), dtype=np.bool_)
    for way in (ranks, zscores):
        np.testing.assert_array_equal(way(equal_TS, all_TS), 0.0)
        np.testing.assert_array_equal(way(np.arange(4.0)[None], ~all_TS), 0.0)


@pytest.mark.parametrize("kind", ["rank", "zscore", "none"])
def test_a_stock_is_here_when_all_its_columns_are_and_is_zero_otherwise(kind: str) -> None:
    values_TSF = np.random.default_rng(0).normal(size=(5, 6, 3))
    values_TSF[2, 3, 1] = np.nan
    member_TS = np.ones((5, 6), dtype=np.bool_)
    found = normalise(values_TSF, member_TS, kind)  # type: ignore[arg-type]
    assert found.x_TSF.dtype == np.float32
    assert np.argwhere(~found.here_TS).tolist() == [[2, 3]]
    np.testing.assert_array_equal(found.x_TSF[2, 3], 0.0)
    way = {"rank": ranks, "zscore": zscores, "none": lambda values_TS, member_TS: values_TS}[kind]
    expected_TSF = np.stack([way(values_TSF[..., place], member_TS) for place in range(3)], axis=-1)
    np.testing.assert_array_equal(found.x_TSF[found.here_TS], expected_TSF[found.here_TS].astype(np.float32))
