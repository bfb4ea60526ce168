"""The long-short portfolio: by hand, against a plain walk through the days, and its signs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tsladder.ranking.portfolio import Book, book_of, entry_returns, rank_weights, score_book


def every(shape: tuple[int, ...]) -> np.ndarray:
    return np.ones(shape, bool)


def test_four_stocks_by_hand() -> None:
    scores, returns = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[-0.01, 0.0, 0.0, 0.01]])
    np.testing.assert_allclose(rank_weights(scores, every((1, 4))), [[-0.375, -0.125, 0.125, 0.375]])
    book = book_of(scores, returns, every((1, 4)), horizon=1)
    assert book.gross_D[0] == pytest.approx(0.0075)
    assert book.turnover_D[0] == pytest.approx(0.5)
    assert book.gross_D[0] - book.net_D(5.0)[0] == pytest.approx(0.0005)


def test_weights_are_neutral_and_of_unit_size_and_equal_scores_share_theirs() -> None:
    score = np.round(np.random.default_rng(0).normal(size=(50, 9)), 1)
    member = np.random.default_rng(1).random((50, 9)) > 0.2
    weights = rank_weights(score, member)
    np.testing.assert_allclose(weights.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.abs(weights).sum(axis=1), 1.0)
    assert not weights[~member].any()
    np.testing.assert_allclose(rank_weights(np.array([[1.0, 2.0, 2.0, 4.0]]), every((1, 4))), [[-0.5, 0.0, 0.0, 0.5]])


def test_a_day_without_order_or_members_holds_nothing() -> None:
    member = np.array([[True, True, True], [False, False, False], [True, False, False]])
    assert not rank_weights(np.full((3, 3), 2.0), member).any()


def test_a_member_without_a_score_is_refused() -> None:
    with pytest.raises(ValueError, match="finite score"):
        rank_weights(np.array([[1.0, np.nan]]), every((1, 2)))


@pytest.mark.parametrize("horizon", [1, 3])
def test_the_book_is_what_a_plain_walk_through_the_days_gives(horizon: int) -> None:
    rng = np.random.default_rng(2)
    score, returns = rng.normal(size=(30, 6)), 0.01 * rng.normal(size=(30, 6))
    book = book_of(score, returns, every((30, 6)), horizon=horizon)
    slices: list[np.ndarray] = []
    before = np.zeros(6)
    for day in range(30):
        ranks = np.argsort(np.argsort(score[day])) - 2.5
        slices = [*slices, ranks / np.abs(ranks).sum() / horizon][-horizon:]
        held = np.sum(slices, axis=0)
        assert book.gross_D[day] == pytest.approx(float(held @ returns[day]))
        assert book.traded_D[day] == pytest.approx(float(np.abs(held - before).sum()))
        before = held


def test_a_horizon_longer_than_the_region_is_still_being_built_at_its_end() -> None:
    book = book_of(np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[0.0, 0.01], [0.0, 0.01]]), every((2, 2)), horizon=10)
    np.testing.assert_allclose(book.gross_D, [0.0005, 0.001])


def test_an_order_that_never_changes_trades_once() -> None:
    score = np.tile([3.0, 1.0, 2.0], (40, 1))
    np.testing.assert_allclose(book_of(score, score, every((40, 3)), horizon=1).traded_D, [1.0] + [0.0] * 39)


def test_a_position_without_a_return_earns_nothing_and_is_counted() -> None:
    book = book_of(np.array([[1.0, 2.0, 3.0]]), np.array([[0.01, np.nan, np.nan]]), every((1, 3)), horizon=1)
    assert book.gross_D[0] == pytest.approx(-0.005)
    assert book.unpriced == 1


def test_a_higher_score_is_better_and_the_reverse_is_its_exact_negative() -> None:
    returns = 0.01 * np.random.default_rng(3).normal(size=(300, 12))
    right = score_book(book_of(returns, returns, every(returns.shape), horizon=1), cost_bps=5.0)
    wrong = score_book(book_of(-returns, returns, every(returns.shape), horizon=1), cost_bps=5.0)
    assert right.sharpe_gross is not None
    assert right.sharpe_gross > 0.0
    assert wrong.sharpe_gross == -right.sharpe_gross
    assert wrong.annual_return_gross == -right.annual_return_gross
    assert right.max_drawdown_gross == 0.0 > wrong.max_drawdown_gross


def test_figures_of_a_book_by_hand() -> None:
    book = Book(gross_D=np.array([0.02, -0.01, -0.02, 0.03]), traded_D=np.array([1.0, 0.5, 0.5, 0.0]), unpriced=0)
    found = score_book(book, cost_bps=10.0)
    assert found.annual_return_gross == pytest.approx(252 * 0.005)
    assert found.annual_return_net == pytest.approx(252 * (0.005 - 0.0005))
    sd = math.sqrt((0.015**2 + 0.015**2 + 0.025**2 + 0.025**2) / 3)
    assert found.annual_sd_gross == pytest.approx(math.sqrt(252) * sd)
    assert found.sharpe_gross == pytest.approx(math.sqrt(252) * 0.005 / sd)
    assert found.max_drawdown_gross == pytest.approx(-0.03)
    # Costs of the two days of loss, 5 bps each, deepen the fall.
    assert found.max_drawdown_net == pytest.approx(-0.031)
    assert found.turnover == pytest.approx(0.25)
    assert found.break_even_bps == pytest.approx(100.0)
    assert score_book(book, cost_bps=100.0).annual_return_net == pytest.approx(0.0)


def test_what_is_undefined_is_none() -> None:
    idle = score_book(Book(gross_D=np.zeros(5), traded_D=np.zeros(5), unpriced=0), cost_bps=5.0)
    assert idle.sharpe_gross is None
    assert idle.break_even_bps is None
    assert idle.annual_sd_gross == 0.0
    alone = score_book(Book(gross_D=np.array([0.01]), traded_D=np.array([1.0]), unpriced=0), cost_bps=5.0)
    assert alone.annual_sd_net is None
    assert alone.sharpe_net is None


def test_a_day_portfolio_earns_from_the_close_of_its_entry_on() -> None:
    """Ranked at row t, bought at the close of row t + g: the first return is that of row t + g + 1."""
    returns = np.arange(10.0)[:, None] * np.array([1.0, 100.0])
    np.testing.assert_array_equal(entry_returns(returns, np.array([2, 3]), 1), returns[[4, 5]])
    np.testing.assert_array_equal(entry_returns(returns, np.array([2, 3]), 0), returns[[3, 4]])
    late = entry_returns(returns, np.array([7, 8]), 1)
    np.testing.assert_array_equal(late[0], returns[9])
    assert np.isnan(late[1]).all()
