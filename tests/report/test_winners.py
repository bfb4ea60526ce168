"""Shapes over horizons: what the winners of a rung do, and how often chance would do it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsladder.report.patterns.winners import Order, chances_of, count_orders, order_of, winners_pattern

SHAPES = st.sampled_from([(8, 8), (16, 2), (16, 4), (32, 4), (32, 1), (64, 1)])


@pytest.mark.parametrize(
    ("shapes", "order"),
    [
        ([(16, 4), (16, 4), (16, 4)], Order.SAME),
        ([(32, 1), (16, 4), (8, 8)], Order.DEEPER),
        ([(32, 1), (32, 1), (8, 8)], Order.DEEPER),
        ([(8, 8), (16, 4), (32, 1)], Order.WIDER),
        ([(16, 4), (32, 1), (8, 8)], Order.NONE),
        ([(16, 2), (32, 4)], Order.NONE),
    ],
)
def test_an_order_is_named(shapes, order):
    assert order_of(shapes) is order


@given(st.lists(st.lists(SHAPES, min_size=1, max_size=4), min_size=2, max_size=4))
def test_chances_are_those_of_all_combinations_of_trials(tried):
    every = [order_of(winners) for winners in itertools.product(*tried)]
    for order, chance in chances_of(tried).items():
        assert chance == pytest.approx(every.count(order) / len(every), abs=1e-12)


def test_three_horizons_of_the_same_eight_shapes_by_hand():
    """Of 512 triples 8 are equal; (10 choose 3) = 120 never fall, 8 of them equal."""
    eight = [(1000, n) for n in range(1, 9)]
    chances = chances_of([eight] * 3)
    assert chances[Order.SAME] == pytest.approx(8 / 512)
    assert chances[Order.DEEPER] == pytest.approx(112 / 512)
    assert chances[Order.WIDER] == pytest.approx(112 / 512)


def test_one_winner_has_no_order():
    assert winners_pattern("12k", {1: (8, 8)}, {1: [(8, 8)]}) is None


def test_winners_without_trials_have_an_order_and_no_chance():
    pattern = winners_pattern("12k", {3: (8, 8), 1: (16, 4)}, {})
    assert (pattern.order, pattern.chances) == (Order.DEEPER, None)
    assert count_orders([pattern]) == ()


def test_the_same_shape_at_every_rung_is_beyond_chance():
    eight = [(1000, n) for n in range(1, 9)]
    patterns = [winners_pattern(r, {1: (1000, 2), 3: (1000, 2)}, {1: eight, 3: eight}) for r in ("12k", "30k", "80k")]
    counts = {count.order: count for count in count_orders(patterns)}
    assert (counts[Order.SAME].found, counts[Order.SAME].expected) == (3, pytest.approx(3 / 8))
    # Corrected over three orders.
    assert counts[Order.SAME].p_holm == pytest.approx(3 * (1 / 8) ** 3)
    assert counts[Order.DEEPER].p_holm == 1.0


def test_winners_drawn_at_random_show_an_order_in_at_most_one_study_in_twenty():
    rng = np.random.default_rng(4)
    false, studies = 0, 300
    for _ in range(studies):
        patterns = []
        for rung in ("12k", "30k", "80k", "200k", "750k"):
            tried = {h: [(1000, int(n)) for n in rng.integers(1, 9, 8)] for h in (1, 3, 5)}
            winners = {h: shapes[rng.integers(8)] for h, shapes in tried.items()}
            patterns.append(winners_pattern(rung, winners, tried))
        false += any(count.p_holm <= 0.05 for count in count_orders(patterns))
    assert false <= 0.05 * studies + 3.0 * np.sqrt(0.05 * 0.95 * studies)
