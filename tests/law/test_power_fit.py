import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tsladder.law.detection import detectable_alpha, minimum_detectable_alpha
from tsladder.law.fit import PowerFit, fit_constant, fit_power
from tsladder.law.left_out import leave_one_rung_out

SIZES = np.array([12e3, 50e3, 200e3, 750e3, 2e6])


@settings(max_examples=100, deadline=None)
@given(alpha=st.floats(-0.3, 0.5), log_c=st.floats(-3, 5), rungs=st.integers(3, 9))
def test_n1_a_planted_power_law_without_noise_is_recovered(alpha, log_c, rungs):
    n = np.geomspace(1e4, 2e9, rungs)
    fit = fit_power(n, np.exp(log_c) * n**-alpha)
    assert fit.alpha == pytest.approx(alpha, abs=1e-6)
    np.testing.assert_allclose(fit.C, np.exp(log_c), rtol=1e-6)
    assert fit.alpha_ci[0] <= alpha <= fit.alpha_ci[1]
    assert fit.r2 == pytest.approx(1.0) or abs(alpha) < 1e-6


def test_the_fit_is_the_textbook_regression_with_a_t_interval():
    loss = np.array([0.41, 0.39, 0.40, 0.37, 0.365])
    fit, oracle = fit_power(SIZES, loss, 0.9), stats.linregress(np.log(SIZES), np.log(loss))
    assert fit.alpha == pytest.approx(-oracle.slope)
    assert fit.alpha_se == pytest.approx(oracle.stderr)
    assert fit.r2 == pytest.approx(oracle.rvalue**2)
    half = stats.t.ppf(0.95, 3) * oracle.stderr
    assert fit.alpha_ci == pytest.approx((-oracle.slope - half, -oracle.slope + half))
    np.testing.assert_allclose(fit.C, np.exp(oracle.intercept), rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(order=st.permutations(range(5)), unit=st.floats(1e-9, 1e9))
def test_n8_order_and_unit_of_n_change_nothing(order, unit):
    loss = np.array([0.41, 0.39, 0.40, 0.37, 0.365])
    fit = fit_power(SIZES, loss)
    again = fit_power(SIZES[order], loss[order])
    assert again == fit
    rescaled = fit_power(SIZES[order] * unit, loss[order])
    assert rescaled.alpha == pytest.approx(fit.alpha, abs=1e-9)
    assert rescaled.alpha_ci == pytest.approx(fit.alpha_ci, abs=1e-9)


@pytest.mark.parametrize("sizes", [[], [1e6], [1e6, 1e7], [1e6] * 4, [1e6, 1e6, 1e7, 1e7]])
def test_fewer_than_three_sizes_have_no_exponent(sizes):
    assert fit_power(sizes, [0.3 + 0.01 * k for k in range(len(sizes))]) is None


@pytest.mark.parametrize("bad", [0.0, -0.1, np.nan, np.inf])
def test_a_loss_without_a_logarithm_is_refused(bad):
    with pytest.raises(ValueError, match="positive numbers"):
        fit_power(SIZES, [0.4, 0.4, bad, 0.4, 0.4])


def test_equal_losses_give_an_exponent_of_zero_inside_its_interval():
    fit = fit_power(SIZES, np.full(5, 0.37))
    assert fit.alpha == pytest.approx(0.0, abs=1e-12)
    assert fit.alpha_ci[0] < 0.0 < fit.alpha_ci[1]
    assert fit.r2 == 0.0


def test_the_interval_of_a_new_rung_matches_prediction_by_regression():
    loss = np.array([0.41, 0.39, 0.40, 0.37, 0.365])
    fit = fit_power(SIZES, loss)
    x, y = np.log(SIZES), np.log(loss)
    design = np.c_[np.ones(5), x]
    new = np.array([1.0, np.log(2e7)])
    variance = fit.residual_sd**2 * (1 + new @ np.linalg.inv(design.T @ design) @ new)
    expected = new @ np.linalg.lstsq(design, y)[0] + np.array([-1, 1]) * stats.t.ppf(0.975, 3) * np.sqrt(variance)
    np.testing.assert_allclose(fit.interval_at(2e7, new_rung=True), np.exp(expected), rtol=1e-9)
    line_low, line_high = fit.interval_at(fit.reference_n)
    assert (line_low, line_high) == pytest.approx(fit.loss_at_reference_ci)


def test_a_fit_survives_the_trip_through_json():
    fit = fit_power(SIZES, [0.41, 0.39, 0.40, 0.37, 0.365])
    assert PowerFit.from_json(json.loads(json.dumps(fit.to_json()))) == fit


def test_the_constant_is_the_geometric_mean():
    fit = fit_constant([0.2, 0.4, 0.8])
    assert fit.loss == pytest.approx(0.4)
    assert fit.residual_sd == pytest.approx(np.log(2))
    assert fit_constant([0.3]).residual_sd is None


def test_each_rung_of_an_exact_law_is_predicted_by_the_others():
    left_out = leave_one_rung_out(SIZES[::-1], 3 * SIZES[::-1] ** -0.1)
    assert [left.n_params for left in left_out] == SIZES.tolist()
    np.testing.assert_allclose([left.error for left in left_out], 0.0, atol=1e-12)
    np.testing.assert_allclose([left.alpha_without for left in left_out], 0.1)


def test_the_top_rung_is_predicted_from_the_lower_ones_alone():
    loss = 3 * SIZES**-0.1
    loss[-1] *= 1.25
    top = leave_one_rung_out(SIZES, loss)[-1]
    assert top.error == pytest.approx(1 / 1.25 - 1)
    assert leave_one_rung_out([1e5, 1e6], [0.4, 0.3]) == ()


def test_a_rung_left_out_is_predicted_as_if_it_had_never_been_there():
    loss = np.array([0.41, 0.39, 0.40, 0.37, 0.365])
    for index, left in enumerate(leave_one_rung_out(SIZES, loss)):
        rest = np.arange(5) != index
        slope, level = np.polyfit(np.log(SIZES[rest]), np.log(loss[rest]), 1)
        assert left.predicted == pytest.approx(np.exp(level + slope * np.log(SIZES[index])))
        assert left.error == pytest.approx(left.predicted / loss[index] - 1)
        assert left.alpha_without == pytest.approx(-slope)


DATA = np.array([1e9, 4e9, 2e9, 3e10, 5e9])


def test_where_data_vary_the_exponent_is_that_of_a_regression_on_both():
    loss = np.array([0.41, 0.39, 0.40, 0.37, 0.365])
    fit = fit_power(SIZES, loss, 0.9, DATA)
    x, z = np.log(SIZES), np.log(DATA)
    design = np.column_stack([np.ones(5), x, z])
    root = np.linalg.lstsq(design, np.log(loss))[0]
    residuals = np.log(loss) - design @ root
    covariance = residuals @ residuals / 2 * np.linalg.inv(design.T @ design)
    assert (fit.alpha, fit.beta) == pytest.approx((-root[1], -root[2]))
    assert fit.dof == 2
    half = stats.t.ppf(0.95, 2) * np.sqrt(covariance[1, 1])
    assert fit.alpha_ci == pytest.approx((-root[1] - half, -root[1] + half))
    np.testing.assert_allclose(fit.residuals, residuals, atol=1e-12)
    np.testing.assert_allclose(fit.leverage, np.diag(design @ np.linalg.inv(design.T @ design) @ design.T))
    np.testing.assert_allclose(fit.loss_at(1e6), np.exp(root @ [1, np.log(1e6), z.mean()]))
    for index, left in enumerate(leave_one_rung_out(SIZES, loss, DATA)):
        rest = np.arange(5) != index
        without = np.linalg.lstsq(design[rest], np.log(loss[rest]))[0]
        assert left.alpha_without == pytest.approx(-without[1])
        assert left.predicted == pytest.approx(np.exp(design[index] @ without))


def test_what_data_did_is_not_credited_to_size():
    rng = np.random.default_rng(0)
    n = np.geomspace(1e6, 1e9, 12)
    d = n * np.exp(0.5 * rng.normal(size=12))
    loss = d**-0.1 * np.exp(0.01 * rng.normal(size=12))
    assert fit_power(n, loss).alpha_ci[0] > 0.05
    assert fit_power(n, loss, n_data_R=d).alpha_ci[0] < 0 < fit_power(n, loss, n_data_R=d).alpha_ci[1]


def test_sizes_in_step_with_their_data_have_no_exponent_of_their_own():
    assert fit_power(SIZES, [0.41, 0.39, 0.40, 0.37, 0.365], n_data_R=20 * SIZES) is None
    assert fit_power(SIZES[:3], [0.41, 0.39, 0.40], n_data_R=DATA[:3]) is None


@pytest.mark.parametrize(
    ("sizes", "power"),
    [([12e3, 50e3, 200e3, 750e3], 0.7637), ([12e3, 30e3, 80e3, 200e3], 0.5036), ([12e3, 50e3, 200e3], 0.2131)],
)
def test_the_detectable_exponent_is_found_with_its_power(sizes, power):
    # 2 % noise of each of three seeds; the powers were derived from the noncentral t and agree with simulation.
    assert minimum_detectable_alpha(sizes, 0.02 / np.sqrt(3), power=power) == pytest.approx(0.02, rel=1e-3)


def test_simulated_ladders_find_the_detectable_exponent_four_times_in_five():
    rng, sd = np.random.default_rng(0), 0.01
    alpha = minimum_detectable_alpha(SIZES, sd)
    losses = 0.4 * SIZES**-alpha * np.exp(sd * rng.normal(size=(1500, 5)))
    found = np.mean([fit_power(SIZES, loss).alpha_ci[0] > 0 for loss in losses])
    assert found == pytest.approx(0.8, abs=0.035)


def test_it_is_found_as_often_where_the_noise_is_of_seeds_and_of_rungs():
    """Three seeds of 2 % around rungs that scatter by 1 %: the mean's noise is the root of 1 and 4 / 3 per cent."""
    rng, sd = np.random.default_rng(1), np.sqrt(0.01**2 + 0.02**2 / 3)
    sizes = np.array([750e3, 2e6, 20e6, 200e6, 2e9])
    exact = fit_power(sizes, 0.4 * sizes**-0.01 * np.exp(0.01 * rng.normal(size=5)))
    alpha = detectable_alpha(exact, sd)
    assert alpha == pytest.approx(minimum_detectable_alpha(sizes, sd))
    found = []
    for _ in range(1500):
        law = 0.4 * sizes**-alpha * np.exp(0.01 * rng.normal(size=5))
        seeds = law * np.exp(0.02 * rng.normal(size=(3, 5)))
        found.append(fit_power(sizes, seeds.mean(axis=0)).alpha_ci[0] > 0)
    assert np.mean(found) == pytest.approx(0.8, abs=0.035)


def test_two_rungs_can_detect_nothing():
    assert minimum_detectable_alpha([1e5, 1e6], 0.02) is None
    assert minimum_detectable_alpha([1e5] * 4, 0.02) is None
