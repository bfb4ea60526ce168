"""Trainings that are compared: their epochs, warm-up and phases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.days import panel_recipe, phase

from tsladder.artifacts.choice import Choice
from tsladder.cells.pretraining import verdict_of
from tsladder.cells.pretraining_jobs import for_epochs, phases_for_epochs, starts_of


def choice(epochs: int, warmup_steps: int = 30) -> Choice:
    return Choice(
        cell="12k-h1",
        budget="12k",
        horizon=1,
        architecture={"d_model": 8},
        settings={"learning_rate": 1e-3, "epochs": epochs, "warmup_steps": warmup_steps},
        n_params=12_000,
        n_params_blocks=9_000,
        n_params_body=10_000,
        off_budget=False,
    )


def named(epochs: int) -> list[str]:
    return [start.name for start in starts_of(choice(epochs), panel_recipe())]


def test_the_seeds_of_the_cell_come_first_then_the_encoder_then_both_at_two_thirds_of_the_epochs() -> None:
    assert named(75) == [
        "from-scratch-75-epochs",
        "from-encoder-75-epochs",
        "from-scratch-50-epochs",
        "from-encoder-50-epochs",
    ]


def test_a_winner_of_one_epoch_is_compared_at_that_alone() -> None:
    assert named(1) == ["from-scratch-1-epochs", "from-encoder-1-epochs"]
    assert [start.words for start in starts_of(choice(1), panel_recipe())] == [
        "from scratch for 1 epoch",
        "from the encoder for 1 epoch",
    ]


def test_no_phase_is_left_without_an_epoch() -> None:
    recipe = panel_recipe((phase("a", 1), phase("b", 1), phase("c", 1)))
    assert len(starts_of(choice(3), recipe)) == 2


@given(epochs=st.integers(1, 100), whole=st.integers(1, 100), warmup=st.integers(0, 500))
def test_the_warm_up_keeps_its_share_of_the_training(epochs: int, whole: int, warmup: int) -> None:
    found = for_epochs({"learning_rate": 1e-3, "epochs": whole, "warmup_steps": warmup}, epochs)
    assert found["epochs"] == epochs
    assert found["learning_rate"] == 1e-3
    assert (found["warmup_steps"] > 0) == (warmup > 0)
    if warmup > 0:
        assert abs(found["warmup_steps"] - max(1.0, warmup * epochs / whole)) <= 0.5
    assert for_epochs(found, epochs) == found


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=5), epochs=st.integers(1, 60))
def test_phases_keep_their_order_and_nearly_their_shares(lengths: list[int], epochs: int) -> None:
    phases = tuple(phase(str(number), length) for number, length in enumerate(lengths))
    if epochs < len(lengths):
        with pytest.raises(ValueError, match="need as many epochs"):
            phases_for_epochs(phases, epochs)
        return
    found = phases_for_epochs(phases, epochs)
    assert [one.name for one in found] == [one.name for one in phases]
    assert sum(one.epochs for one in found) == epochs
    assert min(one.epochs for one in found) >= 1
    # A share below one epoch is raised to it, and the others make room for that.
    raised = sum(max(0.0, 1.0 - length * epochs / sum(lengths)) for length in lengths)
    for one, length in zip(found, lengths, strict=True):
        assert abs(one.epochs - max(1.0, length * epochs / sum(lengths))) <= 1.0 + raised


def test_all_epochs_leave_the_phases_as_they_are() -> None:
    phases = (phase("a", 5), phase("b", 10), phase("c", 8), phase("d", 6))
    assert phases_for_epochs(phases, 29) == phases
    assert [one.epochs for one in phases_for_epochs(phases, 19)] == [3, 7, 5, 4]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "helps"), (-0.2, -0.1, "harms"), (-0.1, 0.2, "undecided"), (0.0, 0.1, "undecided")],
)
def test_the_verdict_is_that_of_the_interval(low: float, high: float, verdict: str) -> None:
    assert verdict_of(low, high) == verdict
