"""Which form the points support: what was planted is found, and no form is claimed that the points do not show."""

from __future__ import annotations

import numpy as np
import pytest

from tsladder.law.curve.floor import fit_floor
from tsladder.law.curve.forms import Form, Support, aicc_of, aicc_of_forms, support_of_rungs
from tsladder.law.curve.overfit import fit_overfit
from tsladder.law.curve.power_law import fit_constant, fit_power

SIZES = np.geomspace(1e5, 1e9, 9)


def support(loss: np.ndarray, sizes: np.ndarray = SIZES) -> Support:
    floor = fit_floor(sizes, loss)
    return support_of_rungs(
        fit_power(sizes, loss),
        floor,
        fit_overfit(sizes, loss, floor_sse=floor.sse),
        n_sizes=len(sizes),
        alpha_of_interest=0.015,
    )


def noise(scale: float, seed: int = 0, rungs: int = 9) -> np.ndarray:
    return np.exp(scale * np.random.default_rng(seed).normal(size=rungs))


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        (0.37 * noise(0.02), Form.CONSTANT),
        (0.4 * SIZES**-0.03 * noise(0.01), Form.POWER),
        (0.4 * SIZES**0.03 * noise(0.01), Form.POWER),
        (3 * SIZES**-0.1, Form.POWER),
        ((0.3 + 2 * SIZES**-0.2) * noise(0.001), Form.FLOOR),
        (0.4 * np.exp(0.004 * np.log(SIZES / 1e7) ** 2) * noise(0.003), Form.TURN),
        (0.4 * noise(0.2), Form.UNKNOWN),
    ],
    ids=["flat", "power", "rising power", "exact power", "floor", "turn", "noise"],
)
def test_the_planted_form_is_supported(loss: np.ndarray, form: Form) -> None:
    assert support(loss).form is form


@pytest.mark.parametrize("rungs", [0, 1, 2])
def test_fewer_than_three_sizes_support_nothing(rungs: int) -> None:
    found = support((0.4 * SIZES**-0.02)[:rungs], SIZES[:rungs])
    assert found.form is Form.UNKNOWN
    assert "fewer than three sizes" in found.why


@pytest.mark.parametrize("rungs", [5, 6, pytest.param(8, marks=pytest.mark.slow)])
def test_the_form_never_contradicts_the_interval_of_the_exponent(rungs: int) -> None:
    """With AICc a constant was chosen beside most of the exponents that exclude 0 at a noise of 1 %."""
    rng, sizes, seen = np.random.default_rng(rungs), np.geomspace(1e4, 1e7, rungs), set()
    for _ in range(30):
        found = support(0.4 * sizes ** -rng.uniform(0.0, 0.02) * np.exp(0.01 * rng.normal(size=rungs)), sizes)
        assert found.power is not None
        low, high = found.power.alpha_ci
        seen.add(found.form)
        if found.form is Form.CONSTANT:
            assert -0.015 < low < 0.0 < high < 0.015
        if low > 0.0 or high < 0.0:
            assert found.form in (Form.POWER, Form.FLOOR, Form.TURN)
    assert {Form.CONSTANT, Form.POWER} <= seen


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
    found = aicc_of_forms(fit_constant(loss), support(loss))
    known = [found[form] for form in ("constant", "power", "overfit")]
    assert np.diff(np.array(known, dtype=float)) == pytest.approx(np.diff(aicc), abs=1e-6)


def test_below_seven_rungs_there_is_no_aicc() -> None:
    sizes = SIZES[:6]
    loss = 0.4 * sizes**-0.02 * noise(0.001, rungs=6)
    assert set(aicc_of_forms(fit_constant(loss), support(loss, sizes)).values()) == {None}
    assert aicc_of(0.1, 5, 4) is None
    assert aicc_of(0.1, 6, 4) is not None
