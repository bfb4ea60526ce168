"""Forecast returns: metrics by hand and by other libraries, intervals by plain resampling, baselines, scores."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import pearsonr, spearmanr
from tests.building import windows

from tsladder.evaluation.baselines import BASE_RATE, GRADIENT_BOOSTED_TREES, OWN_RATE, PERSISTENCE, Forecast
from tsladder.evaluation.predictions import read_predictions
from tsladder.evaluation.region import RegionForecasts
from tsladder.evaluation.regression_baselines import LAST_DAY_RATIO_RIDGE, ZERO_RETURN, return_baselines
from tsladder.evaluation.regression_intervals import _Resampled, return_intervals
from tsladder.evaluation.regression_metrics import TrainingReturns, midranks, per_day_huber, scale_of, score_returns
from tsladder.evaluation.regression_scores import score_return_region
from tsladder.params import EvaluationParams
from tsladder.tasks import load
from tsladder.tasks.parts.return_losses import label_sd
from tsladder.vocabulary import HUBER, Region

PARAMS = EvaluationParams(bootstrap_draws=200, confidence=0.95)
DAYS = 250
RNG = np.random.default_rng(3)
Y = np.round(RNG.standard_t(4, DAYS) * 0.01, 3)
"""Rounded, so that some returns are equal and some are 0."""

DATES = np.datetime64("2015-01-01") + np.arange(DAYS).astype("timedelta64[D]")
TRAINING = TrainingReturns.of(RNG.normal(0.0004, 0.012, 600))


def forecasts(skill: float, seeds: int = 3) -> dict[int, np.ndarray]:
    """Seed -> a forecast that knows a share `skill` of the return."""
    rng = np.random.default_rng(5)
    return {k: skill * Y + (1.0 - skill) * rng.normal(0.0004, 0.002, DAYS) for k in range(seeds)}


def constants(y_N: np.ndarray = Y) -> list[Forecast]:
    return [
        Forecast(name=BASE_RATE, p_N=np.full(len(y_N), TRAINING.mean)),
        Forecast(name=OWN_RATE, p_N=np.full(len(y_N), y_N.mean())),
    ]


def scored(by_seed: dict[int, np.ndarray], extra: tuple[Forecast, ...] = ()):
    made = RegionForecasts(
        y_N=Y, dates_N=DATES, fingerprint="w", by_seed=by_seed, baselines=[*constants(), *extra], seed=1
    )
    return score_return_region(made, training=TRAINING, params=PARAMS)


def test_the_huber_loss_is_half_the_square_within_one_standard_deviation_and_a_line_beyond() -> None:
    # Errors of 0.5, 1, 2 and -3 scales: 0.125, 0.5, 1.5 and 2.5.
    loss = per_day_huber(np.array([0.01, 0.02, 0.04, -0.06]), np.zeros(4), 0.02)
    np.testing.assert_allclose(loss, [0.125, 0.5, 1.5, 2.5])


def test_the_unit_of_the_loss_is_the_one_that_training_uses() -> None:
    y = RNG.normal(0.0, 0.01, 100).astype(np.float32)
    assert scale_of(y) == label_sd(y) == TrainingReturns.of(y).scale


def test_metrics_agree_with_their_definitions() -> None:
    forecast = forecasts(0.3)[0]
    found = score_returns(Y, forecast, TRAINING)
    assert found.ic == pytest.approx(spearmanr(Y, forecast).statistic)
    assert found.pearson == pytest.approx(pearsonr(Y, forecast).statistic)
    assert found.rmse == pytest.approx(np.sqrt(np.mean((Y - forecast) ** 2)))
    assert found.r2 == pytest.approx(1 - np.sum((Y - forecast) ** 2) / np.sum((Y - TRAINING.mean) ** 2))
    assert (Y == 0.0).any()
    moved = Y != 0.0
    assert found.sign_hit_rate == pytest.approx(np.mean((Y[moved] > 0) == (forecast[moved] > 0)))


def test_the_training_mean_has_an_r2_of_zero_and_no_correlation() -> None:
    found = score_returns(Y, np.full(DAYS, TRAINING.mean), TRAINING)
    assert found.r2 == pytest.approx(0.0)
    assert found.ic is None
    assert found.pearson is None


def test_a_forecast_of_zero_has_no_sign() -> None:
    assert score_returns(Y, np.zeros(DAYS), TRAINING).sign_hit_rate is None


@pytest.mark.parametrize(
    ("y", "forecast"), [([0.1, 0.2], [0.1]), ([], []), ([np.nan], [0.0]), ([0.1], [np.inf]), ([[0.1]], [[0.1]])]
)
def test_returns_that_cannot_be_scored_are_refused(y: list[float], forecast: list[float]) -> None:
    with pytest.raises(ValueError, match="returns and forecasts"):
        score_returns(np.array(y), np.array(forecast), TRAINING)


def test_labels_that_never_vary_have_no_unit() -> None:
    with pytest.raises(ValueError, match="standard deviation"):
        TrainingReturns.of(np.zeros(9))


def test_a_weighted_draw_has_the_figures_of_the_days_it_repeats() -> None:
    """The resampled metrics against the plain ones on the days written out as often as each is drawn."""
    forecast = np.round(forecasts(0.3)[0], 3)
    rng = np.random.default_rng(0)
    index_DN = rng.integers(0, DAYS, (6, DAYS))
    weights_DN = np.stack([np.bincount(index_N, minlength=DAYS) for index_N in index_DN]).astype(float)
    found_DK = _Resampled.of(Y, forecast, TRAINING.mean).figures(weights_DN)
    for index_N, row_K in zip(index_DN, found_DK, strict=True):
        plain = score_returns(Y[index_N], forecast[index_N], TRAINING)
        expected = [plain.ic, plain.pearson, plain.r2, plain.sign_hit_rate, plain.rmse]
        np.testing.assert_allclose(row_K, expected, rtol=1e-9)


def test_every_metric_has_an_interval_around_its_mean_over_seeds() -> None:
    by_seed = forecasts(0.3)
    found = return_intervals(Y, by_seed, TRAINING, params=PARAMS, seed=1)
    scores = [score_returns(Y, forecast_N, TRAINING) for forecast_N in by_seed.values()]
    for name in ("huber", "ic", "pearson", "r2", "sign_hit_rate", "rmse"):
        interval = found[name]
        assert interval is not None
        assert interval.value == pytest.approx(np.mean([getattr(one, name) for one in scores]))
        assert interval.low < interval.value < interval.high
    assert found == return_intervals(Y, by_seed, TRAINING, params=PARAMS, seed=1)


def test_the_interval_of_the_ic_of_independent_days_is_about_that_of_fisher() -> None:
    by_seed = {0: forecasts(0.3)[0]}
    found = return_intervals(
        Y, by_seed, TRAINING, params=EvaluationParams(bootstrap_draws=800, confidence=0.95), seed=0
    )
    interval = found["ic"]
    assert interval is not None
    # Standard error of Spearman's correlation, after Bonett and Wright (2000).
    expected = (1 - interval.value**2) * np.sqrt((1 + interval.value**2 / 2) / (DAYS - 3))
    assert interval.se == pytest.approx(expected, rel=0.35)


def test_a_metric_that_is_undefined_has_no_interval() -> None:
    found = return_intervals(Y, {0: np.zeros(DAYS)}, TRAINING, params=PARAMS, seed=1)
    assert found["ic"] is None
    assert found["sign_hit_rate"] is None
    assert found["huber"] is not None


def test_skill_is_claimed_against_the_stricter_constant() -> None:
    found = scored(forecasts(0.4))
    losses = [per_day_huber(Y, np.full(DAYS, mean), TRAINING.scale).mean() for mean in (TRAINING.mean, Y.mean())]
    assert [found.base_rate_loss, found.own_rate_loss] == pytest.approx(losses)
    assert found.stricter == (BASE_RATE, OWN_RATE)[int(np.argmin(losses))]
    assert found.skill == pytest.approx(1 - found.mean.huber / min(losses))
    assert found.advantage.low > 0.0
    assert not found.constant_predictor
    assert found.positives == (Y > 0).sum()
    assert found.loss_se == pytest.approx(np.std([s.huber for s in found.seeds.values()], ddof=1) / np.sqrt(3))


def test_a_model_that_repeats_the_training_mean_is_named_a_constant_predictor() -> None:
    found = scored({0: np.full(DAYS, TRAINING.mean), 1: np.full(DAYS, TRAINING.mean)})
    assert found.constant_predictor
    assert found.skill is not None
    assert found.skill <= 0.0


def test_a_baseline_that_knows_more_is_named_as_beating_the_model() -> None:
    oracle = Forecast(name="oracle", p_N=0.9 * Y)
    assert scored(forecasts(0.1), (oracle,)).beaten_by == ("oracle",)


def test_the_scores_are_plain_json_that_repeats() -> None:
    text = json.dumps(scored(forecasts(0.2)).to_json(), sort_keys=True, allow_nan=False)
    assert text == json.dumps(scored(forecasts(0.2)).to_json(), sort_keys=True, allow_nan=False)


def returns_of(seed: int, slope: float):
    """Windows whose return follows the last day's first feature by `slope` of its size."""
    made = windows(400, seed=seed)
    x_NF = made.last_day()
    y_N = (0.01 * (slope * x_NF[:, 0] + np.random.default_rng(seed + 9).normal(size=400))).astype(np.float32)
    return dataclasses.replace(made, y_N=y_N), x_NF


def test_baselines_of_a_return_learn_from_training_alone() -> None:
    train, ratio_train = returns_of(1, 1.0)
    other, ratio_other = returns_of(2, 1.0)
    y_T = np.full(500, np.nan)
    y_T[other.ends_N] = other.y_N
    found = {
        forecast.name: forecast.p_N
        for forecast in return_baselines(train, other, ratio_train, ratio_other, y_T=y_T, horizon=3)
    }
    assert set(found) == {
        BASE_RATE, OWN_RATE, ZERO_RETURN, PERSISTENCE, LAST_DAY_RATIO_RIDGE, GRADIENT_BOOSTED_TREES,
    }  # fmt: skip
    training = TrainingReturns.of(train.y_N)
    ridge, trees = (
        score_returns(other.y_N, found[name], training) for name in (LAST_DAY_RATIO_RIDGE, GRADIENT_BOOSTED_TREES)
    )
    # Half of the variance of 1 + 1 is known.
    assert ridge.r2 == pytest.approx(0.5, abs=0.1)
    assert trees.r2 is not None
    assert trees.r2 > 0.3
    np.testing.assert_allclose(found[BASE_RATE], train.y_N.astype(float).mean())
    np.testing.assert_allclose(found[OWN_RATE], other.y_N.astype(float).mean())
    assert not found[ZERO_RETURN].any()


def test_persistence_repeats_the_newest_return_whose_horizon_has_passed() -> None:
    train, ratio_train = returns_of(1, 0.0)
    y_T = np.arange(500.0)
    made = return_baselines(train, train, ratio_train, ratio_train, y_T=y_T, horizon=3)
    found = next(forecast.p_N for forecast in made if forecast.name == PERSISTENCE)
    np.testing.assert_array_equal(found, train.ends_N - 3)


def test_a_return_that_is_not_known_yet_leaves_persistence_the_training_mean() -> None:
    train, ratio_train = returns_of(1, 0.0)
    made = return_baselines(train, train, ratio_train, ratio_train, y_T=np.full(500, np.nan), horizon=3)
    found = next(forecast.p_N for forecast in made if forecast.name == PERSISTENCE)
    np.testing.assert_allclose(found, train.y_N.astype(float).mean())


def test_the_ridge_minimises_its_penalised_squared_error() -> None:
    """One column: the slope by a plain search over the penalised sum."""
    rng = np.random.default_rng(4)
    train, _ = returns_of(1, 0.0)
    x = rng.normal(3.0, 2.0, 400)
    y = train.y_N.astype(float) + 0.004 * x
    moved = dataclasses.replace(train, y_N=y.astype(np.float32))
    made = return_baselines(moved, moved, x[:, None], x[:, None], y_T=np.full(500, np.nan), horizon=1)
    found = next(forecast.p_N for forecast in made if forecast.name == LAST_DAY_RATIO_RIDGE)
    z, target = (x - x.mean()) / x.std(), moved.y_N.astype(float)
    best = minimize_scalar(lambda b: np.sum((target - target.mean() - b * z) ** 2) + 10.0 * b**2, tol=1e-14)
    np.testing.assert_allclose(found, target.mean() + best.x * z, atol=1e-7)


@pytest.mark.parametrize("task", ["regression", "direction"])
def test_a_task_scores_its_regions_and_writes_tables_that_are_read_back(task, tmp_path: Path) -> None:
    returns = task == "regression"
    rng = np.random.default_rng(0)
    train_y = rng.normal(0.0, 0.01, 300)
    y_N = Y if returns else (Y > 0).astype(float)
    train_y = train_y if returns else (train_y > 0).astype(float)
    kind = load(task).scoring(train_y)
    made = RegionForecasts(
        y_N=y_N,
        dates_N=DATES,
        fingerprint="w",
        by_seed={1: rng.random(DAYS) * (0.01 if returns else 1.0)},
        baselines=[Forecast(name=BASE_RATE, p_N=np.full(DAYS, 0.0005 if returns else 0.5))],
        seed=3,
    )
    found = kind.score(made, PARAMS, kind.choose(made))
    path = tmp_path / "predictions.parquet"
    kind.frame(Region.TEST, made).to_parquet(path)
    read = read_predictions(path, "test", days=DAYS)
    assert read.metric == kind.metric == load(task).metric
    assert read.trained("a").loss_N.mean() == pytest.approx(getattr(found.mean, kind.metric))
    np.testing.assert_array_equal(read.y_N, y_N)
    for name in kind.logged_metrics:
        assert name in found.to_json()["mean"]
    assert (load(task).output_scale(train_y) is not None) == returns


def test_the_constant_of_training_has_the_loss_that_the_scores_give_it() -> None:
    train_y = np.random.default_rng(0).normal(0.0003, 0.01, 500)
    own = TrainingReturns.of(train_y)
    task = load("regression")
    expected = score_returns(Y, np.full(DAYS, own.mean), own).huber
    assert task.constant_loss(train_y, Y) == pytest.approx(expected)
    assert task.metric == HUBER


def test_equal_values_share_their_mean_rank() -> None:
    np.testing.assert_array_equal(midranks(np.array([3.0, 1.0, 3.0, 2.0])), [3.5, 1.0, 3.5, 2.0])
