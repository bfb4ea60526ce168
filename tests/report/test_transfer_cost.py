"""What it would take to train the winners on each other's horizons, from what their own seeds took."""

import dataclasses

import pytest

from tsladder.report.patterns.cost import transfer_cost
from tsladder.vocabulary import Cell


def of(facts, name):
    (found,) = (cell for cell in facts.cells if cell.cell == Cell.parse(name))
    return found


def with_seconds(cell, seconds, *, seeds=2, learning_rate=0.001):
    """As if its search had taken ten times as long as a seed of its winner."""
    settings = {**cell.winner.settings, "learning_rate": learning_rate}
    losses = {str(seed): 0.4 for seed in range(1, seeds + 1)}
    return dataclasses.replace(
        cell,
        winner=dataclasses.replace(cell.winner, settings=settings),
        search=dataclasses.replace(cell.search, seconds=10.0 * seconds),
        retraining=dataclasses.replace(cell.retraining, seconds=seconds * seeds, train_losses=losses),
    )


def test_each_winner_is_trained_once_a_seed_on_every_other_horizon_at_its_own_pace(facts):
    one, other = with_seconds(of(facts, "12k-h1"), 3.0), with_seconds(of(facts, "12k-h3"), 5.0, learning_rate=0.002)
    alone = with_seconds(of(facts, "80k-h1"), 100.0)
    cost = transfer_cost([one, other, alone], seeds=3)
    assert (cost.pairs, cost.trainings) == (2, 6)
    assert cost.seconds == pytest.approx(3 * (3.0 + 5.0))
    assert cost.spent == pytest.approx(12 * (3.0 + 5.0 + 100.0))
    assert cost.share == pytest.approx(24 / 1296)


def test_the_same_configuration_is_not_trained_again(facts):
    cell, other = of(facts, "12k-h1"), of(facts, "12k-h3")
    twin = dataclasses.replace(other, winner=cell.winner)
    cost = transfer_cost([cell, twin], seeds=3)
    assert (cost.pairs, cost.seconds) == (0, 0.0)


def test_without_the_seconds_of_a_winner_the_cost_is_not_known(facts):
    one, other = with_seconds(of(facts, "12k-h1"), 3.0), with_seconds(of(facts, "12k-h3"), 5.0, learning_rate=0.002)
    untimed = dataclasses.replace(other, retraining=dataclasses.replace(other.retraining, seconds=None))
    cost = transfer_cost([one, untimed], seeds=3)
    assert (cost.trainings, cost.seconds, cost.share) == (6, None, None)


def test_of_no_winner_nothing_is_to_be_trained(facts):
    assert transfer_cost([], seeds=3).trainings == 0
