import numpy as np
import pytest

from tsladder.evaluation.bootstrap import block_length, dependent_variance, mean_interval, shared_block_length


def autoregressive(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    x = np.empty(n + 100)
    x[0] = 0.0
    for day, shock in enumerate(rng.normal(size=n + 99), start=1):
        x[day] = phi * x[day - 1] + shock
    return x[100:]


def interval(values, *, draws=400, seed=0):
    return mean_interval(np.asarray(values, dtype=float), draws=draws, confidence=0.95, seed=seed)


def test_independent_days_give_the_textbook_standard_error():
    x = np.random.default_rng(1).normal(size=2000)
    found = interval(x, draws=1000)
    assert found.value == pytest.approx(x.mean())
    assert found.se == pytest.approx(x.std() / np.sqrt(x.size), rel=0.15)
    assert found.effective_n == pytest.approx(2000, rel=0.3)
    assert found.low < found.value < found.high


def test_dependent_days_count_for_fewer():
    # AR(1) with phi has n (1 - phi) / (1 + phi) effective days: 2000 / 9 here.
    x = autoregressive(np.random.default_rng(2), 2000, 0.8)
    found = interval(x, draws=1000)
    assert 100 < found.effective_n < 450


@pytest.mark.parametrize(
    ("phi", "block"), [(0.5, 12), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((0.0, 2), (0.7, 16)))]
)
def test_the_variance_of_a_mean_is_on_average_right_or_a_little_too_large(phi, block):
    """The oracle is the closed form for AR(1): 1 / (1 - phi)^2 / n. The plain bootstrap loses a quarter to a third.

    Too large, because the correction is never taken to be negative; with few draws their own noise adds to that.
    """
    rng, n = np.random.default_rng(6), 200
    found = []
    for number in range(250):
        x = autoregressive(rng, n, phi)
        variance_K, dof = dependent_variance(
            lambda weights_DN, x=x: (weights_DN @ x)[:, None] / n, days=n, block=block, draws=100, seed=number
        )
        found.append(variance_K[0])
        assert dof < n / block
    assert 0.93 <= np.mean(found) * n * (1.0 - phi) ** 2 <= 1.2


def test_the_block_length_grows_with_dependence_and_leaves_three_blocks():
    rng = np.random.default_rng(7)
    lengths = [block_length(autoregressive(rng, 2000, phi)) for phi in (0.0, 0.5, 0.9)]
    assert lengths == sorted(set(lengths))
    assert block_length(np.arange(30.0)) <= 10


def test_the_block_of_all_models_of_the_same_days_knows_the_labels_alone_and_has_a_least_length():
    rng = np.random.default_rng(8)
    independent = (rng.random(900) < 0.2).astype(float)
    assert block_length(independent) < 15 == shared_block_length(independent)
    waves = autoregressive(rng, 900, 0.9)
    assert shared_block_length(waves) == block_length(waves) > 15
    assert shared_block_length(3.0 * waves + 2.0) == shared_block_length(waves)
    assert [shared_block_length(np.ones(n)) for n in (1, 2, 5, 30)] == [1, 1, 1, 4]


def test_a_given_block_replaces_the_series_own():
    x = autoregressive(np.random.default_rng(9), 500, 0.3)
    own, same = interval(x), mean_interval(x, draws=400, confidence=0.95, seed=0, block=block_length(x))
    assert own == same
    assert mean_interval(x, draws=400, confidence=0.95, seed=0, block=40).dof < own.dof / 2


def test_intervals_cover_the_true_mean_of_dependent_days_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    series = [autoregressive(rng, 500, 0.6) for _ in range(100)]
    found = [interval(x, draws=200, seed=k) for k, x in enumerate(series)]
    covered = np.mean([i.low <= 0.0 <= i.high for i in found])
    assert 0.87 <= covered <= 0.99


def test_the_paired_difference_is_far_sharper_than_either_loss():
    rng = np.random.default_rng(4)
    common = np.abs(autoregressive(rng, 900, 0.9))
    a, b = common + 0.01 * rng.normal(size=900), common + 0.02 + 0.01 * rng.normal(size=900)
    difference = interval(b - a)
    assert difference.low > 0.0
    assert difference.se < interval(a).se / 20


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    x = np.random.default_rng(5).normal(size=200)
    assert interval(x, seed=7) == interval(x, seed=7)
    assert interval(x, seed=7) != interval(x, seed=8)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 50])
def test_a_constant_series_has_no_error_and_no_effective_size(n):
    found = interval(np.full(n, 0.3))
    assert (found.low, found.high, found.se, found.effective_n) == (found.value, found.value, 0.0, None)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 12])
def test_very_short_series_still_give_an_ordered_interval(n):
    x = np.random.default_rng(n).normal(size=n)
    found = interval(x)
    assert found.low <= found.value <= found.high
    assert found.effective_n <= n


def test_one_odd_day_among_equal_ones_is_handled():
    found = interval(np.r_[np.ones(60), 2.0])
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0, 2.0]]], ids=["empty", "nan", "two axes"])
def test_a_series_without_a_mean_is_refused(values):
    with pytest.raises(ValueError, match="interval needs"):
        interval(values)
