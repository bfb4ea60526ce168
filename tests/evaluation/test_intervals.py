"""Intervals of metrics: the weighted metrics beside scikit-learn's, and how often the intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter
from sklearn import metrics as oracle

from tsladder.evaluation.bootstrap import mean_interval, shared_block_length
from tsladder.evaluation.calibration import expected_calibration_error
from tsladder.evaluation.intervals import metric_intervals
from tsladder.evaluation.metrics import score_classifier
from tsladder.evaluation.weighted import SortedForecasts
from tsladder.params import EvaluationParams

PARAMS = EvaluationParams(bootstrap_draws=300, confidence=0.95)
FEW_DRAWS = EvaluationParams(bootstrap_draws=60, confidence=0.95)
METRICS = ["log_loss", "brier", "auc", "average_precision", "ece"]


def autoregressive(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """Unit variance."""
    return lfilter([np.sqrt(1.0 - rho**2)], [1.0, -rho], rng.normal(size=n + 100))[100:]


def days(n: int, rho: float, seed: int, seeds: int = 1) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Labels whose probability comes in waves, and forecasts that know it up to noise."""
    rng = np.random.default_rng(seed)
    logit = -1.5 + 1.2 * autoregressive(rng, n, rho)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-logit))).astype(float)
    return y, {k: 1.0 / (1.0 + np.exp(-logit - 0.5 * rng.normal(size=n))) for k in range(seeds)}


drawn = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12), st.integers(0, 3)), min_size=4, max_size=40)


@settings(max_examples=50, deadline=None)
@given(drawn)
def test_the_ranks_of_weighted_days_equal_scikit_learn_s_with_ties(rows: list[tuple[float, int, int]]) -> None:
    y, p, weight = np.array(rows).T
    p = p / 12
    auc, precision, _ = SortedForecasts.of(y, p).figures(weight[None])[0] if weight.sum() else (np.nan,) * 3
    if weight[y == 1.0].sum() and weight[y == 0.0].sum():
        assert auc == pytest.approx(oracle.roc_auc_score(y, p, sample_weight=weight))
        assert precision == pytest.approx(oracle.average_precision_score(y, p, sample_weight=weight))
    else:
        assert np.isnan(auc)
        assert np.isnan(precision)


def test_a_resample_scores_as_its_days_do_and_every_day_once_as_the_region() -> None:
    y, by_seed = days(400, 0.5, 1)
    ready = SortedForecasts.of(y, by_seed[0])
    index = np.random.default_rng(0).integers(0, 400, 400)
    found = ready.figures(np.stack([np.bincount(index, minlength=400), np.ones(400)]).astype(float))
    again, whole = score_classifier(y[index], by_seed[0][index]), score_classifier(y, by_seed[0])
    assert found[0, :2] == pytest.approx([again.auc, again.average_precision])
    assert found[1] == pytest.approx([whole.auc, whole.average_precision, expected_calibration_error(y, by_seed[0])])


def test_every_metric_has_an_interval_around_its_mean_over_seeds() -> None:
    y, by_seed = days(900, 0.6, 2, seeds=3)
    found = metric_intervals(y, by_seed, params=PARAMS, seed=1)
    assert list(found) == METRICS
    scores = [score_classifier(y, p_N) for p_N in by_seed.values()]
    for name in METRICS[:-1]:
        interval = found[name]
        assert interval is not None
        assert interval.value == pytest.approx(np.mean([getattr(s, name) for s in scores]))
        assert 0.0 <= interval.low < interval.value < interval.high
        assert interval.effective_n is not None
        assert interval.effective_n <= 900
    assert found == metric_intervals(y, by_seed, params=PARAMS, seed=1)


def test_independent_days_give_the_textbook_error_of_an_auc() -> None:
    """Hanley and McNeil's variance (1982) for normal scores, by its definition from the placements."""
    rng = np.random.default_rng(3)
    y = (rng.random(1500) < 0.2).astype(float)
    p = 1.0 / (1.0 + np.exp(-(rng.normal(size=1500) + y)))
    found = metric_intervals(y, {0: p}, params=PARAMS, seed=0)["auc"]
    assert found is not None
    above = (p[y == 1.0][:, None] > p[y == 0.0][None, :]).astype(float)
    delong = above.mean(axis=1).var(ddof=1) / above.shape[0] + above.mean(axis=0).var(ddof=1) / above.shape[1]
    assert found.se == pytest.approx(np.sqrt(delong), rel=0.15)
    assert found.effective_n == pytest.approx(1500, rel=0.3)


def test_dependent_days_make_the_ranks_less_certain_too() -> None:
    y, by_seed = days(300, 0.0, 4)
    repeated = metric_intervals(np.repeat(y, 6), {0: np.repeat(by_seed[0], 6)}, params=PARAMS, seed=0)
    once = metric_intervals(y, by_seed, params=PARAMS, seed=0)
    for name in METRICS:
        six, one = repeated[name], once[name]
        assert six is not None
        assert one is not None
        assert six.se == pytest.approx(one.se, rel=0.35)
        assert six.effective_n is not None
        assert six.effective_n < 600


def test_undefined_metrics_have_no_interval_and_certain_ones_no_width() -> None:
    y, by_seed = days(300, 0.0, 5)
    lonely = metric_intervals(np.zeros(300), by_seed, params=PARAMS, seed=0)
    assert lonely["auc"] is None
    assert lonely["average_precision"] is None
    assert lonely["ece"] is not None
    constant = metric_intervals(y, {0: np.full(300, 0.3)}, params=PARAMS, seed=0)["auc"]
    assert constant is not None
    assert (constant.value, constant.low, constant.high, constant.se) == (0.5, 0.5, 0.5, 0.0)


def rungs(rng: np.random.Generator, n: int, models: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels that come a little more often in some quarters, and forecasts that know it in part. The daily losses
    correlate by .05 to .1 over 40 days, as those of the bundled data do; their mean in the long run is .3705."""
    slow, fast = autoregressive(rng, n, 0.98), 0.7 * autoregressive(rng, n, 0.8)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(2.1 - slow - fast))).astype(float)
    forecasts = [
        1.0 / (1.0 + np.exp(2.1 - 0.75 * rng.uniform(0.9, 1.1) * (slow + fast) - 0.25 * rng.normal(size=n)))
        for _ in range(models)
    ]
    return y, forecasts


def test_models_scored_on_the_same_days_get_intervals_of_about_the_same_width() -> None:
    """With blocks of each model's own loss one in ten such sets holds an interval 1.45 times as wide as another."""
    rng, ratios = np.random.default_rng(11), []
    for _ in range(15):
        y, forecasts = rungs(rng, 926, 4)
        found = [metric_intervals(y, {0: p_N}, params=FEW_DRAWS, seed=1)["log_loss"] for p_N in forecasts]
        assert len({None if one is None else one.dof for one in found}) == 1
        widths = [one.high - one.low for one in found if one is not None]
        ratios.append(max(widths) / min(widths))
    assert max(ratios) < 1.25


def test_slowly_changing_losses_are_covered_far_more_often_than_by_blocks_of_their_own() -> None:
    """Of 2,000 such series .744 held the truth with blocks of each loss's own length, .877 with those of the labels."""
    rng, held, own_held = np.random.default_rng(12), 0, 0
    for _ in range(80):
        y, (p_N,) = rungs(rng, 926, 1)
        loss_N = -np.log(np.where(y == 1.0, p_N, 1.0 - p_N))
        shared, own = (
            mean_interval(loss_N, draws=60, confidence=0.95, seed=1, block=block)
            for block in (shared_block_length(y), None)
        )
        held += shared.low <= 0.3705 <= shared.high
        own_held += own.low <= 0.3705 <= own.high
    assert held / 80 > 0.82
    assert held > own_held


def losses(kind: str, rho: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """900 skewed daily losses and their true mean."""
    z = autoregressive(rng, 900, rho)
    if kind == "label":  # the log loss of a constant .15 on labels that come in runs
        quiet, hit = -np.log(0.85), -np.log(0.15)
        return np.where(z > 1.0364333894937898, hit, quiet), 0.85 * quiet + 0.15 * hit
    return np.exp(0.8 * z), float(np.exp(0.32))  # skewness 3.7


def coverage(kind: str, rho: float, *, series: int, draws: int) -> float:
    rng = np.random.default_rng(17)
    held = 0
    for number in range(series):
        loss_N, truth = losses(kind, rho, rng)
        found = mean_interval(loss_N, draws=draws, confidence=0.95, seed=number)
        held += found.low <= truth <= found.high
    return held / series


def test_the_interval_of_a_mean_holds_it_about_as_often_as_it_says() -> None:
    # Three standard errors of 120 series around .95.
    assert 0.90 <= coverage("label", 0.7, series=120, draws=100) <= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("kind", ["label", "lognormal"])
def test_ninety_five_percent_intervals_of_skewed_dependent_losses_cover_92_to_97(kind: str, rho: float) -> None:
    assert 0.92 <= coverage(kind, rho, series=1000, draws=150) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.3, 0.7])
def test_ninety_five_percent_intervals_of_rank_metrics_cover_92_to_97(rho: float) -> None:
    truth = {"auc": 0.0, "average_precision": 0.0}
    y, by_seed = days(400_000, rho, 99)
    scores = score_classifier(y, by_seed[0])
    truth = {name: getattr(scores, name) for name in truth}
    held = dict.fromkeys(truth, 0)
    for number in range(300):
        y, by_seed = days(900, rho, number)
        found = metric_intervals(y, by_seed, params=EvaluationParams(bootstrap_draws=200, confidence=0.95), seed=number)
        for name, value in truth.items():
            interval = found[name]
            assert interval is not None
            held[name] += interval.low <= value <= interval.high
    for name in truth:
        assert 0.92 <= held[name] / 300 <= 0.97, (name, held[name] / 300)
