from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tsladder.law.curve.power_law import fit_power
from tsladder.law.evidence.region import joint_region

SIZES = np.array([12e3, 50e3, 200e3, 750e3, 2e6])
LOSS = np.array([0.41, 0.39, 0.40, 0.37, 0.365])


def test_every_corner_fits_worse_by_exactly_what_an_f_test_allows() -> None:
    fit = fit_power(SIZES, LOSS)
    region = joint_region(fit)
    assert {len(getattr(region, key)) for key in ("alpha", "C", "loss_at_reference")} == {64}
    least = np.sum(np.square(fit.residuals))
    allowed = least * (1 + 2 / 3 * stats.f.ppf(0.95, 2, 3))
    for alpha, coefficient in zip(region.alpha, region.C, strict=True):
        sse = np.sum((np.log(LOSS) - np.log(coefficient * SIZES**-alpha)) ** 2)
        assert sse == pytest.approx(allowed, rel=1e-9)
    at_reference = np.array(region.C) * fit.reference_n ** -np.array(region.alpha)
    np.testing.assert_allclose(region.loss_at_reference, at_reference)


def test_the_region_is_wider_than_the_interval_of_alpha_alone() -> None:
    fit = fit_power(SIZES, LOSS)
    alpha = joint_region(fit).alpha
    assert min(alpha) < fit.alpha_ci[0] < fit.alpha_ci[1] < max(alpha)


def test_a_coefficient_beyond_all_numbers_is_none() -> None:
    region = joint_region(fit_power([1e100, 1e200, 1e300], [1e-100, 1e-290, 1e-120]))
    assert None in region.C
