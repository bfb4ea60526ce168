from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tsladder.law.choice import ModelChoice, aicc_of, choose_form
from tsladder.law.fit import fit_constant, fit_power
from tsladder.law.floor import fit_floor
from tsladder.law.overfit import fit_overfit

SIZES = np.geomspace(1e5, 1e9, 9)


def choose(loss: np.ndarray, sizes: np.ndarray = SIZES) -> ModelChoice:
    return choose_form(
        len(loss), fit_constant(loss), fit_power(sizes, loss), fit_floor(sizes, loss), fit_overfit(sizes, loss)
    )


def noise(scale: float, seed: int = 0) -> np.ndarray:
    return np.exp(scale * np.random.default_rng(seed).normal(size=9))


def test_aicc_is_that_of_a_regression_with_normal_errors() -> None:
    """From the log likelihood at the least squares; the constant of 2 pi drops out of every difference."""
    loss = 0.4 * SIZES**-0.02 * noise(0.02)
    y, x = np.log(loss), np.log(SIZES)
    aicc = []
    for degree in (0, 1, 2):
        sse = np.sum((y - np.polyval(np.polyfit(x, y, degree), x)) ** 2)
        likelihood = -4.5 * np.log(2 * np.pi * sse / 9) - 4.5
        k = degree + 2
        aicc.append(-2 * likelihood + 2 * k + 2 * k * (k + 1) / (9 - k - 1))
    found = choose(loss).aicc
    differences = [found["power"] - found["constant"], found["overfit"] - found["constant"]]
    assert differences == pytest.approx([aicc[1] - aicc[0], aicc[2] - aicc[0]], abs=1e-6)


def test_four_parameters_on_five_points_have_no_aicc() -> None:
    assert aicc_of(0.1, 5, 4) is None
    assert aicc_of(0.1, 6, 4) is not None
    choice = choose((0.4 * SIZES**-0.02 * noise(0.001))[:5], SIZES[:5])
    assert choice.aicc["power_floor"] is None
    assert choice.aicc["overfit"] is None
    assert choice.preferred == "power"
    assert "not identifiable on 5 rungs" in choice.reason


@pytest.mark.parametrize("rungs", [2, 3, 4])
def test_too_few_rungs_choose_nothing(rungs: int) -> None:
    choice = choose((0.4 * SIZES**-0.02)[:rungs], SIZES[:rungs])
    assert choice.preferred == "not identifiable"
    assert choice.reason.startswith("not identifiable")


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        (0.37 * noise(0.02), "constant"),
        (0.4 * SIZES**-0.03 * noise(0.01), "power"),
        (3 * SIZES**-0.1, "power"),
        ((0.3 + 2 * SIZES**-0.2) * noise(0.001), "power_floor"),
        (0.4 * np.exp(0.004 * np.log(SIZES / 1e7) ** 2) * noise(0.003), "overfit"),
    ],
    ids=["flat", "power", "exact power", "floor", "turn"],
)
def test_the_planted_form_is_chosen(loss: np.ndarray, form: str) -> None:
    choice = choose(loss)
    assert choice.preferred == form
    assert form.replace("_", " ") in choice.reason


def test_a_form_whose_claim_fails_is_not_chosen_for_its_aicc() -> None:
    """The least AICc of all is the parabola's, or the floor's; without a sure turn, or a known floor, it says so."""
    loss = 0.4 * SIZES**-0.02 * noise(0.02)
    power, constant = fit_power(SIZES, loss), fit_constant(loss)
    floor, turn = fit_floor(SIZES, loss), fit_overfit(SIZES, loss)
    tight = {"sse": 1e-9}
    for claimed in (False, True):
        unsure_turn = dataclasses.replace(turn, turns=claimed, **tight)
        choice = choose_form(9, constant, power, floor, unsure_turn)
        assert choice.aicc["overfit"] < choice.aicc["power"]
        assert (choice.preferred == "overfit") == claimed
        assert ("its turn is not certain" in choice.reason) != claimed
        unsure_floor = dataclasses.replace(floor, identified=claimed, **tight)
        choice = choose_form(9, constant, power, unsure_floor, turn)
        assert (choice.preferred == "power_floor") == claimed
        assert ("its floor is not identified" in choice.reason) != claimed
