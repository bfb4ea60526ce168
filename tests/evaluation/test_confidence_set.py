"""Which models cannot be told from the best."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import MCS
from scipy.stats import t, ttest_rel

from tsladder.artifacts.record import json_of
from tsladder.evaluation.bootstrap import block_length
from tsladder.evaluation.confidence_set import DRAWN_MODELS, TRAINED_MODELS, MeanNoise, model_confidence_set

DAYS = 600
MARKET = np.random.default_rng(0).exponential(0.4, DAYS)


def losses(*shifts: float, noise: float = 0.05, start: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(start)
    return {f"model-{k}": MARKET + shift + noise * rng.normal(size=DAYS) for k, shift in enumerate(shifts)}


def confidence_set(found: dict[str, np.ndarray], seed: int = 3):
    return model_confidence_set(found, confidence=0.95, draws=500, seed=seed)


def test_clearly_worse_models_are_left_out_and_equals_stay() -> None:
    found = confidence_set(losses(0.05, 0.0, 0.1, 0.0))
    assert set(found.members) == {"model-1", "model-3"}
    assert found.p_values["model-0"] < 0.05
    assert found.p_values["model-2"] < 0.05
    assert max(found.p_values.values()) == 1.0
    best = min(found.members, key=lambda name: losses(0.05, 0.0, 0.1, 0.0)[name].mean())
    assert found.members[0] == best


@pytest.mark.parametrize("shift", [0.0, 0.002, 0.004, 0.02])
def test_of_two_models_on_independent_days_it_is_the_paired_test(shift: float) -> None:
    pair = losses(0.0, shift)
    found = model_confidence_set(pair, confidence=0.95, draws=2000, seed=1)
    oracle = ttest_rel(pair["model-0"], pair["model-1"]).pvalue
    assert min(found.p_values.values()) == pytest.approx(oracle, abs=0.05)
    assert max(found.p_values.values()) == 1.0


def test_one_model_is_its_own_set() -> None:
    found = confidence_set(losses(0.0))
    assert found.members == ("model-0",)
    assert found.p_values == {"model-0": 1.0}


def test_equal_losses_share_one_fate() -> None:
    few = losses(0.0, 0.05)
    twins = few | {"a-twin": few["model-0"].copy(), "z-twin": few["model-1"].copy()}
    found, plain = confidence_set(twins), confidence_set(few)
    assert set(found.members) == {"model-0", "a-twin"}
    assert {name: found.p_values[name] for name in few} == plain.p_values
    assert found.p_values["z-twin"] == found.p_values["model-1"]
    assert set(confidence_set({"a": MARKET, "b": MARKET, "c": MARKET}).members) == {"a", "b", "c"}


def test_a_model_that_is_worse_by_the_same_amount_every_day_is_left_out() -> None:
    found = confidence_set({"good": MARKET, "worse": MARKET + 0.01, "worst": MARKET + 0.02})
    assert found.members == ("good",)
    assert found.p_values == {"good": 1.0, "worse": 0.0, "worst": 0.0}


def test_models_whose_means_tie_exactly_all_stay() -> None:
    wave = np.tile([0.25, -0.25, -0.25, 0.25], DAYS // 4)
    found = confidence_set({"a": 1.0 + wave, "b": 1.0 - wave, "c": np.ones(DAYS) + np.roll(wave, 1)})
    assert len(found.members) == 3


@pytest.mark.parametrize("start", range(4))
def test_without_noise_it_is_the_library_s_set_on_the_same_resamples(start: int) -> None:
    some = losses(0.0, 0.002, 0.004, 0.006, 0.02, start=start)
    found = model_confidence_set(some, confidence=0.95, draws=300, seed=5)
    frame = pd.DataFrame({name: some[name] for name in sorted(some)})
    block = max(block_length((loss_N - frame.mean(axis=1)).to_numpy()) for _, loss_N in frame.items())
    oracle = MCS(frame, 0.05, reps=300, block_size=block, bootstrap="stationary", seed=np.random.default_rng(5))
    oracle.compute()
    assert found.p_values == pytest.approx(oracle.pvalues["Pvalue"].to_dict())
    assert sorted(found.members) == sorted(oracle.included)
    none = MeanNoise(variances=dict.fromkeys(some, 0.0))
    assert model_confidence_set(some, confidence=0.95, draws=300, seed=5, noise=none).p_values == found.p_values


@pytest.mark.parametrize("dof", [math.inf, 3.0])
def test_of_two_models_with_known_noise_it_is_the_test_of_a_difference(dof: float) -> None:
    """Days that move nothing: the noise alone is left, and its two-sided p."""
    pair = {"a": MARKET, "b": MARKET + 0.02}
    noise = MeanNoise(variances={"a": 1e-4, "b": 3e-4}, dof=dof)
    found = model_confidence_set(pair, confidence=0.95, draws=20_000, seed=2, noise=noise)
    oracle = 2.0 * t.sf(0.02 / math.sqrt(4e-4), dof)
    assert found.p_values["b"] == pytest.approx(oracle, abs=0.012)
    assert found.members == ("a", "b")
    assert found.about == DRAWN_MODELS


def test_draws_of_one_size_are_left_out_seldom_once_their_noise_is_known() -> None:
    rng, trained, drawn = np.random.default_rng(6), 0, 0
    for number in range(50):
        market = rng.exponential(0.4, 300)
        some = {f"m{k}": market * (1 + 0.01 * rng.normal()) + 0.02 * rng.normal(size=300) for k in range(5)}
        noise = MeanNoise(variances=dict.fromkeys(some, (0.01 * 0.4) ** 2))
        trained += len(model_confidence_set(some, confidence=0.95, draws=100, seed=number).members) < 5
        found = model_confidence_set(some, confidence=0.95, draws=100, seed=number, noise=noise)
        drawn += len(found.members) < 5
    assert trained > 25
    assert drawn <= 5


def test_it_says_what_it_is_about() -> None:
    assert confidence_set(losses(0.0, 0.1)).about == TRAINED_MODELS


@pytest.mark.parametrize(
    "wrong", [{"variances": {"a": -1.0}}, {"variances": {"a": math.nan}}, {"variances": {}, "dof": 0}]
)
def test_a_noise_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="variances must be"):
        MeanNoise(**wrong)


def test_the_noise_of_other_models_is_refused() -> None:
    noise = MeanNoise(variances={"model-0": 1.0})
    with pytest.raises(ValueError, match="got the noise of"):
        model_confidence_set(losses(0.0, 0.1), confidence=0.95, draws=10, seed=1, noise=noise)


def test_neither_the_order_of_the_models_nor_a_second_call_changes_anything() -> None:
    some = losses(0.0, 0.004, 0.01)
    some["a-twin"] = some["model-0"].copy()
    first = confidence_set(some)
    assert confidence_set(dict(reversed(some.items()))) == first
    assert json.dumps(json_of(first)) == json.dumps(json_of(confidence_set(some)))
    assert confidence_set(some, seed=4).p_values != first.p_values


def test_the_best_model_is_kept_about_as_often_as_promised() -> None:
    rng = np.random.default_rng(2)
    lost = 0
    for number in range(60):
        market = rng.exponential(0.4, 250)
        some = {f"m{k}": market + 0.1 * rng.normal(size=250) for k in range(4)}  # all equally good
        lost += len(model_confidence_set(some, confidence=0.9, draws=150, seed=number).members) < 4
    assert lost <= 12  # 10 % promised, three standard errors above


@pytest.mark.parametrize(
    "losses",
    [{}, {"a": np.ones(3), "b": np.ones(4)}, {"a": np.array([1.0, np.nan])}, {"a": np.ones((2, 2))}],
    ids=["none", "other days", "no number", "two axes"],
)
def test_what_cannot_be_paired_is_refused(losses: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="confidence set needs"):
        confidence_set(losses)
