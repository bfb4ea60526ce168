"""Sizes and amounts of data in step or apart, and which points are of one size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tsladder.law.design import SAME_SIZE, Kind, data_beside_tenfold, design_of, groups_of
from tsladder.law.surface.size_effect import judge_sizes

SIZES = np.array([70e6, 160e6, 410e6, 1e9, 2.8e9, 6.9e9, 12e9])


def rounded(values: np.ndarray) -> np.ndarray:
    return np.array([float(f"{value:.2g}") for value in values])


@pytest.mark.parametrize("data", [20 * SIZES, rounded(20.3 * SIZES), rounded(3 * SIZES**0.5), rounded(1e20 / SIZES)])
def test_data_in_step_with_size_stay_so_after_rounding(data: np.ndarray) -> None:
    design = design_of(SIZES, data)
    assert design.kind is Kind.IN_STEP
    assert design.inflation > 100
    assert design.data_exponent == pytest.approx(
        math.log(data[-1] / data[0]) / math.log(SIZES[-1] / SIZES[0]), abs=0.02
    )
    assert judge_sizes(SIZES, data, SIZES**-0.1).alpha is None


def test_in_step_ends_where_the_variance_is_a_hundred_times_that_at_constant_data() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(size=7)
    kinds = []
    for sd in np.geomspace(0.01, 2.0, 40):
        design = design_of(SIZES, 20 * SIZES * np.exp(sd * noise))
        x, z = np.log(SIZES), np.log(20 * SIZES * np.exp(sd * noise))
        # The variance of a coefficient of least squares, with and without the other regressor.
        both = np.linalg.inv(np.cov(np.vstack([x, z])))[0, 0] * x.var(ddof=1)
        assert design.inflation == pytest.approx(both, rel=1e-6)
        kinds.append(design.kind)
        assert (design.kind is Kind.IN_STEP) == (both > 100)
    assert set(kinds) == {Kind.IN_STEP, Kind.VARYING}


def test_one_size_and_one_amount_are_neither() -> None:
    assert design_of(SIZES, np.full(7, 1e9)).kind is Kind.CONSTANT
    assert design_of(np.full(7, 1e9) * np.linspace(1, 1.09, 7), SIZES).kind is Kind.ONE_SIZE


def test_sizes_closer_than_ten_per_cent_are_one_and_no_chain_of_them_is() -> None:
    assert groups_of(np.array([1.0, 1.05, 1.0999, 1.1, 2.0]), SAME_SIZE).tolist() == [0, 0, 0, 1, 2]
    assert groups_of(np.array([2.0, 1.1, 1.0, 1.05]), SAME_SIZE).tolist() == [2, 1, 0, 0]
    chain = 1.05 ** np.arange(40)
    labels = groups_of(chain, SAME_SIZE)
    for label in set(labels.tolist()):
        assert chain[labels == label].max() / chain[labels == label].min() < SAME_SIZE


def test_a_table_is_shared_when_its_amounts_link_all_sizes_with_a_cell_to_spare() -> None:
    n, d = (axis.ravel() for axis in np.meshgrid([1.0, 2.0, 4.0], [1.0, 3.0], indexing="ij"))
    assert design_of(n, d).shared
    assert not design_of(n, n * d).shared  # 1, 3 | 2, 6 | 4, 12
    chain_n, chain_d = np.array([1.0, 1.0, 2.0, 2.0, 4.0]), np.array([1.0, 3.0, 3.0, 9.0, 9.0])
    assert not design_of(chain_n, chain_d).shared  # linked, and no cell tells the noise


@pytest.mark.parametrize(
    ("exponent", "words"),
    [
        (1.0, "ten times the data"),
        (0.998, "about ten times the data"),
        (-1.0, "a tenth of the data"),
        (-0.99, "about a tenth of the data"),
        (0.5, "about 3.2 times the data"),
    ],
)
def test_what_a_tenfold_size_came_with_is_said(exponent: float, words: str) -> None:
    assert data_beside_tenfold(exponent) == words
