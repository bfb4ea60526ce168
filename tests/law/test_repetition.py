"""What a repeated study would find: calibrated over studies whose truth is drawn, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from tsladder.artifacts.law_fits import PowerLaw
from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.repetition import repeated_verdicts

SIZES = np.array([12e3, 50e3, 200e3, 750e3, 2e6])
INTEREST = 0.015


def named(fit: PowerLaw) -> str:
    low, high = fit.alpha_ci
    if low > 0.0 or high < 0.0:
        return "scales" if low > 0.0 else "worse_with_size"
    return "flat" if low > -INTEREST and high < INTEREST else "underpowered"


def study(rng: np.random.Generator, alpha: float, noise: float) -> PowerLaw:
    fit = fit_power(SIZES, 0.4 * SIZES**-alpha * np.exp(noise * rng.normal(size=SIZES.size)))
    assert fit is not None
    return fit


@pytest.mark.parametrize("verdict", ["scales", pytest.param("flat", marks=pytest.mark.slow)])
def test_the_share_that_is_predicted_after_a_verdict_is_the_share_that_happens(verdict: str) -> None:
    """Truths are drawn, exponents evenly and noises evenly in their logs; each study is repeated with its own truth."""
    rng, predicted, happened = np.random.default_rng(3), [], []
    while len(predicted) < 80:
        alpha, noise = rng.uniform(-0.04, 0.04), np.exp(rng.uniform(np.log(0.002), np.log(0.03)))
        first = study(rng, alpha, noise)
        if named(first) == verdict:
            predicted.append(repeated_verdicts(first, first.residual_sd, INTEREST)[verdict])
            happened.append(np.mean([named(study(rng, alpha, noise)) == verdict for _ in range(12)]))
    assert np.mean(predicted) == pytest.approx(np.mean(happened), abs=0.07)


def test_the_shares_add_up_and_the_same_fit_has_the_same() -> None:
    fit = study(np.random.default_rng(0), 0.01, 0.01)
    shares = repeated_verdicts(fit, 0.01, INTEREST)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert repeated_verdicts(fit, 0.01, INTEREST) == shares


def test_days_that_hide_an_exponent_leave_a_repetition_underpowered() -> None:
    losses = 0.4 * SIZES**-0.02
    alone = repeated_verdicts(fit_power(SIZES, losses), 0.001, INTEREST)
    hidden = repeated_verdicts(fit_power(SIZES, losses, days=(0.02**2, 50.0)), 0.001, INTEREST)
    assert alone["scales"] > 0.99
    assert hidden["underpowered"] > 0.99
