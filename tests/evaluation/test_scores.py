import json

import numpy as np
import pytest

from tsladder.evaluation.baselines import Forecast
from tsladder.evaluation.calibration import expected_calibration_error, fit_temperature
from tsladder.evaluation.class_scores import score_class_region
from tsladder.evaluation.decision import choose_on_validation
from tsladder.evaluation.metrics import per_day_log_loss, score_classifier
from tsladder.evaluation.predictions import predictions_frame
from tsladder.evaluation.region import RegionForecasts
from tsladder.params import EvaluationParams

PARAMS = EvaluationParams(bootstrap_draws=200, confidence=0.95)
N = 600
RNG = np.random.default_rng(11)
TRUTH = np.clip(0.2 + 0.15 * RNG.normal(size=N), 0.02, 0.9)
Y = (RNG.random(N) < TRUTH).astype(np.float32)
DATES = np.datetime64("2015-01-05") + np.arange(N)
TRAIN_RATE = 0.35
CONSTANTS = (
    Forecast(name="base_rate", p_N=np.full(N, TRAIN_RATE)),
    Forecast(name="own_rate", p_N=np.full(N, float(Y.mean()))),
)


def score(probabilities, forecasts=CONSTANTS, y=Y, seed=0, choices=None):
    made = RegionForecasts(
        y_N=y, dates_N=DATES, fingerprint="f" * 64, by_seed=probabilities, baselines=forecasts, seed=seed
    )
    return score_class_region(made, train_rate=TRAIN_RATE, params=PARAMS, choices=choices)


def test_a_model_that_knows_the_truth_has_skill_against_the_stricter_constant():
    scores = score({0: TRUTH, 1: TRUTH})
    assert scores.stricter == "own_rate"
    assert scores.skill == pytest.approx(1 - scores.mean.log_loss / scores.own_rate_loss)
    assert scores.skill > 0
    assert scores.advantage.low > 0
    assert scores.advantage.value == pytest.approx(scores.own_rate_loss - scores.mean.log_loss)
    assert scores.beaten_by == ()
    assert not scores.constant_predictor
    assert scores.base_rate == pytest.approx(Y.mean())
    assert (scores.first_day, scores.last_day) == ("2015-01-05", str(DATES[-1]))


def test_beating_the_training_rate_but_not_the_own_rate_is_no_skill():
    scores = score({0: np.full(N, float(Y.mean()) + 0.03)})
    assert scores.mean.log_loss < scores.base_rate_loss
    assert scores.skill < 0
    assert scores.advantage.low <= 0


def test_the_loss_is_the_mean_over_seeds_and_never_that_of_an_ensemble():
    noisy = {k: np.clip(TRUTH + 0.1 * np.random.default_rng(k).normal(size=N), 0.01, 0.99) for k in range(3)}
    scores = score(noisy)
    losses = [score_classifier(Y, p).log_loss for p in noisy.values()]
    assert scores.mean.log_loss == pytest.approx(np.mean(losses))
    assert scores.loss_se == pytest.approx(np.std(losses, ddof=1) / np.sqrt(3))
    assert score_classifier(Y, np.mean(list(noisy.values()), axis=0)).log_loss < scores.mean.log_loss


def test_one_seed_has_no_standard_error_rather_than_zero():
    assert score({4: TRUTH}).loss_se is None


def test_baselines_that_beat_the_model_are_named_and_others_are_not():
    worse = np.clip(1 - TRUTH, 0.02, 0.98)
    forecasts = (*CONSTANTS, Forecast(name="oracle", p_N=TRUTH), Forecast(name="worse", p_N=worse))
    scores = score({0: np.full(N, 0.5)}, forecasts)
    assert scores.beaten_by == ("base_rate", "oracle", "own_rate")
    assert set(scores.baselines) == {"base_rate", "own_rate", "oracle", "worse"}


def test_predictions_without_variance_are_named_a_constant_predictor():
    assert score({0: np.full(N, 0.19), 1: np.full(N, 0.22)}).constant_predictor


def test_noise_around_the_training_rate_is_named_a_constant_predictor():
    noise = 0.002 * np.random.default_rng(0).normal(size=N)
    scores = score({0: TRAIN_RATE + noise - noise.mean() - 1e-5})
    assert scores.constant_predictor
    gap = scores.mean.log_loss - scores.base_rate_loss
    standard_error = (scores.skill_against["base_rate"].high - scores.skill_against["base_rate"].low) / 3.8
    assert abs(gap) <= standard_error * scores.base_rate_loss


def test_a_model_far_worse_than_the_training_rate_is_no_constant_predictor():
    assert not score({0: np.clip(1 - TRUTH, 0.02, 0.98)}).constant_predictor


def test_one_seed_that_varies_is_enough_for_a_model_to_be_no_constant():
    assert not score({0: np.full(N, 0.19), 1: TRUTH}).constant_predictor


def test_skill_against_every_constant_and_baseline_is_one_less_the_ratio_of_losses():
    forecasts = (*CONSTANTS, Forecast(name="oracle", p_N=TRUTH))
    blurred = np.clip(TRUTH + 0.05 * np.random.default_rng(0).normal(size=N), 0.02, 0.98)
    scores = score({0: blurred, 1: TRUTH}, forecasts)
    assert set(scores.skill_against) == {"base_rate", "own_rate", "oracle"}
    for name, skill in scores.skill_against.items():
        assert skill.skill == pytest.approx(1 - scores.mean.log_loss / scores.baselines[name].log_loss)
        assert skill.low < skill.skill < skill.high
    assert scores.skill == pytest.approx(scores.skill_against[scores.stricter].skill)
    assert scores.skill_against["base_rate"].low > 0
    assert scores.advantage.low == pytest.approx(
        scores.skill_against[scores.stricter].low * scores.baselines[scores.stricter].log_loss
    )


def test_planted_skill_lies_inside_its_interval():
    """The true skill of the true probabilities, from many more days than are scored."""
    rng = np.random.default_rng(5)
    many = np.clip(0.2 + 0.15 * rng.normal(size=400_000), 0.02, 0.9)
    rate = many.mean()
    entropy = -(many * np.log(many) + (1 - many) * np.log(1 - many)).mean()
    constant = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    found = score({0: TRUTH}).skill_against["own_rate"]
    assert found.low < 1 - entropy / constant < found.high


def test_what_never_errs_leaves_skill_against_it_undefined():
    assert score({0: TRUTH}, y=np.zeros(N)).skill_against["own_rate"].skill is None


def test_the_interval_of_the_loss_is_that_of_the_mean_over_seeds():
    scores = score({0: TRUTH, 1: np.clip(TRUTH + 0.05, 0, 1)})
    for name in ("log_loss", "brier", "auc", "average_precision", "ece"):
        assert scores.intervals[name].value == pytest.approx(getattr(scores.mean, name))
    assert scores.mean.ece == pytest.approx(
        np.mean([expected_calibration_error(Y, p) for p in (TRUTH, np.clip(TRUTH + 0.05, 0, 1))])
    )
    record = scores.to_json()["intervals"]["log_loss"]
    assert {"value", "low", "high", "se", "effective_n"} <= set(record)


def test_what_validation_chose_is_applied_and_not_chosen_again():
    rng = np.random.default_rng(3)
    validation = {0: np.clip(TRUTH + 0.1 * rng.normal(size=N), 0.01, 0.99) ** 2}
    y_validation = (rng.random(N) < TRUTH).astype(float)
    choices = choose_on_validation(y_validation, validation)
    assert choices.temperature == pytest.approx(fit_temperature(y_validation, validation))
    for labels in (Y, 1 - Y):
        record = score({0: TRUTH**2}, y=labels, choices=choices).to_json()
        assert record["decision"]["threshold"] == choices.threshold
        assert record["decision"]["criterion"] == "balanced_accuracy"
        assert record["temperature"]["value"] == choices.temperature
        assert record["mean"]["log_loss"] != record["temperature"]["log_loss"]
    without = score({0: TRUTH**2}).to_json()
    assert (without["decision"], without["temperature"]) == (None, None)
    assert without["mean"] == score({0: TRUTH**2}, choices=choices).to_json()["mean"]


def test_one_class_alone_leaves_ranks_and_skill_undefined():
    scores = score({0: TRUTH}, y=np.zeros(N))
    assert scores.skill is None
    assert scores.mean.auc is None
    assert scores.to_json()["mean"]["average_precision"] is None


def test_the_json_is_strict_and_repeats_itself():
    first, again = (json.dumps(score({1: TRUTH, 0: TRUTH}).to_json(), allow_nan=False) for _ in range(2))
    assert first == again
    assert list(json.loads(first)["seeds"]) == ["0", "1"]


def test_a_region_without_a_trained_seed_is_refused():
    with pytest.raises(ValueError, match="at least one trained seed"):
        score({})


def test_every_figure_can_be_computed_again_from_the_predictions():
    probabilities = {0: TRUTH, 1: np.clip(TRUTH + 0.05, 0, 1)}
    frame = predictions_frame("test", Y, DATES, probabilities, CONSTANTS)
    assert list(frame.columns) == ["date", "region", "model", "label", "probability", "log_loss"]
    assert len(frame) == 4 * N
    assert set(frame["model"]) == {"seed-0", "seed-1", "base_rate", "own_rate"}
    seed_one = frame[frame["model"] == "seed-1"]
    np.testing.assert_array_equal(seed_one["date"].to_numpy().astype("datetime64[D]"), DATES)
    np.testing.assert_allclose(seed_one["log_loss"], per_day_log_loss(Y, probabilities[1]))
    assert score(probabilities).seeds[1].log_loss == pytest.approx(seed_one["log_loss"].mean())
